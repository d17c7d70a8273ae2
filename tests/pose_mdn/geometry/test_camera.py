import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import GeometryError
from pose_mdn.geometry.camera import Camera, validate_intrinsics

LENSES = {
    "ideal": [],
    "phone": [0.05, -0.12, 0.001, -0.002, 0.03],
    "action_camera": [-0.28, 0.09, 0.0005, -0.0003, -0.012],
    "rational": [0.4, 0.1, 0.0008, -0.001, 0.01, 0.6, 0.2, 0.02],
    "thin_prism_tilted": [-0.1, 0.02, 0.001, -0.001, 0.0, 0.0, 0.0, 0.0, 1e-3, -1e-3, 5e-4, 2e-4, 0.02, -0.01],
}


def some_camera(distortion: list[float], seed: int = 0, *, skew: float = 0.0) -> Camera:
    rng = np.random.default_rng(seed)
    return Camera(
        intrinsics=np.array([[1100.0, skew, 958.0], [0, 1090.0, 541.0], [0, 0, 1]]),
        distortion=np.array(distortion),
        rotation=cv2.Rodrigues(rng.normal(0, 1, 3))[0],
        translation=rng.normal(0, 1, 3),
        image_size=(1920, 1080),
    )


def points_in_view(camera: Camera, seed: int, count: int = 40) -> np.ndarray:
    """World points (count, 3) that are seen within the picture, up to its corners."""
    rng = np.random.default_rng(seed)
    depth = rng.uniform(0.3, 12, count)
    slopes = np.stack([rng.uniform(-0.85, 0.85, count), rng.uniform(-0.48, 0.48, count)], axis=-1)
    return camera.camera_to_world(np.column_stack([slopes * depth[:, None], depth]))


every_lens = pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES.keys())
seeds = st.integers(0, 2**32 - 1)


@every_lens
def test_projection_equals_opencv(lens: list[float]) -> None:
    camera = some_camera(lens)
    points = points_in_view(camera, 1)
    expected, _ = cv2.projectPoints(
        points, cv2.Rodrigues(camera.rotation)[0], camera.translation, camera.intrinsics, np.array(lens)
    )
    np.testing.assert_allclose(camera.project(points), expected[:, 0], rtol=0, atol=1e-6)


@given(seed=seeds, count=st.sampled_from([0, 4, 5, 8, 12, 14]))
@settings(max_examples=60, deadline=None)
def test_projection_equals_opencv_for_any_number_of_coefficients(seed: int, count: int) -> None:
    lens = np.random.default_rng(seed).uniform(-0.1, 0.1, count)
    camera = some_camera(lens.tolist(), seed)
    points = points_in_view(camera, seed)
    expected, _ = cv2.projectPoints(
        points, cv2.Rodrigues(camera.rotation)[0], camera.translation, camera.intrinsics, lens if count else None
    )
    np.testing.assert_allclose(camera.project(points), expected[:, 0], rtol=0, atol=1e-6)


@every_lens
@given(seed=seeds, skew=st.floats(-5, 5))
@settings(max_examples=25, deadline=None)
def test_unprojecting_a_projected_point_gives_it_back(lens: list[float], seed: int, skew: float) -> None:
    camera = some_camera(lens, seed, skew=skew)
    points = points_in_view(camera, seed)
    depth = camera.world_to_camera(points)[:, 2]
    np.testing.assert_allclose(camera.unproject(camera.project(points), depth), points, rtol=0, atol=1e-8)


@every_lens
@given(seed=seeds)
@settings(max_examples=25, deadline=None)
def test_undistorted_pixels_are_those_of_the_ideal_lens(lens: list[float], seed: int) -> None:
    camera = some_camera(lens, seed)
    ideal = Camera(intrinsics=camera.intrinsics, rotation=camera.rotation, translation=camera.translation)
    points = points_in_view(camera, seed)
    np.testing.assert_allclose(
        camera.undistort_points(camera.project(points)), ideal.project(points), rtol=0, atol=1e-6
    )


@every_lens
@given(seed=seeds, ray_parameter=st.floats(-3, 3))
@settings(max_examples=25, deadline=None)
def test_every_point_of_a_ray_is_seen_at_its_pixel(lens: list[float], seed: int, ray_parameter: float) -> None:
    camera = some_camera(lens, seed)
    pixels = camera.project(points_in_view(camera, seed))
    on_ray = camera.back_project(pixels, ray_parameter)
    depth = camera.world_to_camera(on_ray)[:, 2]
    # Near the optical centre and near infinity the ray is right but its digits are not.
    told = (depth > 1e-3) & (depth < 1e4)
    np.testing.assert_allclose(camera.project(on_ray)[told], pixels[told], rtol=0, atol=1e-4)


