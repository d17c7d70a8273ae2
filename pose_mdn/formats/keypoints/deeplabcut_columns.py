"""DeepLabCut's columns: each is named by scorer, individual, body part and coordinate."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import to_float32
from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.formats.keypoints.tracks import Tracks, from_tracks
from pose_mdn.poses.keypoints import KeypointSequence

LEVELS = ("scorer", "individuals", "bodyparts", "coords")
"""What the levels of the columns' names are called."""
_COORDINATES = ("x", "y", "likelihood")
_CURE = "write it as DeepLabCut's analyze_videos does"


def from_columns(
    path: Path,
    levels: Mapping[str, Sequence[str]],
    values: NDArray[np.float64],
    frame: NDArray[np.int64],
    options: ReadOptions,
) -> KeypointSequence:
    """A table in DeepLabCut's form as a sequence.

    Args:
        path: The file, for messages.
        levels: Name of each level -> its part of each column's name.
        values: (T, columns).
        frame: (T,) frame numbers.
        options: What the user says.

    Raises:
        FormatError: Columns are named otherwise, several scorers share the file, or too few joints are known.
    """
    missing = [level for level in ("bodyparts", "coords") if level not in levels]
    if missing:
        raise fault(path, expected=f"a header row {missing[0]!r}", got=shown(list(levels)), cure=_CURE)
    scorers = list(dict.fromkeys(levels.get("scorer", ())))
    if len(scorers) > 1:
        raise fault(path, expected="one scorer", got=shown(scorers), cure="keep one scorer per file")
    parts, coordinates = levels["bodyparts"], [name.lower() for name in levels["coords"]]
    animals = levels.get("individuals", ("",) * len(parts))
    people, joints = list(dict.fromkeys(animals)), list(dict.fromkeys(parts))
    unknown = set(coordinates) - set(_COORDINATES)
    if unknown or not len(parts):
        raise fault(path, expected="the coordinates x, y, likelihood", got=shown(sorted(unknown)), cure=_CURE)
    # Individuals need not have the same body parts ("single" has those that belong to nobody).
    cells = np.full((len(values), len(people), len(joints), 3), np.nan, np.float32)
    place = (
        [people.index(name) for name in animals],
        [joints.index(name) for name in parts],
        [_COORDINATES.index(name) for name in coordinates],
    )
    cells[:, *place] = to_float32(values)
    tracks = Tracks(
        joint_names=joints,
        keypoints_px=cells[..., :2],
        confidence=cells[..., 2] if "likelihood" in coordinates else None,
        frame=frame,
    )
    return from_tracks(path, tracks, options)
