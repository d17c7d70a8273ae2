"""OpenPose JSON: one file per frame in a folder, several people per file."""

from pathlib import Path

from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.keypoints.detections import PeopleGatherer
from pose_mdn.formats.keypoints.frame_files import frame_number, numbered_files, recognise_frames, recordings_in
from pose_mdn.formats.keypoints.identities import as_identity
from pose_mdn.formats.keypoints.json_document import json_head, read_small_json
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import BODY25

_UNTRACKED = [-1]
_OLDER_KEYS = ("pose_keypoints", "joints")
"""The key of OpenPose 1.0, and that of the older files that AlphaPose imitates."""


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    files = numbered_files(path, options.clip) if path.is_dir() else [(frame_number(path.name) or 0, str(path))]
    gatherer = PeopleGatherer(path=path, options=options, default=BODY25)
    empty = []
    for frame, file in files:
        people = people_of(read_small_json(file), file)
        if not people:
            empty.append(frame)
        for person in people:
            joints, identity = joints_of(person, file)
            gatherer.add(frame, joints, identity, file)
    return gatherer.gathered(empty).sequence()


def _clips(path: Path, _options: ReadOptions) -> tuple[str, ...]:
    return recordings_in(path) if path.is_dir() else ()


def people_of(document: object, file: str) -> list[object]:
    """The people of a frame's document.

    Raises:
        FormatError: It is not OpenPose's.
    """
    if isinstance(document, dict):
        people = document.get("people")
        if people is None:
            people = document.get("bodies")
        if isinstance(people, list):
            return people
    expected = "an object with a list 'people'"
    raise fault(Path(file), expected=expected, got=shown(document), cure="write OpenPose's JSON")


def joints_of(person: object, file: str) -> tuple[list[object], int]:
    """A person's joints as parsed, and identity.

    Raises:
        FormatError: There are none.
    """
    if isinstance(person, dict):
        joints = person.get("pose_keypoints_2d")
        if joints is None:
            joints = next((person[key] for key in _OLDER_KEYS if key in person), None)
        if isinstance(joints, list):
            identity = person.get("person_id", _UNTRACKED)
            return joints, -1 if identity == _UNTRACKED else as_identity(identity)
    raise fault(
        Path(file),
        expected="a list 'pose_keypoints_2d' for each person",
        got=shown(person),
        cure="write x, y, confidence for each joint",
    )


def _is_frame(head: bytes) -> bool:
    return head.startswith(b"{") and (b'"people"' in head or b'"bodies"' in head) and b'"annotations"' not in head


def _recognise(path: Path) -> Recognition | None:
    if path.is_dir():
        return recognise_frames(path, _is_frame, "an object with 'people'")
    head = json_head(path)
    # AlphaPose writes such objects too, one for each picture, in an object.
    if not _is_frame(head) or head[1:].lstrip()[:1] != b'"' or _is_nested(head):
        return None
    return Recognition(confidence=0.95, reason="an object with 'people'")


def _is_nested(head: bytes) -> bool:
    """Whether 'people' stands within a second object."""
    key = min((place for key in (b'"people"', b'"bodies"') if (place := head.find(key)) >= 0), default=0)
    return head[:key].count(b"{") - head[:key].count(b"}") > 1


FORMAT = KeypointFormat(
    name="openpose_json",
    description="a folder of OpenPose JSON files, one per frame, or one of them",
    suffixes=(".json",),
    recognise=_recognise,
    read=_read,
    clips=_clips,
)
"""What OpenPose writes with `--write_json`, and what many other detectors imitate."""
