"""TRC with markers of one picture, in pixels, as Sports2D writes it (`*_px.trc`)."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import to_float32
from pose_mdn.formats.faults import fault, shown, unreadable
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition, first_bytes
from pose_mdn.formats.keypoints.tracks import Tracks, from_tracks
from pose_mdn.poses.keypoints import KeypointSequence

_HEADER_LINES = 5
_PIXEL_UNITS = frozenset({"px", "pixel", "pixels", "m"})
"""Sports2D writes "m" above pixels too."""
_SMALLEST_SPREAD_PX = 20.0
"""People are taller than this in pictures, and no recording is this wide in metres."""
_CURE = "write markers of one picture, in pixels"


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    lines = _lines(path)
    facts = dict(zip(_cells(lines[1]), _cells(lines[2]), strict=False))
    unit = facts.get("Units", "").strip().lower()
    if unit not in _PIXEL_UNITS:
        raise fault(path, expected="Units px", got=shown(facts.get("Units")), cure=_CURE)
    names = [name for name in _cells(lines[3])[2:] if name]
    axes = _count_axes(path, lines[4], len(names))
    rows = [_cells(line) for line in lines[_HEADER_LINES:] if line.strip()]
    width = 2 + len(names) * axes
    values = _numbers(path, [(row + [""] * width)[:width] for row in rows], width)
    markers = values[:, 2:].reshape(len(values), 1, len(names), axes)
    _refuse_space(path, markers)
    tracks = Tracks(
        joint_names=names,
        keypoints_px=to_float32(_without_zeros(markers[..., :2])),
        confidence=None,
        frame=_frames(values[:, 0]),
        fps=_rate(facts.get("DataRate", "")),
    )
    return from_tracks(path, tracks, options)


def _lines(path: Path) -> list[str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    lines = content.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    if len(lines) < _HEADER_LINES or not lines[0].startswith("PathFileType"):
        raise fault(path, expected="the five header lines of TRC", got=shown(lines[:1]), cure=_CURE)
    return lines


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("\t")]


def _count_axes(path: Path, line: str, names: int) -> int:
    """How many columns each marker has: X, Y, or X, Y, Z."""
    letters = [cell[0].upper() for cell in _cells(line) if cell]
    for axes in ("XY", "XYZ"):
        if names and letters == list(axes) * names:
            return len(axes)
    raise fault(path, expected=f"X1 Y1 Z1 ... for {names} markers", got=shown(line), cure=_CURE)


def _numbers(path: Path, rows: list[list[str]], width: int) -> NDArray[np.float64]:
    try:
        cells = [[float(cell) if cell else np.nan for cell in row] for row in rows]
    except ValueError as error:
        raise fault(path, expected="rows of numbers", got=str(error), cure="write the file again") from error
    return np.array(cells, np.float64).reshape(len(rows), width)


def _refuse_space(path: Path, markers: NDArray[np.float64]) -> None:
    """Refuse markers in space: those with depth, or of no size in pixels."""
    if (np.nan_to_num(markers[..., 2:]) != 0).any():
        raise fault(path, expected="markers of one picture, Z 0", got="markers in space", cure=_CURE)
    points = _without_zeros(markers[..., :2])
    seen = points[np.isfinite(points).all(axis=-1)]
    if len(seen) > 1 and float(np.ptp(seen, axis=0).max()) < _SMALLEST_SPREAD_PX:
        raise fault(path, expected="markers in pixels", got="markers in metres", cure=_CURE)


def _without_zeros(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """NaN where x = y = 0, which fills gaps."""
    return np.where((points == 0).all(axis=-1, keepdims=True), np.nan, points)


def _frames(column: NDArray[np.float64]) -> NDArray[np.int64]:
    whole = np.isfinite(column).all() and (np.abs(column) < 2**53).all() and (np.rint(column) == column).all()
    return column.astype(np.int64) if whole else np.arange(len(column), dtype=np.int64)


def _rate(text: str) -> float | None:
    try:
        rate = float(text)
    except ValueError:
        return None
    return rate if 0 < rate < np.inf else None


def _recognise(path: Path) -> Recognition | None:
    if first_bytes(path, 64).startswith(b"PathFileType"):
        return Recognition(confidence=0.9, reason="TRC's first line")
    return None


FORMAT = KeypointFormat(
    name="trc",
    description="markers of one picture in pixels, *.trc",
    suffixes=(".trc",),
    recognise=_recognise,
    read=_read,
)
"""The table of the Motion Analysis Corporation, which OpenSim reads, with 2D markers."""
