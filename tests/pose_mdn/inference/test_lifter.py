import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import GeometryError, InputError, PoseMDNError
from pose_mdn.geometry.camera import Camera
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.inference.lifter import SLICE_ROWS
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.poses.status import Status
from pose_mdn.skeletons import BLAZEPOSE33, COCO17, HUMAN36M17

SIZE = (1920, 1080)
INTRINSICS = np.array([[1100.0, 0, 958], [0, 1090, 541], [0, 0, 1]])


@pytest.fixture(scope="module")
def lifter(tiny_bundle: Path) -> Lifter:
    return load_lifter(tiny_bundle, threads=1)


def some_people(count: int, seed: int = 0) -> np.ndarray:
    """Keypoints (count, 17, 2) well inside the picture."""
    return np.random.default_rng(seed).uniform(100, 900, (count, HUMAN36M17.num_joints, 2)).astype(np.float32)


def assert_same_rows(one: HypothesisSequence, other: HypothesisSequence, *, atol: float = 0.0) -> None:
    for field in fields(HypothesisSequence):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray) and a.dtype.kind == "f":
            np.testing.assert_allclose(a, b, atol=atol, rtol=0, err_msg=field.name)
        elif isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        else:
            assert a == b, field.name


def row(result: HypothesisSequence, index: int) -> HypothesisSequence:
    changes = {
        field.name: getattr(result, field.name)[index : index + 1]
        for field in fields(HypothesisSequence)
        if isinstance(getattr(result, field.name), np.ndarray) and field.name != "distortion"
    }
    return replace(result, **changes)


def test_every_output_reaches_its_field(lifter: Lifter) -> None:
    keypoints, confidence = some_people(3), np.full((3, 17), 0.5)
    result = lifter.lift_arrays(keypoints, confidence, intrinsics=INTRINSICS)
    np.testing.assert_array_equal(result.means_m[:, 1, :, :2], keypoints)
    np.testing.assert_array_equal(result.means_m[:, 0, :, 2], 0)
    np.testing.assert_array_equal(result.means_m[:, 1, :, 2], 1)
    np.testing.assert_array_equal(result.std_m, 0.5)
    np.testing.assert_array_equal(result.view_rotation, np.broadcast_to(INTRINSICS.astype(np.float32), (3, 3, 3)))
    np.testing.assert_array_equal(result.mixing_coefficients, [[0.25, 0.75]] * 3)
    np.testing.assert_array_equal(result.root_translation_m, 8.5)
    np.testing.assert_array_equal(result.reprojection_error_px, 8.5)
    assert result.model == "tiny/3"
    assert result.intrinsics_source == "given"
    assert result.num_hypotheses == lifter.num_hypotheses == 2


def test_a_graph_without_an_ood_score_leaves_it_unknown(lifter: Lifter) -> None:
    result = lifter.lift_arrays(some_people(3), intrinsics=INTRINSICS)
    assert not lifter.gives_ood_score
    np.testing.assert_array_equal(result.ood_score, np.full(3, np.nan, np.float32))
    assert not result.out_of_distribution.any()


def test_the_ood_score_reaches_the_rows_that_were_lifted(scoring_bundle: Path) -> None:
    scoring = load_lifter(scoring_bundle, threads=1)
    assert scoring.gives_ood_score
    people, confidence = some_people(SLICE_ROWS + 4), np.full((SLICE_ROWS + 4, 17), 0.25)
    confidence[1], confidence[-1] = 0, 0.75
    people[2, 3, 0] = -95_000
    result = scoring.lift_arrays(people, confidence, intrinsics=INTRINSICS)
    expected = np.full(len(people), 0.25)
    expected[[1, 2]], expected[-1] = np.nan, 0.75
    np.testing.assert_array_equal(result.ood_score, expected.astype(np.float32))
    np.testing.assert_array_equal(np.flatnonzero(result.out_of_distribution), [len(people) - 1])


