from dataclasses import replace

import numpy as np
import pytest

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.skeletons.human36m import HUMAN36M17
from pose_mdn.visualization.ground import find_ground

ANKLES = [HUMAN36M17.index("l_ankle"), HUMAN36M17.index("r_ankle")]


def _pitch(sequence: HypothesisSequence, angle: float) -> HypothesisSequence:
    """The same people seen by a camera that looks down by `angle` radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    rotation = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]], dtype=np.float32)
    return replace(sequence, means_m=sequence.means_m @ rotation.T)


def test_scene_axes_are_a_rotation_with_the_person_upright(walking: HypothesisSequence) -> None:
    ground = find_ground(walking)
    np.testing.assert_allclose(ground.scene_rotation @ ground.scene_rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(ground.scene_rotation) == pytest.approx(1)
    assert ground.is_estimated
    head = walking.means_m[0, 0, HUMAN36M17.index("head_top")]
    assert (ground.scene_rotation @ head)[1] > 0.5


@pytest.mark.parametrize("degrees", [-25, 10, 25])
def test_the_floor_stays_level_when_the_camera_is_tilted(walking: HypothesisSequence, degrees: float) -> None:
    level, tilted = find_ground(walking), find_ground(_pitch(walking, np.radians(degrees)))
    np.testing.assert_allclose(tilted.floor_m, level.floor_m, atol=0.02)


def test_people_who_lie_are_not_taken_for_upright(walking: HypothesisSequence) -> None:
    ground = find_ground(_pitch(walking, np.radians(80)))
    assert not ground.is_estimated
    np.testing.assert_allclose(ground.scene_rotation, np.diag([1.0, -1.0, -1.0]), atol=1e-12)


def test_the_floor_is_near_the_lower_foot(walking: HypothesisSequence) -> None:
    ground = find_ground(walking)
    rows = np.flatnonzero(walking.lifted)
    feet = walking.means_m[rows, walking.most_probable[rows]][:, ANKLES] @ ground.scene_rotation[1]
    np.testing.assert_allclose(ground.floor_m[rows], feet.min(axis=1), atol=0.08)
    assert np.isnan(ground.floor_m[~walking.lifted]).all()
