from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.formats import read_keypoints
from pose_mdn.geometry.body import BONE_CLASSES, KnownBodies, KnownBody
from pose_mdn.geometry.known_body import class_lengths_m, stature_m
from pose_mdn.inference import load_lifter, with_known_body
from pose_mdn.inference.lifter import Lifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence

LENS = np.array([-0.12, 0.03, 0.001, -0.0005])


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return load_lifter(threads=1)


@pytest.fixture(scope="module")
def clip() -> KeypointSequence:
    return read_keypoints(Path(str(files("pose_mdn") / "samples" / "walking_clip.npz")))


@pytest.fixture(scope="module")
def lifted(lifter: Lifter, clip: KeypointSequence) -> HypothesisSequence:
    return lifter.lift(clip)


def test_a_stature_moves_nothing_in_the_picture(
    lifter: Lifter, clip: KeypointSequence, lifted: HypothesisSequence
) -> None:
    tall = lifter.lift(clip, body=KnownBody(stature_m=2.0))
    rows = lifted.lifted
    np.testing.assert_allclose(stature_m(tall.means_m[rows]), 2.0, rtol=1e-5)
    joints, before = (
        sequence.means_m[rows] + sequence.root_translation_m[rows][..., None, :] for sequence in (tall, lifted)
    )
    np.testing.assert_allclose(joints[..., :2] / joints[..., 2:], before[..., :2] / before[..., 2:], atol=1e-5)
    np.testing.assert_array_equal(tall.reprojection_error_px, lifted.reprojection_error_px)
    ratio = 2.0 / stature_m(lifted.means_m[rows])
    np.testing.assert_allclose(tall.std_m[rows], lifted.std_m[rows] * ratio[..., None, None], rtol=1e-5)
    assert (tall.size_source, lifted.size_source) == ("given: stature 2 m", "prior")
    np.testing.assert_array_equal(tall.status, lifted.status)
    assert np.isnan(tall.means_m[~rows]).all()


@pytest.mark.parametrize("distortion", [None, LENS])
def test_bones_of_the_length_that_they_have_change_nothing(
    lifter: Lifter, clip: KeypointSequence, distortion: np.ndarray | None
) -> None:
    """So the root translation and the reprojection error are the graph's."""
    camera = {} if distortion is None else {"intrinsics": [[1100, 0, 640], [0, 1100, 360], [0, 0, 1]]}
    hypotheses = lifter.lift_arrays(
        clip.keypoints_px[40:41], clip.confidence[40:41], skeleton=clip.skeleton, distortion=distortion, **camera
    )
    for m in range(hypotheses.num_hypotheses):
        lengths = class_lengths_m(hypotheses.means_m[0, m]).tolist()
        body = KnownBody(bone_lengths_m=dict(zip(BONE_CLASSES, lengths, strict=True)))
        again = with_known_body(hypotheses, body)
        for name, atol in (("means_m", 2e-3), ("root_translation_m", 2e-2), ("reprojection_error_px", 0.2)):
            np.testing.assert_allclose(getattr(again, name)[0, m], getattr(hypotheses, name)[0, m], atol=atol)


def test_known_bones_get_their_length_and_are_put_where_the_picture_wants_them(
    lifter: Lifter, clip: KeypointSequence, lifted: HypothesisSequence
) -> None:
    short = lifter.lift(clip, body=KnownBody(bone_lengths_m={"knee": 0.2, "ankle": 0.2}))
    rows = lifted.lifted
    legs = [BONE_CLASSES.index(name) for name in ("knee", "ankle")]
    np.testing.assert_allclose(class_lengths_m(short.means_m[rows])[..., legs], 0.2, rtol=1e-4)
    # Half the legs, and all the rest in proportion: the person is half as far away and still in the picture.
    ratio = short.root_translation_m[rows, :, 2] / lifted.root_translation_m[rows, :, 2]
    expected = 0.2 / class_lengths_m(lifted.means_m[rows])[..., legs].mean(axis=-1)
    np.testing.assert_allclose(ratio, expected, rtol=0.1)
    assert np.median(short.reprojection_error_px[rows]) < 2 * np.median(lifted.reprojection_error_px[rows])
    assert short.size_source == "given: knee 0.2 m, ankle 0.2 m"


def test_each_person_has_a_size_of_their_own(lifter: Lifter, clip: KeypointSequence) -> None:
    person = np.repeat([3, 5, 8], len(clip) // 3 + 1)[: len(clip)]
    sequence = KeypointSequence(**{**vars(clip), "person": person})
    plain = lifter.lift(sequence)
    known = {3: KnownBody(stature_m=1.1), 5: KnownBody(stature_m=1.9)}
    sized = lifter.lift(sequence, body=KnownBodies(persons=known))
    for identity, body in known.items():
        rows = plain.lifted & (person == identity)
        assert rows.any()
        np.testing.assert_allclose(stature_m(sized.means_m[rows]), body.stature_m, rtol=1e-5)
    np.testing.assert_array_equal(sized.means_m[person == 8], plain.means_m[person == 8])
    with_rest = lifter.lift(sequence, body=KnownBodies(everyone=KnownBody(stature_m=1.5), persons=known))
    rows = plain.lifted & (person == 8)
    np.testing.assert_allclose(stature_m(with_rest.means_m[rows]), 1.5, rtol=1e-5)
    np.testing.assert_array_equal(with_rest.means_m[person == 3], sized.means_m[person == 3])


def test_nobody_to_resize_is_fine(lifter: Lifter) -> None:
    body = KnownBody(stature_m=1.8, bone_lengths_m={"knee": 0.4})
    assert len(lifter.lift_arrays(np.zeros((0, 17, 2)), body=body)) == 0
    assert not lifter.lift_arrays(np.full((2, 17, 2), np.nan), body=body).lifted.any()
