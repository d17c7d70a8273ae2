"""Whatever a detector sends, every row gets hypotheses that are numbers, or a status that says why not."""

import warnings
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation

from pose_mdn.formats import read_keypoints
from pose_mdn.inference import load_lifter
from pose_mdn.inference.lifter import Lifter
from pose_mdn.inference.observations import MIN_JOINTS
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.status import Status
from pose_mdn.skeletons import COCO17, HUMAN36M17

SIZE = (1280, 720)
RESULTS = (
    "means_m", "std_m", "view_rotation", "mixing_coefficients", "root_translation_m", "reprojection_error_px",
)  # fmt: skip
UPPER_BODY = ("spine", "thorax", "neck_nose", "head_top", "shoulder", "elbow", "wrist")
LEGS = ("pelvis", "hip", "knee", "ankle")
odd_numbers = st.sampled_from([np.nan, np.inf, -np.inf, -1.0, 0.0, 1e-30, 0.5, 1.0, 1.5, 3e38])


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return load_lifter(threads=1)


@pytest.fixture(scope="module")
def standing(lifter: Lifter) -> np.ndarray:
    """(17, 3) joints of one real person before a camera, metres, camera frame."""
    clip = read_keypoints(Path(str(files("pose_mdn") / "samples" / "walking_clip.npz")))
    lifted = lifter.lift(clip)
    row = int(np.flatnonzero(lifted.status == Status.LIFTED)[40])
    top = lifted.most_probable[row]
    joints: np.ndarray = lifted.means_m[row, top] + lifted.root_translation_m[row, top]
    return joints


@pytest.fixture(scope="module")
def person(standing: np.ndarray) -> np.ndarray:
    """(17, 2) pixels of that person in the layout inside, all joints in the picture of 1280 x 720."""
    return (standing[:, :2] / standing[:, 2:] * 900 + [640, 360]).astype(np.float32)


def assert_sound(result: HypothesisSequence) -> None:
    """Rows are whole or NaN, and their status tells which."""
    for row, status in enumerate(result.status.tolist()):
        assert status in set(Status)
        finite = [bool(np.isfinite(getattr(result, name)[row]).all()) for name in RESULTS]
        missing = [bool(np.isnan(getattr(result, name)[row]).all()) for name in RESULTS]
        assert all(finite) if Status(status).is_lifted else all(missing)
    rows = result.lifted
    np.testing.assert_allclose(result.mixing_coefficients[rows].sum(axis=1), 1, atol=1e-5)
    assert (result.std_m[rows][:, :, 1:] > 0).all()
    assert (result.root_translation_m[rows][..., 2] > 0).all() or not rows.any()
    assert (np.abs(result.means_m[rows]) < 2).all()
    np.testing.assert_array_equal(np.isnan(result.keypoints_px).all(axis=-1), result.confidence == 0)


def lift(lifter: Lifter, *arguments: object, **options: object) -> HypothesisSequence:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return lifter.lift_arrays(*arguments, **options)


@given(joints=st.sets(st.sampled_from(HUMAN36M17.joint_names)))
@settings(max_examples=60, deadline=None)
def test_any_set_of_joints_is_lifted_or_told_to_be_too_few(
    lifter: Lifter, person: np.ndarray, joints: set[str]
) -> None:
    keypoints = np.full_like(person, np.nan)
    for name in joints:
        keypoints[HUMAN36M17.index(name)] = person[HUMAN36M17.index(name)]
    result = lift(lifter, keypoints, image_size=SIZE)
    assert_sound(result)
    expected = (
        Status.NO_PERSON if not joints
        else Status.TOO_FEW_JOINTS if len(joints) < MIN_JOINTS
        else Status.LIFTED if len(joints) == len(person)
        else Status.LIFTED_JOINTS_MISSING
    )  # fmt: skip
    assert result.status[0] == expected


@pytest.mark.parametrize(("joints", "unseen"), [(UPPER_BODY, LEGS), (LEGS, UPPER_BODY)])
def test_half_a_body_is_lifted_and_the_unseen_half_is_less_certain(
    lifter: Lifter, person: np.ndarray, joints: tuple[str, ...], unseen: tuple[str, ...]
) -> None:
    keypoints = person.copy()
    hidden = [
        index
        for index, name in enumerate(HUMAN36M17.joint_names)
        if name.removeprefix("l_").removeprefix("r_") in unseen
    ]
    keypoints[hidden] = np.nan
    whole, half = (lift(lifter, points, image_size=SIZE) for points in (person, keypoints))
    assert_sound(half)
    assert half.status[0] == Status.LIFTED_JOINTS_MISSING
    assert half.std_m[0][:, hidden].sum() > 1.5 * whole.std_m[0][:, hidden].sum()


