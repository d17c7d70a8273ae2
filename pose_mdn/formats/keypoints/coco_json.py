"""COCO results JSON: one list of people for a whole set of pictures."""

from pathlib import Path

from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.keypoints.detections import Detection, build_sequence
from pose_mdn.formats.keypoints.json_document import read_json
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition, first_bytes
from pose_mdn.formats.keypoints.openpose_json import frame_number
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import COCO17


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    entries = read_json(path)
    if not isinstance(entries, list):
        raise fault(path, expected="a list of people", got=shown(entries), cure="write COCO's results format")
    images: dict[int | str, list[Detection]] = {}
    for entry in entries:
        image, detection = _read_entry(path, entry)
        images.setdefault(image, []).append(detection)
    frames = dict(zip(_number_frames(list(images)), images.values(), strict=True))
    return build_sequence(path, frames, options, default=COCO17)


def _read_entry(path: Path, entry: object) -> tuple[int | str, Detection]:
    image = entry.get("image_id") if isinstance(entry, dict) else None
    values = entry.get("keypoints") if isinstance(entry, dict) else None
    if isinstance(image, float) and image.is_integer():
        image = int(image)
    if (
        not isinstance(entry, dict)
        or not isinstance(values, list)
        or not isinstance(image, int | str)
        or (isinstance(image, int) and abs(image) >= 2**62)
    ):
        raise fault(
            path,
            expected="'image_id' and a list 'keypoints' for each person",
            got=shown(entry),
            cure="write COCO's results format",
        )
    track = entry.get("idx")
    while isinstance(track, list) and len(track) == 1:
        track = track[0]
    identity = int(track) if isinstance(track, int | float) and 0 <= track < 2**53 else None
    return image, Detection(values=values, identity=identity, path=path)


def _number_frames(images: list[int | str]) -> list[int]:
    """A frame number per picture.

    Numbers are kept; names give the last number in them. If these do not tell the pictures apart, they are counted in
    order of appearance.
    """
    numbers = [image if isinstance(image, int) else frame_number(image) for image in images]
    known = [number for number in numbers if number is not None]
    return known if len(set(known)) == len(images) else list(range(len(images)))


def _recognise(path: Path) -> Recognition | None:
    head = first_bytes(path)
    if not head.startswith(b"["):
        return None
    if b'"image_id"' in head:
        return Recognition(confidence=0.95, reason="a list with 'image_id'")
    return Recognition(confidence=0.6, reason="an empty list") if head[1:].strip() == b"]" else None


FORMAT = KeypointFormat(
    name="coco_json",
    description="a COCO results JSON, a list of {image_id, keypoints, score}",
    suffixes=(".json",),
    recognise=_recognise,
    read=_read,
)
"""COCO's results format, which AlphaPose, MMPose and ViTPose write too."""