def test_rows_keep_their_order_across_slices(lifter: Lifter) -> None:
    keypoints = some_people(2 * SLICE_ROWS + 5)
    keypoints[::3] = np.nan
    result = lifter.lift_arrays(keypoints, image_size=SIZE)
    assert len(result) == len(keypoints)
    np.testing.assert_array_equal(result.lifted, np.arange(len(keypoints)) % 3 != 0)
    np.testing.assert_array_equal(result.means_m[:, 0, :, :2], keypoints)


def test_progress_counts_every_row_once(lifter: Lifter) -> None:
    keypoints = some_people(SLICE_ROWS + 7)
    sequence = KeypointSequence(
        keypoints_px=keypoints,
        confidence=np.ones(keypoints.shape[:2], np.float32),
        skeleton=HUMAN36M17,
        frame=np.arange(len(keypoints)) * 2,
        person=np.full(len(keypoints), 4),
        image_size=SIZE,
        fps=25.0,
    )
    done: list[int] = []
    result = lifter.lift(sequence, on_progress=done.append)
    assert sum(done) == len(keypoints)
    np.testing.assert_array_equal(result.frame, sequence.frame)
    np.testing.assert_array_equal(result.person, sequence.person)
    assert (result.fps, result.image_size) == (25.0, SIZE)


def test_statuses_say_what_happened(lifter: Lifter) -> None:
    keypoints = np.repeat(some_people(1), 8, axis=0)
    confidence = np.ones((8, 17))
    keypoints[1, HUMAN36M17.index("r_wrist")] = np.nan
    keypoints[2, HUMAN36M17.index("l_ankle")] = [-40, 500]
    confidence[3] = 0
    confidence[4, 5:] = 0
    keypoints[5] = [500, 500]
    confidence[6, HUMAN36M17.index("head_top")] = 0.05
    confidence[7, 5:] = 0.05
    result = lifter.lift_arrays(keypoints, confidence, image_size=SIZE)
    assert [Status(status) for status in result.status] == [
        Status.LIFTED,
        Status.LIFTED_JOINTS_MISSING,
        Status.LIFTED_CUT_BY_FRAME,
        Status.NO_PERSON,
        Status.TOO_FEW_JOINTS,
        Status.DEGENERATE,
        Status.LIFTED_JOINTS_MISSING,
        Status.TOO_FEW_JOINTS,
    ]
    for index, status in enumerate(result.status):
        lifted = Status(status).is_lifted
        for name in ("means_m", "std_m", "view_rotation", "mixing_coefficients", "root_translation_m"):
            assert np.isfinite(getattr(result, name)[index]).all() == lifted, (index, name)
    missing = HUMAN36M17.index("l_ankle")
    assert result.confidence[2, missing] == 0
    assert np.isnan(result.keypoints_px[2, missing]).all()


def test_joints_that_a_layout_lacks_do_not_count_as_missing(lifter: Lifter) -> None:
    result = lifter.lift_arrays(some_people(2), skeleton="coco17", image_size=SIZE)
    assert set(result.status) == {"lifted"}
    assert (result.confidence[:, HUMAN36M17.index("head_top")] == 0).all()
    assert result.source_skeleton == "coco17"


def test_a_joint_outside_that_is_not_used_cuts_nobody(lifter: Lifter) -> None:
    keypoints = np.random.default_rng(0).uniform(100, 900, (1, BLAZEPOSE33.num_joints, 2))
    keypoints[0, BLAZEPOSE33.index("l_foot_index")] = [-500, 500]
    assert lifter.lift_arrays(keypoints, skeleton=BLAZEPOSE33, image_size=SIZE).status[0] == "lifted"


def test_a_mean_of_joints_is_missing_if_one_of_them_is(lifter: Lifter) -> None:
    confidence = np.ones((1, 17))
    confidence[0, COCO17.index("l_hip")] = 0.05
    result = lifter.lift_arrays(some_people(1), confidence, skeleton=COCO17, image_size=SIZE)
    assert result.confidence[0, HUMAN36M17.index("pelvis")] == 0


bad_rows = st.sampled_from([np.nan, np.inf, -np.inf, 1e30, -1e30, -95_000.0, 0.0, 99_999.0, 5000.0])


