from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose_mdn.geometry.camera import Camera
from pose_mdn.reprojection.projection import Viewpoint, project_hypotheses

INTRINSICS = np.array([[1100.0, 0.0, 640.0], [0.0, 1090.0, 360.0], [0.0, 0.0, 1.0]])
LENS = np.array([-0.12, 0.03, 1e-3, -8e-4, 0.01, 0.02, -0.01, 0.004, 1e-3, -5e-4, 7e-4, 2e-4, 0.01, -0.02])
FISHEYE = np.array([-0.02, 0.01, -0.004, 1e-3])


@pytest.mark.parametrize("size", [0, 4, 5, 8, 12, 14])
def test_projections_are_those_of_opencv(seen, size):
    hypotheses = seen(camera=Camera(intrinsics=INTRINSICS, distortion=LENS[:size]))
    root = hypotheses.root_translation_m.astype(np.float64)
    points = project_hypotheses(hypotheses, Viewpoint.of_hypotheses(hypotheses), root).points_px
    joints = (hypotheses.means_m.astype(np.float64) + root[:, :, None]).reshape(-1, 3)
    expected, _ = cv2.projectPoints(joints, np.zeros(3), np.zeros(3), INTRINSICS, LENS[:size])
    np.testing.assert_allclose(points.reshape(-1, 2), expected[:, 0], rtol=0, atol=1e-6)


def test_projections_of_a_fisheye_are_those_of_opencv(seen):
    hypotheses = seen(camera=Camera(intrinsics=INTRINSICS, distortion=FISHEYE, lens_model="fisheye"))
    root = hypotheses.root_translation_m.astype(np.float64)
    points = project_hypotheses(hypotheses, Viewpoint.of_hypotheses(hypotheses), root).points_px
    joints = (hypotheses.means_m.astype(np.float64) + root[:, :, None]).reshape(-1, 1, 3)
    expected, _ = cv2.fisheye.projectPoints(joints, np.zeros(3), np.zeros(3), INTRINSICS, FISHEYE)
    np.testing.assert_allclose(points.reshape(-1, 2), expected[:, 0], rtol=0, atol=1e-6)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_another_camera_sees_what_its_extrinsics_say(seen, seed):
    rng = np.random.default_rng(seed)
    first, second = (
        Camera(
            intrinsics=INTRINSICS,
            distortion=LENS[:5],
            rotation=Rotation.from_euler("yxz", rng.normal(scale=0.15, size=3)).as_matrix(),
            translation=rng.normal(scale=0.3, size=3),
        )
        for _ in range(2)
    )
    hypotheses = seen(rows=4, camera=first, seed=seed % 97)
    root = hypotheses.root_translation_m.astype(np.float64)
    world = first.camera_to_world(hypotheses.means_m.astype(np.float64) + root[:, :, None])
    projection = project_hypotheses(hypotheses, Viewpoint.of_camera(second, 4, lifted_with=first), root)
    np.testing.assert_allclose(projection.points_px, second.project(world), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("lens_model", "distortion"), [("brown", LENS[:0]), ("brown", LENS[:5]), ("fisheye", FISHEYE)])
def test_covariances_are_those_of_projected_samples(seen, lens_model, distortion):
    camera = Camera(intrinsics=INTRINSICS, distortion=distortion, lens_model=lens_model)
    hypotheses = seen(rows=3, camera=camera)
    hypotheses = replace(hypotheses, std_m=0.2 * hypotheses.std_m)
    viewpoint = Viewpoint.of_hypotheses(hypotheses)
    root = hypotheses.root_translation_m.astype(np.float64)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(4000, *hypotheses.means_m.shape)) * hypotheses.std_m[..., [0, 0, 1]]
    joints = hypotheses.means_m + noise @ np.swapaxes(hypotheses.view_rotation, -1, -2)[:, None] + root[:, :, None]
    samples = camera.project(joints)
    measured = np.einsum("s...i,s...j->...ij", *(2 * [samples - samples.mean(axis=0)])) / len(samples)
    stated = project_hypotheses(hypotheses, viewpoint, root).covariance_px2
    stated = np.moveaxis(stated, -1, 0)
    for stated_entry, (i, j) in zip(stated, [(0, 0), (0, 1), (1, 1)], strict=True):
        scale = np.sqrt(measured[..., i, i] * measured[..., j, j])
        np.testing.assert_allclose((stated_entry - measured[..., i, j])[:, :, 1:] / scale[:, :, 1:], 0.0, atol=0.12)


def test_what_is_behind_the_camera_is_nowhere(seen):
    hypotheses = seen(rows=2)
    root = hypotheses.root_translation_m.astype(np.float64)
    root[0] *= [1, 1, -1]
    projection = project_hypotheses(hypotheses, Viewpoint.of_hypotheses(hypotheses), root)
    assert np.isnan(projection.points_px[0]).all()
    assert np.isfinite(projection.points_px[1]).all()
    assert (projection.depth_m[0] < 0).all()
