from dataclasses import replace

import numpy as np
import pytest

from pose_mdn.geometry.camera import Camera
from pose_mdn.refinement.observed import observe

MATRIX = np.array([[1100.0, 3.0, 640.0], [0.0, 1050.0, 360.0], [0.0, 0.0, 1.0]])
LENSES = [
    {},
    {"distortion": np.array([-0.12, 0.03, 1e-3, -8e-4, 0.01])},
    {"distortion": np.array([0.05, -0.01, 0.003, 0.0]), "lens_model": "fisheye"},
]


@pytest.mark.parametrize("lens", LENSES)
def test_slopes_and_noise_are_those_of_the_camera(lifted, lens) -> None:
    camera = Camera(intrinsics=MATRIX, **lens)
    hypotheses = lifted(rows=5, camera=camera)
    seen = observe(hypotheses, 0.01)
    joints = np.stack([*seen.slopes, np.ones_like(seen.slopes[0])], axis=-1)
    drawn = camera.project(joints)
    np.testing.assert_allclose(drawn, hypotheses.keypoints_px.swapaxes(0, 1), atol=1e-3)
    noise_px = 0.01 * np.linalg.norm(np.ptp(hypotheses.keypoints_px.astype(np.float64), axis=1), axis=-1)
    step = np.array([2e-6, -1e-6, 0.0])
    moved = camera.project(joints + step) - camera.project(joints - step)
    xx, xy, yy = seen.precision
    stated = 4 * (xx * step[0] ** 2 + 2 * xy * step[0] * step[1] + yy * step[1] ** 2)
    np.testing.assert_allclose(stated, np.square(moved).sum(axis=-1) / noise_px**2, rtol=1e-5)


def test_what_was_not_seen_says_nothing(lifted) -> None:
    hypotheses = lifted(rows=3)
    confidence, keypoints = hypotheses.confidence.copy(), hypotheses.keypoints_px.copy()
    confidence[0, 4], keypoints[1, 6] = 0.0, np.nan
    seen = observe(replace(hypotheses, confidence=confidence, keypoints_px=keypoints), 0.01)
    assert seen.confidence[4, 0] == seen.confidence[6, 1] == 0.0
    assert (seen.confidence > 0).sum() == 3 * 17 - 2
    assert np.isfinite(seen.slopes).all()
    assert np.isfinite(seen.precision).all()


def test_pixels_that_a_lens_cannot_draw_are_not_seen(lifted) -> None:
    camera = Camera(intrinsics=MATRIX, **LENSES[1])
    hypotheses = lifted(rows=2, camera=camera)
    keypoints = hypotheses.keypoints_px.copy()
    keypoints[0, 10] = 5e4
    seen = observe(replace(hypotheses, keypoints_px=keypoints), 0.01)
    assert seen.confidence[10, 0] == 0.0
    assert seen.confidence[:, 1].all()