@given(
    good=st.integers(0, 2**32 - 1),
    bad=st.lists(bad_rows, min_size=1, max_size=4),
    given_camera=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_a_bad_pose_never_spoils_its_neighbours(
    lifter: Lifter, good: int, bad: list[float], given_camera: bool
) -> None:
    camera = {"intrinsics": INTRINSICS} if given_camera else {"image_size": SIZE}
    people = some_people(len(bad) + 1, good)
    people[1:] = np.array(bad)[:, None, None]
    people[1:, 0] += 7
    alone = lifter.lift_arrays(people[:1], **camera)
    assert_same_rows(row(lifter.lift_arrays(people, **camera), 0), alone)
    assert_same_rows(replace(row(lifter.lift_arrays(people[::-1], **camera), len(bad)), frame=alone.frame), alone)


def test_an_answer_that_is_not_finite_is_degenerate_and_all_nan(lifter: Lifter) -> None:
    people = some_people(2)
    people[1, 3, 0] = -95_000
    result = lifter.lift_arrays(people, intrinsics=INTRINSICS)
    assert list(result.status) == ["lifted", "degenerate"]
    assert np.isnan(result.mixing_coefficients[1]).all()
    assert np.isnan(result.view_rotation[1]).all()


def test_a_lens_is_undone_before_the_graph(lifter: Lifter) -> None:
    camera = Camera(intrinsics=INTRINSICS, distortion=np.array([-0.2, 0.05, 0.001, -0.001]))
    people = some_people(4)
    result = lifter.lift_arrays(people, intrinsics=INTRINSICS, distortion=camera.distortion)
    np.testing.assert_allclose(result.means_m[:, 0, :, :2], camera.undistort_points(people), atol=1e-3)
    np.testing.assert_array_equal(result.keypoints_px, people)
    np.testing.assert_array_equal(result.distortion, camera.distortion)


def test_middles_of_joints_are_taken_behind_the_lens(lifter: Lifter) -> None:
    """A pelvis of two hips lies between them in space, not in a distorted picture."""
    camera = Camera(intrinsics=INTRINSICS, distortion=np.array([-0.3, 0.1, 0.0, 0.0]))
    points = some_people(1)
    left, right = COCO17.index("l_hip"), COCO17.index("r_hip")
    points[0, left], points[0, right] = [60.0, 500.0], [500.0, 40.0]
    result = lifter.lift_arrays(points, skeleton="coco17", intrinsics=INTRINSICS, distortion=camera.distortion)
    middle = camera.undistort_points(points[0, [left, right]].astype(np.float64)).mean(axis=0)
    seen = result.keypoints_px[0, HUMAN36M17.index("pelvis")]
    np.testing.assert_allclose(camera.undistort_points(seen.astype(np.float64)), middle, atol=1e-3)
    assert np.abs(seen - points[0, [left, right]].mean(axis=0)).max() > 5.0


def test_a_fisheye_is_undone_before_the_graph(lifter: Lifter) -> None:
    lens = {"distortion": np.zeros(4), "lens_model": "fisheye"}
    camera = Camera(intrinsics=INTRINSICS, **lens)
    people = some_people(4)
    people[0, 3] = camera.intrinsics[:2, 2] + [2000, 0]  # 104 degrees from the axis
    result = lifter.lift_arrays(people, intrinsics=INTRINSICS, **lens)
    seen = result.confidence > 0
    assert list(np.argwhere(~seen)[0]) == [0, 3]
    assert seen.sum() == seen.size - 1
    np.testing.assert_allclose(result.means_m[:, 0, :, :2][seen], camera.undistort_points(people)[seen], atol=1e-3)
    np.testing.assert_array_equal(result.keypoints_px[seen], people[seen])
    assert result.lens_model == "fisheye"


def test_what_a_lens_cannot_have_drawn_is_missing(lifter: Lifter) -> None:
    people = some_people(1) / 2 + 500
    people[0, 4] = [958 + 1100, 541]  # at slope 1, where this lens draws nothing beyond 0.703
    result = lifter.lift_arrays(people, intrinsics=INTRINSICS, distortion=[-0.3, 0, 0, 0])
    assert result.status[0] == "lifted_joints_missing"
    np.testing.assert_array_equal(result.confidence[0] == 0, np.arange(17) == 4)


def test_each_row_may_have_its_own_camera(lifter: Lifter) -> None:
    cameras = np.stack([INTRINSICS, INTRINSICS + np.diag([100.0, 100, 0])])
    result = lifter.lift_arrays(some_people(2), intrinsics=cameras)
    np.testing.assert_array_equal(result.intrinsics, cameras)
    np.testing.assert_array_equal(result.view_rotation, cameras.astype(np.float32))


def test_an_unknown_camera_is_assumed_and_said_to_be(lifter: Lifter) -> None:
    result = lifter.lift_arrays(some_people(2), image_size=SIZE)
    assert result.intrinsics_source.startswith("assumed: ")
    assert "1920 x 1080" in result.intrinsics_source
    assert result.intrinsics[0, 0, 2] == pytest.approx(959.5)
    assert "unknown picture size" in lifter.lift_arrays(some_people(2)).intrinsics_source


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.uint16])
def test_arrays_of_any_numeric_type_are_taken(lifter: Lifter, dtype: type) -> None:
    people = np.round(some_people(3)).astype(dtype)
    result = lifter.lift_arrays(people, image_size=SIZE)
    np.testing.assert_array_equal(result.keypoints_px, people.astype(np.float32))
    assert result.means_m.dtype == np.float32


