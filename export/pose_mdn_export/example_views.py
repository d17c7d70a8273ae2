"""Views of made-up people, for tracing and for comparing runtimes."""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.pinhole import camera_to_slopes, slopes_to_pixels
from pose_mdn.skeletons import HUMAN36M17

_STATURE_M = 1.7


def example_views(*, batch: int, seed: int) -> dict[str, NDArray[np.float32]]:
    """Inputs of the exported graph.

    Args:
        batch: B.
        seed: Seed of bodies, cameras and missing joints.

    Returns:
        `keypoints_px` (B, 17, 2) with NaN where missing, `confidence` (B, 17) and `intrinsics` (B, 3, 3), float32. At
        least six joints of everybody are visible.
    """
    rng = np.random.default_rng(seed)
    joints = HUMAN36M17.num_joints
    spread = 0.25 * _STATURE_M * np.array([0.7, 1.0, 0.5])
    bodies = rng.normal(size=(batch, joints, 3)) * spread
    root = np.stack([rng.uniform(-1, 1, batch), rng.uniform(-0.6, 0.6, batch), rng.uniform(3, 8, batch)], axis=-1)
    intrinsics = np.zeros((batch, 3, 3))
    intrinsics[:, 0, 0] = intrinsics[:, 1, 1] = rng.uniform(500, 2000, batch)
    intrinsics[:, 0, 2], intrinsics[:, 1, 2], intrinsics[:, 2, 2] = 960.0, 540.0, 1.0
    pixels = slopes_to_pixels(camera_to_slopes(bodies + root[:, None]), intrinsics)
    hidden = rng.random((batch, joints)).argsort(axis=1) < rng.integers(0, joints - 5, (batch, 1))
    confidence = np.where(hidden, 0.0, rng.uniform(0.2, 1.0, (batch, joints)))
    pixels[hidden] = np.nan
    return {
        "keypoints_px": pixels.astype(np.float32),
        "confidence": confidence.astype(np.float32),
        "intrinsics": intrinsics.astype(np.float32),
    }
