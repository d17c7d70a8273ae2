import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import GeometryError
from pose_mdn.geometry.camera import Camera
from pose_mdn.geometry.fisheye import distorted_radius, largest_angle, ray_angle
from pose_mdn.geometry.lens import is_ideal

LENSES = {
    "equidistant": [0.0, 0.0, 0.0, 0.0],
    "action_camera": [0.04, -0.01, 0.005, -0.001],
    "equisolid": [-1 / 24, 1 / 1920, -1 / 322560, 0.0],
    "folds_at_50_degrees": [-0.35, -0.05, 0.0, 0.0],
}
every_lens = pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES.keys())
seeds = st.integers(0, 2**32 - 1)


def some_camera(lens: list[float], seed: int = 0, *, skew: float = 0.0) -> Camera:
    rng = np.random.default_rng(seed)
    return Camera(
        intrinsics=np.array([[610.0, skew, 958.0], [0, 605.0, 541.0], [0, 0, 1]]),
        distortion=np.array(lens),
        rotation=cv2.Rodrigues(rng.normal(0, 1, 3))[0],
        translation=rng.normal(0, 1, 3),
        lens_model="fisheye",
    )


def points_before(camera: Camera, seed: int, widest_rad: float = 1.5, count: int = 40) -> np.ndarray:
    """World points (count, 3) before the camera, up to an angle from its axis, within what its lens can draw."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, min(widest_rad, 0.98 * largest_angle(camera.distortion)), count)
    turn = rng.uniform(0, 2 * np.pi, count)
    rays = np.stack([np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.cos(angle)], axis=-1)
    return camera.camera_to_world(rays * rng.uniform(0.3, 12, (count, 1)))


@given(seed=seeds, skew=st.floats(-5, 5), lens=st.lists(st.floats(-0.2, 0.2), min_size=4, max_size=4))
@settings(max_examples=60, deadline=None)
def test_projection_equals_opencv(seed: int, skew: float, lens: list[float]) -> None:
    camera = some_camera(lens, seed, skew=skew)
    rng = np.random.default_rng(seed)
    slopes = rng.uniform(-8, 8, (40, 2))
    points = camera.camera_to_world(np.column_stack([slopes, np.ones(40)]) * rng.uniform(0.3, 12, (40, 1)))
    expected, _ = cv2.fisheye.projectPoints(
        points[:, None],
        cv2.Rodrigues(camera.rotation)[0],
        camera.translation,
        camera.intrinsics,
        camera.distortion,
        alpha=skew / 610.0,
    )
    np.testing.assert_allclose(camera.project(points), expected[:, 0], rtol=0, atol=1e-6)


@every_lens
def test_undistorted_pixels_equal_opencv(lens: list[float]) -> None:
    camera = some_camera(lens)
    pixels = camera.project(points_before(camera, 1, widest_rad=1.0))
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-14)
    expected = cv2.fisheye.undistortPoints(
        pixels[:, None], camera.intrinsics, camera.distortion, P=camera.intrinsics, criteria=criteria
    )
    np.testing.assert_allclose(camera.undistort_points(pixels), expected[:, 0], rtol=0, atol=1e-6)


@every_lens
@given(seed=seeds, skew=st.floats(-5, 5))
@settings(max_examples=25, deadline=None)
def test_unprojecting_a_projected_point_gives_it_back(lens: list[float], seed: int, skew: float) -> None:
    camera = some_camera(lens, seed, skew=skew)
    points = points_before(camera, seed)
    depth = camera.world_to_camera(points)[:, 2]
    np.testing.assert_allclose(camera.unproject(camera.project(points), depth), points, rtol=0, atol=1e-8)


@every_lens
@given(seed=seeds)
@settings(max_examples=25, deadline=None)
def test_undistorted_pixels_are_those_of_the_ideal_lens(lens: list[float], seed: int) -> None:
    camera = some_camera(lens, seed)
    ideal = Camera(intrinsics=camera.intrinsics, rotation=camera.rotation, translation=camera.translation)
    points = points_before(camera, seed, widest_rad=1.3)
    np.testing.assert_allclose(
        camera.undistort_points(camera.project(points)), ideal.project(points), rtol=0, atol=1e-6
    )


@given(
    lens=st.lists(st.floats(-0.3, 0.3), min_size=4, max_size=4),
    radius=st.floats(0, 20),
)
@settings(max_examples=200, deadline=None)
def test_every_radius_has_the_angle_that_draws_it_or_none(lens: list[float], radius: float) -> None:
    coefficients = np.array(lens)
    limit = largest_angle(coefficients)
    (angle,) = ray_angle(np.array([radius]), coefficients)
    if radius > distorted_radius(np.array(limit), coefficients):
        assert np.isnan(angle)
        return
    assert 0 <= angle <= limit
    np.testing.assert_allclose(distorted_radius(angle, coefficients), radius, rtol=1e-12, atol=1e-12)
    below = distorted_radius(np.linspace(0, limit, 1000), coefficients)
    assert (np.diff(below) > -1e-12).all()


@pytest.mark.parametrize("huge", [1e308, -1e308, 5e-324])
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_absurd_coefficients_do_no_harm(huge: float) -> None:
    camera = Camera(intrinsics=np.diag([300.0, 300, 1]), distortion=np.full(4, huge), lens_model="fisheye")
    assert camera.undistort_points([[0.0, 0], [10, 10]]).shape == (2, 2)


def test_what_lies_beyond_90_degrees_has_no_pixels_and_no_slopes() -> None:
    camera = Camera(intrinsics=np.diag([300.0, 300, 1]), distortion=np.zeros(4), lens_model="fisheye")
    seen = camera.project([[1.0, 0, 1e-9], [1, 0, 0], [1, 0, -0.1], [0, 0, -1]])
    np.testing.assert_allclose(seen[0], [300 * np.pi / 2, 0], atol=1e-6)
    assert np.isnan(seen[1:]).all()
    # The lens draws a ray of 100 degrees at 524 px; an ideal lens has no place for it.
    ideal = camera.undistort_points([[470.0, 0], [472.0, 0], [300 * np.deg2rad(100), 0]])
    assert np.isfinite(ideal[0]).all()
    assert np.isnan(ideal[1:]).all()


def test_the_axis_is_its_own_image() -> None:
    camera = some_camera(LENSES["action_camera"])
    np.testing.assert_allclose(camera.undistort_points([[958.0, 541.0]]), [[958.0, 541.0]], atol=1e-9)
    np.testing.assert_allclose(camera.project(camera.camera_to_world([0, 0, 2.0])), [958, 541], atol=1e-9)


def test_zero_coefficients_are_still_a_fisheye() -> None:
    assert is_ideal(np.zeros(4))
    assert not is_ideal(np.zeros(4), "fisheye")
    camera = Camera(intrinsics=np.diag([300.0, 300, 1]), distortion=np.zeros(4), lens_model="fisheye")
    np.testing.assert_allclose(camera.project([[1.0, 0, 1]]), [[300 * np.pi / 4, 0]])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"distortion": np.zeros(5), "lens_model": "fisheye"}, "4 coefficients k1 k2 k3 k4.*got 5"),
        ({"lens_model": "fisheye"}, "got 0"),
        ({"distortion": np.array([np.nan, 0, 0, 0]), "lens_model": "fisheye"}, "finite"),
        ({"lens_model": "fish"}, "brown, fisheye, got 'fish'"),
    ],
)
def test_impossible_lenses_are_refused(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(GeometryError, match=says):
        Camera(intrinsics=np.diag([1000.0, 1000, 1]), **wrong)
