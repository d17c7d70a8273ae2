"""A sheet of poses as one SVG picture, which any browser shows: no plotting library is needed."""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from pose_mdn.skeletons import HUMAN36M17

_CELL_PX = 150
_CAPTION_PX = 20
_HALF_HEIGHT_M = 1.15
_COLUMNS = 8
_TURN_RAD = np.radians(30.0)
_COLOURS = {"l": "#d1495b", "r": "#2e6f95", "": "#3a3a3a"}


def pose_sheet_svg(pose_m: NDArray[np.floating], captions: Sequence[str] = (), *, columns: int = _COLUMNS) -> str:
    """Draw poses side by side, without perspective, from 30 degrees to the side of whoever faces.

    Args:
        pose_m: (N, 17, 3) root-relative poses of the upright frame, metres; joints of NaN are left out.
        captions: N lines below them; none if empty.
        columns: How many stand in a row.

    Returns:
        The SVG document. Left limbs are red, right ones blue.
    """
    poses = np.asarray(pose_m, np.float64)
    columns = max(1, min(columns, len(poses)))
    height = _CELL_PX + (_CAPTION_PX if captions else 0)
    rows = -(-len(poses) // columns)
    cells = [
        _cell(pose, captions[index] if captions else "", (index % columns) * _CELL_PX, (index // columns) * height)
        for index, pose in enumerate(poses)
    ]
    size = f'width="{columns * _CELL_PX}" height="{rows * height}"'
    style = 'stroke-linecap="round" stroke-width="3" font-family="sans-serif" font-size="11"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n' + "\n".join(cells) + "\n</svg>\n"


def _cell(pose: NDArray[np.float64], caption: str, left: int, top: int) -> str:
    cos, sin = np.cos(_TURN_RAD), np.sin(_TURN_RAD)
    scale = _CELL_PX / (2.0 * _HALF_HEIGHT_M)
    x = left + 0.5 * _CELL_PX + scale * (cos * pose[:, 0] + sin * pose[:, 2])
    y = top + 0.5 * _CELL_PX + scale * pose[:, 1]
    depth = cos * pose[:, 2] - sin * pose[:, 0]
    parts = [f'<rect x="{left}" y="{top}" width="{_CELL_PX}" height="{_CELL_PX}" fill="#fafafa" stroke="none"/>']
    # Bones behind are drawn first.
    for parent, child in sorted(HUMAN36M17.bones, key=lambda bone: -(depth[bone[0]] + depth[bone[1]])):
        if np.isfinite([x[parent], y[parent], x[child], y[child]]).all():
            ends = f'x1="{x[parent]:.1f}" y1="{y[parent]:.1f}" x2="{x[child]:.1f}" y2="{y[child]:.1f}"'
            parts.append(f'<line {ends} stroke="{_COLOURS[_side(HUMAN36M17.joint_names[child])]}"/>')
    if caption:
        place = f'x="{left + _CELL_PX // 2}" y="{top + _CELL_PX + 13}"'
        parts.append(f'<text {place} text-anchor="middle" stroke="none" fill="#333">{escape(caption)}</text>')
    return "\n".join(parts)


def _side(joint: str) -> str:
    return joint[0] if joint.startswith(("l_", "r_")) else ""
