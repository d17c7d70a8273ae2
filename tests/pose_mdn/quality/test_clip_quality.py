import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pose_mdn
from pose_mdn.errors import InputError
from pose_mdn.formats import read_keypoints
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.quality import ClipQuality, Level, QualityCounter, clip_quality, quality_flags
from pose_mdn.quality.flags import FLAGS
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn.visualization.uncertainty import depth_std_m

SAMPLE = Path(str(files("pose_mdn") / "samples" / "walking_clip.npz"))


@pytest.fixture(scope="module")
def clip() -> KeypointSequence:
    return read_keypoints(SAMPLE)


@pytest.fixture(scope="module")
def lift() -> Callable[[KeypointSequence], HypothesisSequence]:
    return pose_mdn.load_lifter(threads=1).lift


@pytest.fixture(scope="module")
def lifted(clip: KeypointSequence, lift: Callable[[KeypointSequence], HypothesisSequence]) -> HypothesisSequence:
    return lift(clip)


def names(quality: ClipQuality) -> dict[str, Level]:
    return {flag.name: flag.level for flag in quality_flags(quality)}


@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.integers(0, 160), max_size=6), seed=st.integers(0, 9), merged=st.booleans())
def test_the_quality_of_parts_is_that_of_the_whole(
    lifted: HypothesisSequence, cuts: list[int], seed: int, merged: bool
) -> None:
    bounds = [0, *sorted(cuts), len(lifted)]
    parts = [lifted.take(slice(*pair)) for pair in itertools.pairwise(bounds)]
    counter = QualityCounter()
    for index in np.random.default_rng(seed).permutation(len(parts)):
        other = QualityCounter() if merged else counter
        other.add(parts[index])
        if merged:
            counter.merge(other)
    assert counter.result() == clip_quality(lifted)


def test_the_figures_are_what_numpy_says(lifted: HypothesisSequence) -> None:
    quality = clip_quality(lifted)
    rows = lifted.take(lifted.lifted)
    errors = rows.reprojection_error_px[np.arange(len(rows)), rows.most_probable]
    seen = rows.confidence > 0
    low = np.where(seen[..., None], rows.keypoints_px, np.inf).min(axis=1)
    high = np.where(seen[..., None], rows.keypoints_px, -np.inf).max(axis=1)
    sizes = np.linalg.norm(high - low, axis=1)
    assert (quality.rows, quality.lifted, quality.nobody, quality.people) == (160, 155, 5, 1)
    assert quality.frames == len(np.unique(lifted.frame))
    assert quality.duration_s == pytest.approx(160 / 30, rel=1e-3)
    assert quality.reprojection_px == pytest.approx(np.median(errors), rel=0.012)
    assert quality.reprojection_of_size == pytest.approx(np.median(errors / sizes), rel=0.012)
    assert quality.reprojection_p95_of_size == pytest.approx(np.quantile(errors / sizes, 0.95), rel=0.03)
    assert quality.depth_std_m == pytest.approx(np.median(depth_std_m(rows)), rel=0.012)
    assert quality.out_of_distribution_share == pytest.approx(rows.out_of_distribution.mean(), abs=1e-5)
    missing = ~seen
    provided = [j for j, name in enumerate(HUMAN36M17.joint_names) if name not in ("spine", "head_top")]
    assert quality.missing_share == pytest.approx(missing[:, provided].mean(), abs=1e-5)


def test_a_good_clip_has_no_flags(lifted: HypothesisSequence) -> None:
    assert names(clip_quality(lifted)) == {}


