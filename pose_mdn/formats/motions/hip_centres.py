"""Centres of the hip joints from markers on the pelvis.

Markers lie on the skin over the iliac spines, a hand's breadth above the joints, so a mean of markers would not do.
"""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.joint_spelling import normalized_names

HIP_CENTRES = ("l_hip_centre", "r_hip_centre")
"""Names of the added points."""

_PELVIS_MARKERS = (
    ("lasi", "rasi", "lpsi", "rpsi"),
    ("lasis", "rasis", "lpsis", "rpsis"),
    ("lfwt", "rfwt", "lbwt", "rbwt"),
    ("lasi", "rasi", "sacr", "sacr"),
)
"""Left and right front, left and right back: Plug-in Gait, spelled out, CMU's 41 markers, one marker behind."""

# Bell, Pedersen and Brand, "A comparison of the accuracy of several hip center location prediction methods",
# J. Biomechanics 1990: parts of the distance between the front markers, from their middle.
_SIDEWAYS, _DOWN, _BACK = 0.36, 0.30, 0.19


def with_hip_centres(
    names: tuple[str, ...], positions: NDArray[np.float64]
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Add both hip joints' centres, if the pelvis is marked; NaN where one of its markers is missing.

    Args:
        names: Names of the J markers.
        positions: (T, J, 3).

    Returns:
        Names and positions, (T, J + 2, 3) if the centres were added.
    """
    known = normalized_names(names)
    for markers in _PELVIS_MARKERS:
        if all(marker in known for marker in markers):
            corners = [positions[:, known.index(marker)] for marker in markers]
            centres = _hip_centres(*corners)
            # What stands before a marker's name, such as "Subject:", must stand before these, too.
            prefix = names[known.index(markers[0])][: -len(markers[0])]
            added = tuple(prefix + name for name in HIP_CENTRES)
            return names + added, np.concatenate([positions, np.stack(centres, axis=1)], axis=1)
    return names, positions


def _hip_centres(
    left_front: NDArray[np.float64],
    right_front: NDArray[np.float64],
    left_back: NDArray[np.float64],
    right_back: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    middle = (left_front + right_front) / 2
    across = right_front - left_front
    width = np.linalg.norm(across, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        right = across / width
        forward = middle - (left_back + right_back) / 2
        forward = forward - (forward * right).sum(axis=-1, keepdims=True) * right
        forward = forward / np.linalg.norm(forward, axis=-1, keepdims=True)
    up = np.cross(right, forward)
    centre = middle - width * (_DOWN * up + _BACK * forward)
    return centre - _SIDEWAYS * width * right, centre + _SIDEWAYS * width * right
