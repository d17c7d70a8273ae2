"""The value objects that travel between layers."""

import dataclasses

import numpy as np
import pytest

from pose_mdn.errors import InputError
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.poses.status import Status
from pose_mdn.skeletons import COCO17, HUMAN36M17


@pytest.fixture
def keypoints() -> KeypointSequence:
    return KeypointSequence(
        keypoints_px=np.zeros((4, 17, 2), np.float32),
        confidence=np.ones((4, 17), np.float32),
        skeleton=COCO17,
        frame=np.arange(4),
        person=np.zeros(4, np.int64),
    )


@pytest.fixture
def hypotheses() -> HypothesisSequence:
    rows, components = 3, 2
    mixing = np.array([[0.2, 0.8], [0.6, 0.4], [np.nan, np.nan]], np.float32)
    return HypothesisSequence(
        means_m=np.zeros((rows, components, 17, 3), np.float32),
        std_m=np.zeros((rows, components, 17, 2), np.float32),
        view_rotation=np.zeros((rows, 3, 3), np.float32),
        mixing_coefficients=mixing,
        root_translation_m=np.zeros((rows, components, 3), np.float32),
        reprojection_error_px=np.zeros((rows, components), np.float32),
        status=np.array([Status.LIFTED, Status.LIFTED_JOINTS_MISSING, Status.NO_PERSON]),
        keypoints_px=np.zeros((rows, 17, 2), np.float32),
        confidence=np.zeros((rows, 17), np.float32),
        frame=np.arange(rows),
        person=np.arange(rows),
        intrinsics=np.zeros((rows, 3, 3)),
        intrinsics_source="given",
        distortion=np.empty(0),
        image_size=None,
        fps=None,
        source_skeleton="coco17",
        model="mdn_lifter/1",
    )


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("keypoints_px", np.zeros((4, 16, 2), np.float32)),
        ("confidence", np.zeros((3, 17), np.float32)),
        ("frame", np.arange(5)),
        ("person", np.zeros((4, 1), np.int64)),
        ("intrinsics", np.zeros((2, 3, 3))),
    ],
)
def test_arrays_that_do_not_fit_name_their_field(keypoints, field, wrong) -> None:
    with pytest.raises(InputError, match="expected shape") as caught:
        dataclasses.replace(keypoints, **{field: wrong})
    assert caught.value.field == field.removesuffix("_px")


@pytest.mark.parametrize("shape", [(3, 3), (4, 3, 3)])
def test_one_camera_or_one_per_row(keypoints, shape) -> None:
    assert len(dataclasses.replace(keypoints, intrinsics=np.ones(shape))) == 4


def test_sizes_and_most_probable_component(hypotheses) -> None:
    assert len(hypotheses) == 3
    assert hypotheses.num_hypotheses == 2
    assert hypotheses.most_probable.tolist() == [1, 0, 0]


def test_lifted_rows_are_those_whose_status_says_so(hypotheses) -> None:
    assert hypotheses.lifted.tolist() == [True, True, False]
    for status in Status:
        row = dataclasses.replace(hypotheses, status=np.array([str(status)] * 3))
        assert row.lifted.all() == status.is_lifted


@pytest.mark.parametrize("matrices", ["none", "shared", "each"])
def test_rows_of_keypoints_keep_their_camera(matrices):
    each = np.arange(4.0)[:, None, None] * np.eye(3)
    given = {"none": None, "shared": np.eye(3), "each": each}[matrices]
    points = np.arange(4 * 34, dtype=np.float32).reshape(4, 17, 2)
    sequence = KeypointSequence(
        keypoints_px=points,
        confidence=np.ones((4, 17), np.float32),
        skeleton=HUMAN36M17,
        frame=np.arange(4),
        person=np.array([0, 1, 0, 1]),
        intrinsics=given,
    )
    for rows in (slice(1, 3), np.array([1, 2]), np.array([False, True, True, False])):
        taken = sequence.take(rows)
        np.testing.assert_array_equal(taken.keypoints_px, points[1:3])
        assert taken.frame.tolist() == [1, 2]
        assert taken.person.tolist() == [1, 0]
        expected = {"none": None, "shared": np.eye(3), "each": each[1:3]}[matrices]
        np.testing.assert_array_equal(taken.intrinsics, expected)
