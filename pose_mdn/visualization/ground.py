"""Where to draw the floor: an upright direction for a recording, and the height of the feet in each row.

A lifted pose is known in the camera's axes alone; nothing says where gravity points. For display only, the direction in
which people stand is taken as up when they stand the same way throughout, and the camera's own up otherwise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.skeletons.human36m import HUMAN36M17

_CAMERA_UP = np.array([0.0, -1.0, 0.0])
_LARGEST_CAMERA_TILT_RAD = np.radians(40.0)
_UPRIGHT_AGREEMENT = 0.97
"""Length of the mean unit vector from the feet to the head: 1 if the body never leans, about 0.9 for gymnastics."""
_FLOOR_WINDOW_ROWS = 9


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A floor to draw under the poses.

    Attributes:
        scene_rotation: (3, 3) rotation from the camera frame to the scene: x right, y up, z towards the camera.
        floor_m: (N,) height of the floor relative to the pelvis in scene axes, negative; NaN for rows not lifted.
        is_estimated: Whether "up" was taken from standing people rather than from the camera.
    """

    scene_rotation: NDArray[np.float64]
    floor_m: NDArray[np.float32]
    is_estimated: bool


def find_ground(hypotheses: HypothesisSequence) -> Ground:
    """Choose an upright direction and floor heights from the most probable hypotheses.

    Args:
        hypotheses: N rows, in any order.
    """
    rows = np.arange(len(hypotheses))
    poses = hypotheses.means_m[rows, hypotheses.most_probable].astype(np.float64)
    up, is_estimated = _upright_direction(poses[hypotheses.lifted])
    rotation = _scene_rotation(up)
    ankles = [HUMAN36M17.index("l_ankle"), HUMAN36M17.index("r_ankle")]
    feet = (poses[:, ankles] @ rotation[1]).min(axis=1)
    return Ground(
        scene_rotation=rotation,
        floor_m=_steady(feet, hypotheses.person, hypotheses.frame).astype(np.float32),
        is_estimated=is_estimated,
    )


def _upright_direction(poses: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Mean direction from the feet to the head in (K, 17, 3) poses, if it is steady and near the camera's up."""
    if len(poses) == 0:
        return _CAMERA_UP, False
    ankles = [HUMAN36M17.index("l_ankle"), HUMAN36M17.index("r_ankle")]
    body = poses[:, HUMAN36M17.index("head_top")] - poses[:, ankles].mean(axis=1)
    mean = (body / np.linalg.norm(body, axis=1, keepdims=True).clip(1e-9)).mean(axis=0)
    agreement = float(np.linalg.norm(mean))
    tilt = np.arccos(np.clip(mean @ _CAMERA_UP / max(agreement, 1e-9), -1.0, 1.0))
    if agreement < _UPRIGHT_AGREEMENT or tilt > _LARGEST_CAMERA_TILT_RAD:
        return _CAMERA_UP, False
    return mean / agreement, True


def _scene_rotation(up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows are the scene's axes in the camera frame; the camera looks along the scene's -z."""
    backward = np.array([0.0, 0.0, -1.0])
    backward = backward - (backward @ up) * up
    backward /= np.linalg.norm(backward)
    return np.stack([np.cross(up, backward), up, backward])


def _steady(feet: NDArray[np.float64], person: NDArray[np.int64], frame: NDArray[np.int64]) -> NDArray[np.float64]:
    """Running median per person in frame order, so that one noisy foot does not shake the floor."""
    steady = np.full(feet.shape, np.nan)
    half = _FLOOR_WINDOW_ROWS // 2
    for identity in np.unique(person):
        rows = np.flatnonzero((person == identity) & np.isfinite(feet))
        rows = rows[np.argsort(frame[rows], kind="stable")]
        if len(rows) >= _FLOOR_WINDOW_ROWS:
            windows = np.lib.stride_tricks.sliding_window_view(feet[rows], _FLOOR_WINDOW_ROWS)
            steady[rows[half : len(rows) - half]] = np.median(windows, axis=1)
        # Near the ends windows are cut short.
        for i in {*range(min(half, len(rows))), *range(max(0, len(rows) - half), len(rows))}:
            steady[rows[i]] = np.median(feet[rows[max(0, i - half) : i + half + 1]])
    return steady