def spoilt(clip: KeypointSequence, change: str) -> KeypointSequence:
    random = np.random.default_rng(0)
    points, confidence, person = clip.keypoints_px.copy(), clip.confidence.copy(), clip.person.copy()
    if change == "upside down":
        points = 1000 - points
    elif change == "noise":
        points += random.normal(0, 60, points.shape).astype(np.float32)
    elif change == "random joints":
        points = points[:, random.permutation(points.shape[1])]
    elif change == "no legs":
        hidden = [clip.skeleton.index(f"{side}_{joint}") for side in "lr" for joint in ("knee", "ankle")]
        confidence[:, hidden] = 0
    elif change == "one wrist":
        confidence[:, clip.skeleton.index("l_wrist")] = 0
    elif change == "two joints":
        confidence[: len(clip) // 3, 2:] = 0
    elif change == "all joints":
        confidence[:] = 0
    elif change == "nobody":
        confidence[:100], person[:100] = 0, -1
    return replace(clip, keypoints_px=points, confidence=confidence, person=person)


@pytest.mark.parametrize(
    ("change", "flag", "level"),
    [
        ("upside down", "not a person", Level.BAD),
        ("random joints", "not a person", Level.BAD),
        ("random joints", "reprojection", Level.BAD),
        ("random joints", "implausible", Level.BAD),
        ("noise", "reprojection", Level.BAD),
        ("noise", "uncertain", Level.BAD),
        ("no legs", "missing joints", Level.WARN),
        ("one wrist", "missing joints", Level.WARN),
        ("two joints", "refused rows", Level.WARN),
        ("all joints", "nothing lifted", Level.BAD),
        ("nobody", "nobody", Level.WARN),
    ],
)
def test_a_spoilt_clip_gets_the_right_flag(
    clip: KeypointSequence,
    lift: Callable[[KeypointSequence], HypothesisSequence],
    change: str,
    flag: str,
    level: Level,
) -> None:
    found = names(clip_quality(lift(spoilt(clip, change))))
    assert found[flag] == level
    if change in ("no legs", "two joints", "nobody", "one wrist", "all joints"):
        # Of a part of a body the size is less, and so the error in parts of it larger.
        assert set(found) - {flag} <= {"missing joints", "reprojection"}


def test_every_flag_says_what_was_found_and_what_to_do(lifted: HypothesisSequence) -> None:
    figures = clip_quality(lifted).to_dict()
    for thresholds in FLAGS.values():
        figures |= {each.figure: 99.0 for each in thresholds if each.figure != "nobody_share"}
    quality = ClipQuality.from_dict(figures | {"nobody": 155})
    flags = quality_flags(quality)
    assert [flag.name for flag in flags] == list(FLAGS)[1:]
    assert all(flag.text.count(". ") >= 1 and flag.text.endswith(".") for flag in flags)


def test_nothing_at_all_is_said_too(lifted: HypothesisSequence) -> None:
    quality = clip_quality(lifted.take(slice(0, 0)))
    assert (quality.rows, quality.duration_s, quality.lifted_share, quality.worst_joint) == (0, None, None, None)
    assert names(quality) == {"nothing lifted": Level.BAD}
    assert "no rows" in quality_flags(quality)[0].text


def test_figures_survive_json(lifted: HypothesisSequence) -> None:
    for quality in (clip_quality(lifted), clip_quality(lifted.take(slice(0, 0)))):
        text = json.dumps(quality.to_dict(), allow_nan=False)
        assert ClipQuality.from_dict(json.loads(text) | {"of a later version": 1}) == quality


@pytest.mark.parametrize("change", [{"rows": "many"}, {"rows": None}, {"depth_std_m": float("nan")}, {"lifted": True}])
def test_figures_of_a_wrong_kind_are_refused(lifted: HypothesisSequence, change: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"'{next(iter(change))}'"):
        ClipQuality.from_dict(clip_quality(lifted).to_dict() | change)


def test_poses_of_nan_that_claim_to_be_lifted_spoil_no_figure(lifted: HypothesisSequence) -> None:
    means, errors = lifted.means_m.copy(), lifted.reprojection_error_px.copy()
    means[50], errors[50] = np.nan, np.nan
    quality = clip_quality(replace(lifted, means_m=means, reprojection_error_px=errors))
    assert quality.reprojection_px == pytest.approx(clip_quality(lifted).reprojection_px, rel=0.05)
    assert quality.implausible_share == pytest.approx(2 / 155, abs=1e-5)


def test_an_unknown_layout_provides_what_was_ever_seen(lifted: HypothesisSequence) -> None:
    seen = (lifted.confidence > 0).any(axis=0)
    assert not seen.all()
    assert clip_quality(replace(lifted, source_skeleton="of my lab")) == clip_quality(lifted)
