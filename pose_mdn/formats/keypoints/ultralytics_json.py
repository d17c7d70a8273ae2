"""Ultralytics JSON: `results.to_json()` of one picture, a list of them, or a folder of them, one per frame.

Keys after Ultralytics 8.4, `engine/results.py:Results.summary`: one object for each person, with `track_id` if people
are tracked, and without `visible` if the model gives no confidences.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pose_mdn.errors import FormatError
from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.keypoints.detections import PeopleGatherer
from pose_mdn.formats.keypoints.frame_files import frame_number, numbered_files, recognise_frames
from pose_mdn.formats.keypoints.identities import as_identity
from pose_mdn.formats.keypoints.joint_values import coordinate_lists
from pose_mdn.formats.keypoints.json_document import json_head, parse, read_json
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import COCO17

_CURE = "write what results.to_json() of a pose model gives"
_KEYPOINTS = re.compile(rb'"keypoints\\?"\s*:\s*\{\s*\\?"x\\?"')
_BOX = re.compile(rb'"box\\?"\s*:\s*\{\s*\\?"x1\\?"')


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    gatherer = PeopleGatherer(path=path, options=options, default=COCO17, unpack=coordinate_lists)
    empty = []
    for frame, people, file in _frames(path):
        if not isinstance(people, list):
            raise fault(Path(file), expected="a list of people for each frame", got=shown(people), cure=_CURE)
        if not people:
            empty.append(frame)
        for person in people:
            joints, identity = _joints_of(file, person)
            gatherer.add(frame, joints, identity, file)
    return gatherer.gathered(empty).sequence()


def _frames(path: Path) -> Iterator[tuple[int, object, str]]:
    """Number, people and file of each frame."""
    if path.is_dir():
        for frame, file in numbered_files(path):
            yield frame, read_json(Path(file)), file
        return
    document = read_json(path)
    if not isinstance(document, list):
        raise fault(path, expected="a list of people, or of frames", got=shown(document), cure=_CURE)
    if document and all(isinstance(entry, list | str) for entry in document):
        for frame, entry in enumerate(document):
            # to_json() gives text, and lists of such texts are written, too.
            yield (
                frame,
                parse(str(path), entry.encode("utf-8", "replace")) if isinstance(entry, str) else entry,
                str(path),
            )
    else:
        yield frame_number(path.name) or 0, document, str(path)


def _joints_of(file: str, person: object) -> tuple[tuple[object, object, object], int]:
    joints = person.get("keypoints") if isinstance(person, dict) else None
    if not isinstance(person, dict) or not isinstance(joints, dict):
        raise _not_a_person(file, person)
    return (joints.get("x"), joints.get("y"), joints.get("visible")), as_identity(person.get("track_id"))


def _not_a_person(file: str, person: object) -> FormatError:
    return fault(Path(file), expected="'keypoints' with 'x' and 'y' for each person", got=shown(person), cure=_CURE)


def _is_frame(head: bytes) -> bool:
    return head.startswith(b"[") and head[1:].lstrip().startswith(b"{") and _KEYPOINTS.search(head) is not None


def _recognise(path: Path) -> Recognition | None:
    if path.is_dir():
        return recognise_frames(path, _is_frame, "a list of people with 'keypoints' by coordinate")
    head = json_head(path)
    if not head.startswith(b"["):
        return None
    if _KEYPOINTS.search(head):
        return Recognition(confidence=0.95, reason="a list with 'keypoints' by coordinate")
    return Recognition(confidence=0.6, reason="a list with boxes x1, y1") if _BOX.search(head) else None


FORMAT = KeypointFormat(
    name="ultralytics_json",
    description="an Ultralytics JSON, results.to_json() of one frame or a list of them, or a folder of them",
    suffixes=(".json",),
    recognise=_recognise,
    read=_read,
)
"""What Ultralytics' pose models give."""