def test_some_ray_parameters_lie_in_front_of_the_camera() -> None:
    camera = some_camera(LENSES["phone"])
    pixels = camera.project(points_in_view(camera, 3))
    depths = [camera.world_to_camera(camera.back_project(pixels, value))[:, 2] for value in np.linspace(-3, 3, 13)]
    assert (np.nanmax(depths, axis=0) > 0.01).all()


def test_a_ray_starts_at_the_optical_center_where_the_projection_matrix_vanishes() -> None:
    camera = some_camera([])
    np.testing.assert_allclose(camera.back_project([[10.0, 20.0]], 0.0)[0], camera.optical_center, atol=1e-12)
    np.testing.assert_allclose(camera.projection_matrix @ np.append(camera.optical_center, 1), 0, atol=1e-9)


@every_lens
def test_ray_directions_point_at_what_is_seen(lens: list[float]) -> None:
    camera = some_camera(lens)
    points = points_in_view(camera, 5)
    towards = points - camera.optical_center
    towards /= np.linalg.norm(towards, axis=-1, keepdims=True)
    np.testing.assert_allclose(camera.ray_directions(camera.project(points)), towards, atol=1e-9)


def test_projection_matrix_agrees_with_project() -> None:
    camera = some_camera([], skew=3.0)
    points = points_in_view(camera, 6)
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ camera.projection_matrix.T
    np.testing.assert_allclose(homogeneous[:, :2] / homogeneous[:, 2:], camera.project(points), atol=1e-7)


def test_world_and_camera_frames_are_inverse_for_any_leading_axes() -> None:
    camera = some_camera([])
    points = np.random.default_rng(0).normal(size=(2, 5, 17, 3))
    np.testing.assert_allclose(camera.camera_to_world(camera.world_to_camera(points)), points, atol=1e-12)
    assert camera.project(points).shape == (2, 5, 17, 2)


def test_points_behind_the_camera_are_not_seen() -> None:
    camera = Camera(intrinsics=np.diag([1000.0, 1000, 1]))
    seen = camera.project([[0, 0, -1.0], [0, 0, 0], [0, 0, 1]])
    assert np.isnan(seen[:2]).all()
    np.testing.assert_array_equal(seen[2], [0, 0])


@given(radius=st.floats(0, 1e4), angle=st.floats(0, 6.3))
@settings(deadline=None)
def test_pixels_beyond_the_fold_of_the_lens_have_no_ideal_pixel(radius: float, angle: float) -> None:
    # With k1 = -0.3 the distorted radius r (1 - 0.3 r²) is never more than 0.7027 before the picture folds over.
    camera = Camera(intrinsics=np.diag([1000.0, 1000, 1]), distortion=np.array([-0.3, 0, 0, 0]))
    ideal = camera.undistort_points([radius * np.cos(angle), radius * np.sin(angle)])
    assert np.isfinite(ideal).all() == (radius < 702.7) or 702.6 < radius < 702.8
    if np.isfinite(ideal).all():
        assert radius - 1e-6 <= np.linalg.norm(ideal) <= 1055


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        pytest.param([[0, 0, 1], [0, 1, 1], [0, 0, 1]], "positive focal", id="zero_focal_length"),
        pytest.param([[-5, 0, 1], [0, 5, 1], [0, 0, 1]], "positive focal", id="negative_focal_length"),
        pytest.param([[5, 0, np.nan], [0, 5, 1], [0, 0, 1]], "finite", id="nan"),
        pytest.param([[5, 0, 0], [0, 5, 0], [1, 1, 1]], "transposed", id="transposed"),
        pytest.param([[5, 0], [0, 5]], "3 x 3", id="two_by_two"),
        pytest.param([["a", 0, 0], [0, 5, 0], [0, 0, 1]], "numbers", id="text"),
    ],
)
def test_impossible_intrinsics_are_refused(matrix: list[list[float]], says: str) -> None:
    with pytest.raises(GeometryError, match=says):
        validate_intrinsics(matrix)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"distortion": np.zeros(3)}, "4, 5, 8, 12 or 14"),
        ({"distortion": np.array([np.inf, 0, 0, 0])}, "finite"),
        ({"rotation": np.diag([1.0, 1, -1])}, "orthogonal"),
        ({"rotation": np.full((3, 3), np.nan)}, "orthogonal"),
        ({"rotation": np.zeros(3)}, "3 x 3"),
        ({"translation": np.zeros(2)}, "3 finite"),
    ],
)
def test_impossible_cameras_are_refused(wrong: dict[str, np.ndarray], says: str) -> None:
    with pytest.raises(GeometryError, match=says):
        Camera(intrinsics=np.diag([1000.0, 1000, 1]), **wrong)
