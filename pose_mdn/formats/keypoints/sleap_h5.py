"""SLEAP's analysis file: an HDF5 file with an array of all tracks."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import NUMBERS, Array, to_float32
from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.hdf5_file import mentions, read_hdf5, to_attribute, to_texts
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition
from pose_mdn.formats.keypoints.tracks import Tracks, from_tracks
from pose_mdn.poses.keypoints import KeypointSequence

_AXES = ("frame", "track", "node", "xy")
_MATLAB = {"tracks": ("track", "xy", "node", "frame"), "point_scores": ("track", "node", "frame")}
"""The order in which SLEAP itself writes: as MATLAB reads it, so the other way round in C."""
_CURE = "export it as an analysis HDF5 file"


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    arrays = read_hdf5(path)
    missing = [key for key in ("tracks", "node_names") if key not in arrays]
    if missing:
        raise fault(path, expected=f"the dataset {missing[0]!r}", got=shown(sorted(arrays)), cure=_CURE)
    names = to_texts(arrays["node_names"])
    keypoints_px = _ordered(path, arrays, "tracks", _AXES)
    scores = _ordered(path, arrays, "point_scores", _AXES[:3]) if "point_scores" in arrays else None
    if keypoints_px.shape[2:] != (len(names), 2) or (scores is not None and scores.shape != keypoints_px.shape[:3]):
        got = f"{arrays['tracks'].shape} and {len(names)} names"
        raise fault(path, expected="'tracks' of x, y for each node of each track", got=got, cure=_CURE)
    tracks = Tracks(
        joint_names=names,
        keypoints_px=keypoints_px,
        confidence=_confidence(keypoints_px, scores),
        frame=np.arange(len(keypoints_px), dtype=np.int64),
    )
    return from_tracks(path, tracks, options)


def _ordered(path: Path, arrays: Mapping[str, Array], key: str, axes: tuple[str, ...]) -> NDArray[np.float32]:
    """An array with its axes in the order asked."""
    array = arrays[key]
    stored = _stored_axes(path, arrays, key)
    if array.dtype.kind not in NUMBERS or array.ndim != len(axes) or sorted(stored) != sorted(axes):
        got = f"{array.dtype} of shape {array.shape}, axes {shown(stored)}"
        raise fault(path, expected=f"numbers by {', '.join(axes)} in {key!r}", got=got, cure=_CURE)
    return to_float32(array).transpose([stored.index(axis) for axis in axes])


def _stored_axes(path: Path, arrays: Mapping[str, Array], key: str) -> tuple[str, ...]:
    """The order of an array's axes: as the file says (sleap-io does), else SLEAP's own."""
    text = to_attribute(arrays, f"{key}@dims")
    if not text:
        return _MATLAB[key]
    try:
        axes = json.loads(text)
    except (ValueError, RecursionError):
        axes = None
    if not isinstance(axes, list) or not all(isinstance(axis, str) for axis in axes):
        raise fault(path, expected=f"names of axes in 'dims' of {key!r}", got=shown(text), cure=_CURE)
    return tuple(axes)


def _confidence(keypoints_px: NDArray[np.float32], scores: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    """Scores of joints that were seen; those that a person placed by hand have none and are certain."""
    if scores is None:
        return None
    by_hand = np.isfinite(keypoints_px).all(axis=-1) & ~np.isfinite(scores)
    return np.where(by_hand, np.float32(1), scores)


def _recognise(path: Path) -> Recognition | None:
    if mentions(path, b"point_scores") or mentions(path, b"track_occupancy"):
        return Recognition(confidence=0.9, reason="an HDF5 file with SLEAP's tracks")
    return None


FORMAT = KeypointFormat(
    name="sleap_h5",
    description="SLEAP's analysis file *.h5 (needs the extra h5)",
    suffixes=(".h5", ".hdf5"),
    recognise=_recognise,
    read=_read,
)
"""What SLEAP exports as "Analysis HDF5" and sleap-io writes with `save_analysis_h5`."""