def test_a_single_pose_is_a_sequence_of_one(lifter: Lifter) -> None:
    person = some_people(1)
    confidence = np.full(17, 0.7)
    assert_same_rows(
        lifter.lift_arrays(person[0], confidence, image_size=SIZE),
        lifter.lift_arrays(person, confidence[None], image_size=SIZE),
    )


def test_nobody_at_all_is_an_empty_answer(lifter: Lifter) -> None:
    result = lifter.lift_arrays(np.zeros((0, 17, 2)))
    assert len(result) == 0
    assert result.means_m.shape == (0, 2, 17, 3)


def test_the_callers_arrays_are_left_alone(lifter: Lifter) -> None:
    people, confidence = some_people(2), np.full((2, 17), 2.0, np.float32)
    people[0, 0] = np.nan
    before = people.copy()
    result = lifter.lift_arrays(people, confidence, image_size=SIZE)
    np.testing.assert_array_equal(people, before)
    np.testing.assert_array_equal(confidence, 2.0)
    assert result.confidence.max() == 1.0


@pytest.mark.parametrize(
    ("keypoints", "options", "field", "says"),
    [
        pytest.param(np.zeros((4, 16, 2)), {}, "keypoints", r"\(4, 16, 2\); name the layout", id="sixteen_joints"),
        pytest.param(np.zeros((4, 17, 3)), {}, "keypoints", "third column", id="three_columns"),
        pytest.param(np.zeros(34), {}, "keypoints", r"\(34,\)", id="flat"),
        pytest.param([[1, 2], [3]], {}, "keypoints", "unequal", id="ragged"),
        pytest.param([["a", "b"]], {}, "keypoints", "numbers", id="text"),
        pytest.param(np.zeros((4, 17, 2), complex), {}, "keypoints", "complex", id="complex"),
        pytest.param(some_people(2), {"confidence": np.ones((2, 16))}, "confidence", r"\(2, 17\)", id="confidence"),
        pytest.param(some_people(2), {"confidence": np.ones(17)}, "confidence", r"\(2, 17\)", id="one_confidence"),
        pytest.param(some_people(2), {"skeleton": "coco"}, "skeleton", "coco17", id="skeleton"),
        pytest.param(some_people(2), {"intrinsics": np.eye(4)}, "intrinsics", r"\(3, 3\)", id="intrinsics"),
        pytest.param(some_people(2), {"intrinsics": np.ones((3, 3, 3))}, "intrinsics", "3, 3", id="too_many"),
        pytest.param(some_people(2), {"distortion": [0.1, 0, 0, 0]}, "intrinsics", "beside it", id="lens_alone"),
        pytest.param(some_people(2), {"image_size": (0, 5)}, "image_size", "above 0", id="image_size"),
        pytest.param(some_people(2), {"image_size": 5}, "image_size", "width, height", id="one_side"),
        pytest.param(some_people(2), {"min_confidence": 1.5}, "min_confidence", r"\[0, 1\]", id="min_confidence"),
        pytest.param(some_people(2) / 1000, {}, "keypoints", "multiply x by the picture", id="normalized"),
        pytest.param(some_people(2) - 500, {}, "keypoints", "add the picture's centre", id="centred"),
        pytest.param(some_people(2), {"confidence": np.full((2, 17), 87)}, "confidence", "by 100", id="percent"),
    ],
)
def test_wrong_arrays_give_one_clear_line(
    lifter: Lifter, keypoints: object, options: dict[str, object], field: str, says: str
) -> None:
    with pytest.raises(InputError, match=says) as caught:
        lifter.lift_arrays(keypoints, **options)
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "camera", [{"intrinsics": np.zeros((3, 3))}, {"intrinsics": INTRINSICS, "distortion": [0.1, 0.2]}]
)
def test_impossible_cameras_are_refused(lifter: Lifter, camera: dict[str, object]) -> None:
    with pytest.raises(GeometryError) as caught:
        lifter.lift_arrays(some_people(1), **camera)
    assert isinstance(caught.value, PoseMDNError)


