"""DeepLabCut's CSV: rows of headers for scorer, individual, body part and coordinate, then a row per frame."""

from pathlib import Path

import numpy as np

from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.keypoints.csv_table import label_numbers, open_csv, parse_head
from pose_mdn.formats.keypoints.deeplabcut_columns import LEVELS, from_columns
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition, first_bytes
from pose_mdn.poses.keypoints import KeypointSequence


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    file = open_csv(path, header_rows=len(LEVELS))
    rows = _header_rows(file.head)
    if not rows:
        got = shown(file.head[0][:3]) if file.head else "an empty file"
        cure = "write it as DeepLabCut's analyze_videos does, with save_as_csv"
        raise fault(path, expected="header rows 'bodyparts' and 'coords'", got=got, cure=cure)
    names = file.head[: len(rows)]
    # Tables of labelled pictures have their folders and names in up to three columns.
    first = next((place for place in range(1, len(names[-1])) if names[-1][place]), 1)
    if len({len(row) for row in names}) > 1:
        got = shown([len(row) for row in names])
        raise fault(path, expected="header rows of one length", got=got, cure="write the file again")
    places = range(first, len(names[-1]))
    columns = file.columns(len(rows), numbers=places, text=[first - 1])
    labels = columns[first - 1]
    values = np.empty((len(labels), len(places)))
    for place in places:
        values[:, place - first] = columns[place]
    levels = {level: row[first:] for level, row in zip(rows, names, strict=True)}
    return from_columns(path, levels, values, label_numbers(labels), options)


def _header_rows(head: tuple[tuple[str, ...], ...]) -> list[str]:
    """The levels that the first rows stand for, by their first cells; none if it is another file."""
    levels = []
    for row in head:
        level = row[0].lower() if row else ""
        if level not in LEVELS or level in levels:
            break
        levels.append(level)
    return levels if {"bodyparts", "coords"} <= set(levels) else []


def _recognise(path: Path) -> Recognition | None:
    content = first_bytes(path, 2**16)
    # JSON is no table, and often one long line, which takes long to cut into cells.
    head = None if content.startswith((b"[", b"{")) else parse_head(content, len(LEVELS))
    first_cells = [row[0].lower() for row in head[1] if row] if head else []
    if first_cells[:1] in (["scorer"], ["individuals"], ["bodyparts"]) and "bodyparts" in first_cells:
        return Recognition(confidence=0.95, reason="header rows 'scorer' and 'bodyparts'")
    return None


FORMAT = KeypointFormat(
    name="deeplabcut_csv",
    description="DeepLabCut's table *.csv",
    suffixes=(".csv",),
    recognise=_recognise,
    read=_read,
)
"""What DeepLabCut writes with `save_as_csv`, and Lightning Pose and Anipose's 2D tables imitate."""
