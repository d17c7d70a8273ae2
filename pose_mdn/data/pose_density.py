"""How much each pose of a data set should count, so that what people do often does not drown what they do rarely.

Motion data is mostly walking and standing. Drawn by frame, a split trains and measures little else; drawn with these
weights, every distinct pose has the same chance.
"""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.kinematics import bone_directions_and_lengths
from pose_mdn.skeletons import HUMAN36M17

_CHUNK = 2048
_SEED = 0


def distinct_pose_weights(pose_m: NDArray[np.floating], radius_m: float = 0.08) -> NDArray[np.float64]:
    """Weights under which every distinct pose has the same total mass, however often it was recorded.

    Poses are compared root-relative, turned so that the hips point the same way, and scaled to the mean body of the
    data. Clusters are found by a greedy cover: every pose lies within `radius_m` (root mean square over joints) of its
    cluster's centre, and centres lie further apart than that.

    Args:
        pose_m: (N, 17, 3) poses, metres, Y up, absolute or root-relative.
        radius_m: How different two poses must be to count as two.

    Returns:
        (N,) weights that sum to 1; each cluster's share is spread evenly over its members.

    Raises:
        InputError: There are no poses, one is not finite, or the radius is not positive.
    """
    members = distinct_poses(pose_m, radius_m)
    counts = np.bincount(members)
    weights: NDArray[np.float64] = 1.0 / (len(counts) * counts[members])
    return weights


def distinct_poses(pose_m: NDArray[np.floating], radius_m: float = 0.08) -> NDArray[np.int64]:
    """(N,) cluster of each pose, numbered 0, 1, ... without gaps; arguments and errors of `distinct_pose_weights`."""
    if radius_m <= 0:
        raise InputError(f"radius_m: expected a radius above 0, got {radius_m}", field="radius_m")
    if len(pose_m) == 0 or not np.isfinite(pose_m).all():
        raise InputError(f"pose: expected at least one pose, all finite, got shape {pose_m.shape}", field="pose")
    points = _normal_form(pose_m)
    order = np.random.default_rng(_SEED).permutation(len(points))
    centres = points[order[_cover(points[order], radius_m * radius_m)]]
    nearest = np.concatenate(
        [_square_distances(points[start : start + _CHUNK], centres).argmin(axis=1) for start in _starts(points)]
    )
    # A centre whose every pose, itself included by rounding, is nearer to another one would be an empty cluster.
    return np.unique(nearest, return_inverse=True)[1]


def _normal_form(pose_m: NDArray[np.floating]) -> NDArray[np.float32]:
    """(N, 51) points whose Euclidean distance is the root mean square distance of joints, in metres."""
    pose = pose_m.astype(np.float32)
    pose = pose - pose[:, :1]
    hips = pose[:, HUMAN36M17.index("l_hip")] - pose[:, HUMAN36M17.index("r_hip")]
    yaw = np.arctan2(hips[:, 2], hips[:, 0])[:, None]
    x = np.cos(yaw) * pose[..., 0] + np.sin(yaw) * pose[..., 2]
    z = np.cos(yaw) * pose[..., 2] - np.sin(yaw) * pose[..., 0]
    _, lengths = bone_directions_and_lengths(pose, HUMAN36M17)
    size = np.maximum(lengths.sum(axis=1), 1e-6)
    scale = (size.mean() / size)[:, None, None]
    turned = scale * np.stack([x, pose[..., 1], z], axis=-1)
    return np.asarray(turned.reshape(len(pose), -1) / np.sqrt(HUMAN36M17.num_joints), np.float32)


def _cover(points: NDArray[np.float32], square_radius: float) -> NDArray[np.int64]:
    """Indices of centres such that every point is within the radius of one: first come, first served."""
    centres: list[int] = []
    for start in _starts(points):
        chunk = points[start : start + _CHUNK]
        left = np.arange(start, start + len(chunk))
        if centres:
            left = left[_square_distances(chunk, points[centres]).min(axis=1) > square_radius]
        while len(left):
            centres.append(int(left[0]))
            offset = points[left] - points[left[0]]
            left = left[1:][np.einsum("ij,ij->i", offset, offset)[1:] > square_radius]
    return np.asarray(centres)


def _square_distances(points: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float32]:
    squares = np.einsum("ij,ij->i", points, points)[:, None] + np.einsum("ij,ij->i", centres, centres)
    return np.asarray(squares - 2.0 * points @ centres.T)


def _starts(points: NDArray[np.float32]) -> range:
    return range(0, len(points), _CHUNK)
