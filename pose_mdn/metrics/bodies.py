"""Whether answers are bodies: left like right, and the same size from frame to frame."""

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from pose_mdn.array_types import Array
from pose_mdn.geometry.kinematics import bone_directions_and_lengths
from pose_mdn.skeletons import HUMAN36M17

_MM = 1000.0


def mpsse_mm(pose_m: Array) -> Array:
    """(...) mean segment symmetry error of (..., 17, 3) poses: |left - right| over six mirrored bones.

    Rommel et al., "ManiPose", NeurIPS 2024.
    """
    return array_namespace(pose_m).mean(_asymmetries_mm(pose_m), axis=-1)


def worst_asymmetry_mm(pose_m: Array) -> Array:
    """(...) largest |left - right| over the six mirrored bones of (..., 17, 3) poses."""
    return array_namespace(pose_m).max(_asymmetries_mm(pose_m), axis=-1)


def _asymmetries_mm(pose_m: Array) -> Array:
    _, lengths = bone_directions_and_lengths(pose_m, HUMAN36M17)
    bone_to = {child: bone for bone, (_, child) in enumerate(HUMAN36M17.bones)}
    left, right = ([bone_to[joint] for joint in side] for side in (HUMAN36M17.left, HUMAN36M17.right))
    return _MM * array_namespace(pose_m).abs(lengths[..., left] - lengths[..., right])


def mpsce_mm(pose_m: Array) -> Array:
    """(...) mean segment consistency error of (..., T, 17, 3) clips: the mean over bones of the std over time.

    Rommel et al., "ManiPose", NeurIPS 2024. 0 for bodies whose bones keep their lengths.
    """
    xp = array_namespace(pose_m)
    _, lengths = bone_directions_and_lengths(pose_m, HUMAN36M17)
    return _MM * xp.mean(xp.std(lengths, axis=-2), axis=-1)


def consecutive_runs(frame: NDArray[np.int64], person: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows that follow one another in time.

    Args:
        frame: (N,) frame numbers.
        person: (N,) identities.

    Returns:
        Indices of each run of at least two consecutive frames of one person, in the order of time.
    """
    order = np.lexsort((frame, person))
    breaks = np.flatnonzero((np.diff(person[order]) != 0) | (np.diff(frame[order]) != 1)) + 1
    return [run for run in np.split(order, breaks) if len(run) > 1]
