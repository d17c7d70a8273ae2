import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose_mdn.errors import InputError
from pose_mdn.geometry.camera import Camera
from pose_mdn.geometry.ground_plane import GroundPlane

angles = st.floats(-1.2, 1.2)
heights = st.floats(0.1, 20)


@given(height=heights, tilt=angles, roll=angles)
def test_height_and_tilt_are_those_of_a_camera_in_a_world(height: float, tilt: float, roll: float) -> None:
    """The same camera, put into a world with z up by turning a level one about its own axes."""
    level = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    # A camera that nods by a tilt sees the world turned about x by as much; rolled, it sees it turned back.
    turned = Rotation.from_euler("z", -roll).as_matrix() @ Rotation.from_euler("x", tilt).as_matrix() @ level
    camera = Camera(
        intrinsics=np.diag([1000.0, 1000.0, 1.0]), rotation=turned, translation=-turned @ [0.3, -2.0, height]
    )
    told, seen = GroundPlane.of_height_and_tilt(height, tilt, roll), GroundPlane.of_camera(camera)
    np.testing.assert_allclose(told.up, seen.up, atol=1e-9)
    assert told.camera_height_m == pytest.approx(seen.camera_height_m)
    assert seen.up[2] == pytest.approx(-math.sin(tilt))
    foot = camera.world_to_camera([1.0, 3.0, 0.0])
    assert seen.up @ foot + seen.camera_height_m == pytest.approx(0, abs=1e-9)


@given(length=st.floats(0.01, 100), sign=st.sampled_from([-1, 1]), height=heights, tilt=angles)
def test_a_plane_may_have_any_length_and_sign(length: float, sign: int, height: float, tilt: float) -> None:
    ground = GroundPlane.of_height_and_tilt(height, tilt)
    plane = GroundPlane.of_plane(sign * length * ground.up, sign * length * height)
    np.testing.assert_allclose(plane.up, ground.up, atol=1e-12)
    assert plane.camera_height_m == pytest.approx(height)


def test_a_world_may_have_any_axis_upwards() -> None:
    down = Camera(intrinsics=np.eye(3), rotation=np.eye(3), translation=np.array([0.0, 1.5, 0.0]))
    ground = GroundPlane.of_camera(down, "-y")
    np.testing.assert_array_equal(ground.up, [0, -1, 0])
    assert ground.camera_height_m == 1.5
    with pytest.raises(InputError, match="is the axis that points up the right one"):
        GroundPlane.of_camera(down, "y")
    with pytest.raises(InputError, match="got 'up'"):
        GroundPlane.of_camera(down, "up")


@pytest.mark.parametrize(
    ("normal", "offset"), [((0, 0, 0), 1), ((0, 1), 1), ((0, math.nan, 0), 1), ((0, 1, 0), math.inf), ((0, 1, 0), 0)]
)
def test_what_is_no_ground_is_refused(normal: tuple[float, ...], offset: float) -> None:
    with pytest.raises(InputError, match="ground plane: expected"):
        GroundPlane.of_plane(normal, offset)


def test_a_tilt_is_at_most_a_right_angle() -> None:
    with pytest.raises(InputError, match="within 90 degrees"):
        GroundPlane.of_height_and_tilt(1.5, math.radians(100))
