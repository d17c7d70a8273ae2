"""AlphaPose JSON: COCO's results with picture names, boxes and tracks, or an object with an entry for each picture.

Keys after AlphaPose, `alphapose/utils/pPose_nms.py:write_json` ("cmu" and "open" are its options `--format`), and
after PoseFlow, which writes a list of people for each picture.
"""

import re
from pathlib import Path

from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.keypoints.coco_json import PictureNumbers, gather_results, stream_results
from pose_mdn.formats.keypoints.detections import PeopleGatherer
from pose_mdn.formats.keypoints.gathered import GatheredPeople
from pose_mdn.formats.keypoints.identities import as_identity
from pose_mdn.formats.keypoints.json_document import json_head, read_json
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition
from pose_mdn.formats.keypoints.openpose_json import joints_of
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import COCO17

_NAMED_PICTURE = re.compile(rb'"image_id"\s*:\s*"')
_TRACK_OR_BOX = re.compile(rb'"(?:idx|box)"\s*:')
_PICTURE_KEY = re.compile(rb'\{\s*"[^"]*\.(?i:jpe?g|png|bmp|webp|tiff?)"\s*:\s*[\[{]')


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    gathered = _gather_pictures(path, options) if _is_object(path) else gather_results(path, options)
    return gathered.sequence()


def _stream(path: Path, options: ReadOptions) -> GatheredPeople:
    return _gather_pictures(path, options) if _is_object(path) else stream_results(path, options)


def _is_object(path: Path) -> bool:
    return json_head(path, 64).startswith(b"{")


def _gather_pictures(path: Path, options: ReadOptions) -> GatheredPeople:
    """Everybody in an object of picture: people."""
    document = read_json(path)
    if not isinstance(document, dict):
        raise fault(path, expected="an object with an entry for each picture", got=shown(document), cure="check it")
    gatherer = PeopleGatherer(path=path, options=options, default=COCO17)
    pictures, empty = PictureNumbers(), []
    for place, (image, entry) in zip(pictures.places(document), document.items(), strict=True):
        people = _people_of(path, image, entry)
        if not people:
            empty.append(place)
        for person in people:
            joints, identity = _person(path, person)
            gatherer.add(place, joints, identity)
    numbers = pictures.numbers()
    return gatherer.gathered([int(numbers[place]) for place in empty], renumber=numbers)


def _people_of(path: Path, image: str, entry: object) -> list[object]:
    people = entry
    if isinstance(entry, dict):
        people = entry.get("people", entry.get("bodies"))
    if not isinstance(people, list):
        cure = "write 'people', 'bodies' or a list of people for each picture"
        raise fault(path, expected=f"a list of people for picture {shown(image)}", got=shown(entry), cure=cure)
    return people


def _person(path: Path, person: object) -> tuple[list[object], int]:
    if isinstance(person, dict) and isinstance(joints := person.get("keypoints"), list):
        return joints, as_identity(person.get("idx"))
    return joints_of(person, str(path))


def _recognise(path: Path) -> Recognition | None:
    head = json_head(path)
    if head.startswith(b"{"):
        if _PICTURE_KEY.match(head):
            return Recognition(confidence=0.9, reason="an object of pictures' names")
        return None
    if not head.startswith(b"[") or b'"image_id"' not in head:
        return None
    named, more = _NAMED_PICTURE.search(head), _TRACK_OR_BOX.search(head)
    if not (named or more):
        return None
    reason = "a list with " + " and ".join(
        text for text, found in (("'image_id' by name", named), ("'box' or 'idx'", more)) if found
    )
    return Recognition(confidence=0.95 if named and more else 0.88 if more else 0.85, reason=reason)


FORMAT = KeypointFormat(
    name="alphapose_json",
    description="an AlphaPose JSON, a list of {image_id, keypoints, box, idx}, or {picture: people}",
    suffixes=(".json",),
    recognise=_recognise,
    read=_read,
    stream=_stream,
)
"""What AlphaPose and its trackers write."""
