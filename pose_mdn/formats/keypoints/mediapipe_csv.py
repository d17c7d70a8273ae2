"""MediaPipe's landmarks as people dump them to CSV, and other keypoints with a column per joint and axis.

There is no standard. Two forms are read: a row per landmark, and a row per frame with columns for every landmark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import to_float32
from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.joint_spelling import bare_name
from pose_mdn.formats.keypoints.csv_table import CsvFile, label_numbers, open_csv, parse_head
from pose_mdn.formats.keypoints.fractions import to_pixels
from pose_mdn.formats.keypoints.identities import count_within
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition, first_bytes
from pose_mdn.formats.keypoints.landmark_columns import (
    CONFIDENCE,
    PRESENCE,
    X,
    Y,
    axis_of,
    joint_columns,
    landmark_names,
)
from pose_mdn.formats.keypoints.missing import FloatArray
from pose_mdn.formats.keypoints.named_joints import layout_of_own_names
from pose_mdn.formats.keypoints.tracks import from_rows
from pose_mdn.poses.keypoints import KeypointSequence

_FRAME = ("frame", "frameid", "frameindex", "frameidx", "framenumber", "framenum", "frameno", "image", "imageid")
_PERSON = ("person", "personid", "poseid", "poseindex", "trackid", "subject")
_LANDMARK = (
    "landmark", "landmarkid", "landmarkindex", "landmarkidx", "landmarkname", "joint", "jointname", "jointid",
    "keypoint", "keypointname", "keypointid", "bodypart", "name", "id",
)  # fmt: skip
_CURE = "write columns such as frame,landmark,x,y,z,visibility or NOSE_x,NOSE_y,NOSE_visibility"
_MOST_LANDMARKS = 1_024


@dataclass(frozen=True, kw_only=True)
class Landmarks:
    """N people by landmark.

    Attributes:
        names: What the K landmarks are called.
        values: (N, K, 3) x, y, confidence; NaN where there is none.
        frame: (N,) frame numbers.
        person: (N,) numbers of people.
        tracked: Whether the file has these.
    """

    names: Sequence[str]
    values: FloatArray
    frame: NDArray[np.int64]
    person: NDArray[np.int64]
    tracked: bool


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    file = open_csv(path, header_rows=1)
    header = file.head[0] if file.head else ()
    places = {bare_name(name): place for place, name in reversed(list(enumerate(header)))}
    landmarks = _by_row(file, header, places) if "x" in places else _by_column(file, header, places)
    names = landmark_names(path, landmarks.names)
    kept = [place for place, label in enumerate(landmarks.names) if label in names]
    layout = layout_of_own_names(path, [names[landmarks.names[place]] for place in kept], options.skeleton)
    order = np.lexsort((landmarks.person, landmarks.frame))
    values = landmarks.values[order][:, kept]
    return from_rows(
        path,
        layout,
        (to_pixels(path, values[..., :2], options.image_size), values[..., 2]),
        options,
        frame=landmarks.frame[order],
        person=landmarks.person[order],
        tracked=landmarks.tracked,
    )


def _by_row(file: CsvFile, header: Sequence[str], places: Mapping[str, int]) -> Landmarks:
    """A row per landmark."""
    axes = {axis: place for place, name in reversed(list(enumerate(header))) if (axis := axis_of(name)) is not None}
    label = _place(places, _LANDMARK)
    if label is None or Y not in axes:
        raise fault(file.path, expected="the columns landmark, x and y", got=shown(list(header)), cure=_CURE)
    frame_place, person_place = _place(places, _FRAME), _place(places, _PERSON)
    text = [place for place in (label, frame_place, person_place) if place is not None]
    columns = file.columns(1, numbers=[axes[X], axes[Y], *_confidence_place(axes)], text=text)
    names, joint = np.unique(columns[label], return_inverse=True)
    if len(names) > _MOST_LANDMARKS:
        raise fault(file.path, expected="the names of landmarks", got=f"{len(names)} names", cure=_CURE)
    # A landmark that comes again in the same frame is somebody else's; without frames, it begins the next one.
    frame = label_numbers(columns[frame_place]) if frame_place is not None else count_within(joint)
    person = np.zeros_like(frame)
    if person_place is not None:
        person = label_numbers(columns[person_place])
    elif frame_place is not None:
        _, joint_of_frame = np.unique(np.stack([frame, joint]), axis=1, return_inverse=True)
        person = count_within(joint_of_frame.reshape(-1))
    people, row = np.unique(np.stack([frame, person]), axis=1, return_inverse=True)
    values = np.full((people.shape[1], len(names), 3), np.nan, np.float32)
    for place, values_of_axis in enumerate(_three(columns, axes)):
        values[row.reshape(-1), joint, place] = values_of_axis
    return Landmarks(
        names=[str(name) for name in names],
        values=values,
        frame=people[0],
        person=people[1],
        tracked=person_place is not None,
    )


def _by_column(file: CsvFile, header: Sequence[str], places: Mapping[str, int]) -> Landmarks:
    """A row per person, with columns for every landmark."""
    joints = joint_columns(header)
    if not joints:
        raise fault(file.path, expected="columns for x and y of landmarks", got=shown(list(header)), cure=_CURE)
    frame_place, person_place = _place(places, _FRAME), _place(places, _PERSON)
    text = [place for place in (frame_place, person_place) if place is not None]
    numbers = [place for axes in joints.values() for place in (axes[X], axes[Y], *_confidence_place(axes))]
    columns = file.columns(1, numbers=numbers, text=text)
    rows = len(columns[numbers[0]])
    values = np.empty((rows, len(joints), 3), np.float32)
    for joint, axes in enumerate(joints.values()):
        values[:, joint] = np.stack(np.broadcast_arrays(*_three(columns, axes)), axis=-1)
    frame = label_numbers(columns[frame_place]) if frame_place is not None else np.arange(rows, dtype=np.int64)
    person = label_numbers(columns[person_place]) if person_place is not None else count_within(frame)
    return Landmarks(names=list(joints), values=values, frame=frame, person=person, tracked=person_place is not None)


def _three(
    columns: Mapping[int, NDArray[np.generic]], axes: Mapping[str, int]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """x, y and confidence, 1 if there is none."""
    x, y = to_float32(columns[axes[X]]), to_float32(columns[axes[Y]])
    confidence = _confidence_place(axes)
    return x, y, to_float32(columns[confidence[0]]) if confidence else np.ones_like(x)


def _confidence_place(axes: Mapping[str, int]) -> list[int]:
    return [axes[axis] for axis in (CONFIDENCE, PRESENCE) if axis in axes][:1]


def _place(places: Mapping[str, int], names: Sequence[str]) -> int | None:
    return next((places[name] for name in names if name in places), None)


def _recognise(path: Path) -> Recognition | None:
    start = first_bytes(path, 2**16)
    if start[:1] in {b"{", b"[", b""} or b"\0" in start:
        return None
    head = parse_head(start.splitlines()[0], 1)
    header = head[1][0] if head and head[1] else ()
    bare = {bare_name(name) for name in header}
    if {"x", "y"} <= bare and bare & set(_LANDMARK):
        return Recognition(confidence=0.85, reason="columns landmark, x and y")
    if len(joint_columns(header)) >= 6:
        return Recognition(confidence=0.8, reason="columns for x and y of joints")
    return None


FORMAT = KeypointFormat(
    name="mediapipe_csv",
    description="MediaPipe's pose landmarks, or other joints with columns for x and y, *.csv",
    suffixes=(".csv", ".tsv"),
    recognise=_recognise,
    read=_read,
)
"""A row per landmark (frame,landmark,x,y,z,visibility) or a row per frame (NOSE_x,NOSE_y,... or x0,y0,z0,v0,...)."""