@pytest.mark.parametrize(
    ("joints", "status"),
    [
        (("l_shoulder", "l_elbow", "l_wrist"), Status.TOO_FEW_JOINTS),
        (("nose", "l_eye", "r_eye", "l_ear", "r_ear"), Status.TOO_FEW_JOINTS),
        (("nose", "l_shoulder", "r_shoulder"), Status.TOO_FEW_JOINTS),
        (("l_hip", "r_hip", "l_shoulder", "r_shoulder"), Status.LIFTED_JOINTS_MISSING),
        (("nose", "l_ear", "r_ear", "l_shoulder", "r_shoulder", "l_elbow", "r_elbow"), Status.LIFTED_JOINTS_MISSING),
    ],
)
def test_what_of_a_coco_person_is_enough(lifter: Lifter, joints: tuple[str, ...], status: Status) -> None:
    keypoints = np.full((17, 2), np.nan, np.float32)
    for name in joints:
        place = COCO17.index(name)
        keypoints[place] = [600 + 40 * (place % 2), 100 + 30 * place]
    result = lift(lifter, keypoints, skeleton=COCO17, image_size=SIZE)
    assert_sound(result)
    assert result.status[0] == status


@given(
    focal_px=st.floats(200, 10_000),
    distance_m=st.floats(1.5, 200),
    angles=st.tuples(st.floats(-0.9, 0.9), st.floats(-0.9, 0.9)),
    image_size=st.sampled_from([None, SIZE]),
)
@settings(max_examples=60, deadline=None)
def test_any_lens_and_any_place_in_or_out_of_the_picture(
    lifter: Lifter, standing: np.ndarray, *, image_size: tuple[int, int] | None, focal_px: float, distance_m: float,
    angles: tuple[float, float],
) -> None:  # fmt: skip
    intrinsics = np.array([[focal_px, 0, 640], [0, focal_px, 360], [0, 0, 1]])
    ahead = standing - standing[0] + [0, 0, distance_m]
    joints = Rotation.from_euler("xy", angles).apply(ahead)
    keypoints = focal_px * joints[:, :2] / joints[:, 2:] + [640, 360]
    result = lift(lifter, keypoints, intrinsics=intrinsics, image_size=image_size)
    assert_sound(result)
    if image_size is None:
        assert result.status[0] == Status.LIFTED
    elif result.lifted[0]:
        inside = ((keypoints >= -1) & (keypoints <= image_size)).all()
        assert result.status[0] == (Status.LIFTED if inside else Status.LIFTED_CUT_BY_FRAME)


@given(scale=st.floats(0.2, 5), focal_px=st.floats(200, 10_000))
@settings(max_examples=20, deadline=None)
def test_the_lens_alone_changes_nothing(lifter: Lifter, person: np.ndarray, scale: float, focal_px: float) -> None:
    """The same rays through another lens are the same person."""
    one, other = (
        lift(lifter, (person - [640, 360]) * zoom / 900, intrinsics=np.diag([zoom, zoom, 1]))
        for zoom in (focal_px, focal_px * scale)
    )
    np.testing.assert_allclose(one.means_m, other.means_m, atol=2e-3)
    np.testing.assert_allclose(one.root_translation_m, other.root_translation_m, rtol=5e-3, atol=1e-2)


@given(
    keypoints=hnp.arrays(np.float32, (3, 17, 2), elements=odd_numbers | st.floats(-3000, 5000, width=32)),
    confidence=hnp.arrays(np.float32, (3, 17), elements=odd_numbers),
    focal_px=st.floats(200, 10_000),
    lens=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_nonsense_is_answered_soundly(
    lifter: Lifter, keypoints: np.ndarray, confidence: np.ndarray, focal_px: float, lens: bool
) -> None:
    camera = {"intrinsics": np.array([[focal_px, 0, 640], [0, focal_px, 360], [0, 0, 1]]), "image_size": SIZE}
    if lens:
        camera["distortion"] = np.array([-0.2, 0.05, 0.001, -0.001])
    confidence[:, 0] = 0.5  # so that the median is a confidence
    confidence[confidence > 2] = 2
    assert_sound(lift(lifter, keypoints, confidence, **camera))


@pytest.mark.parametrize("point", [(640.0, 360.0), (0.0, 0.0)])
def test_joints_that_coincide_are_degenerate(lifter: Lifter, point: tuple[float, float]) -> None:
    keypoints = np.broadcast_to(np.array(point, np.float32), (1, 17, 2))
    result = lift(lifter, keypoints, image_size=SIZE)
    assert_sound(result)
    assert result.status[0] == Status.DEGENERATE


def test_joints_on_one_line_are_answered(lifter: Lifter) -> None:
    line = np.stack([np.full(17, 640.0), np.linspace(100, 600, 17)], axis=-1)
    assert_sound(lift(lifter, line, image_size=SIZE))