def test_one_absurd_confidence_refuses_nothing(lifter: Lifter) -> None:
    confidence = np.full((2, 17), 0.9)
    confidence[0, :5] = [np.nan, np.inf, -np.inf, 99.0, -1.0]
    result = lifter.lift_arrays(some_people(2), confidence, image_size=SIZE)
    np.testing.assert_allclose(result.confidence[0, :5], [0, 1, 0, 1, 0])
    assert list(result.status) == ["lifted_joints_missing", "lifted"]


def test_centred_coordinates_are_fine_with_a_camera_to_match(lifter: Lifter) -> None:
    centred = np.array([[1100.0, 0, 0], [0, 1100, 0], [0, 0, 1]])
    assert lifter.lift_arrays(some_people(2) - 500, intrinsics=centred).lifted.all()


def test_normalized_coordinates_are_fine_with_a_camera_to_match(lifter: Lifter) -> None:
    result = lifter.lift_arrays(some_people(2) / 1000 - 0.5, intrinsics=np.eye(3))
    assert result.lifted.all()


def test_lifting_imports_no_torch(tiny_bundle: Path) -> None:
    code = f"""
import sys
import pose_mdn
quick = {{name for name in ("onnxruntime", "cv2", "torch") if name in sys.modules}}
assert not quick, quick
import numpy as np
lifter = pose_mdn.load_lifter({str(tiny_bundle)!r}, threads=1)
assert lifter.lift_arrays(np.random.default_rng(0).uniform(0, 500, (3, 17, 2))).lifted.all()
heavy = {{"torch", "onnx", "grpc", "pyarrow"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_rule_of_mapping_is_followed_and_recorded(lifter: Lifter) -> None:
    people = KeypointSequence(
        keypoints_px=some_people(4),
        confidence=np.ones((4, 17), np.float32),
        skeleton=COCO17,
        frame=np.arange(4),
        person=np.zeros(4, np.int64),
        intrinsics=INTRINSICS,
    )
    by_name = lifter.lift(people)
    as_mmpose = lifter.lift(replace(people, mapping="mmpose"))
    head, eyes = HUMAN36M17.index("head_top"), [COCO17.index("l_eye"), COCO17.index("r_eye")]
    assert (by_name.mapping, as_mmpose.mapping) == ("names", "mmpose")
    assert np.isnan(by_name.keypoints_px[:, head]).all()
    np.testing.assert_allclose(as_mmpose.keypoints_px[:, head], people.keypoints_px[:, eyes].mean(axis=1))
    with pytest.raises(InputError, match="mapping: expected one of names, mmpose, got 'gast'"):
        replace(people, mapping="gast")
