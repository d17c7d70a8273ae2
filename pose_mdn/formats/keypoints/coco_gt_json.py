"""COCO ground truth JSON: pictures, annotated people and the names of their joints, as Halpe's is too."""

from collections.abc import Mapping
from pathlib import Path

from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.keypoints.detections import PeopleGatherer
from pose_mdn.formats.keypoints.identities import as_identity
from pose_mdn.formats.keypoints.json_document import json_head, read_json
from pose_mdn.formats.keypoints.keypoint_format import (
    KeypointFormat,
    ReadOptions,
    Recognition,
    last_bytes,
)
from pose_mdn.formats.keypoints.named_joints import BodyLayout, stated_layout
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import COCO17

_LARGEST_NUMBER = 2**62
_CURE = "write COCO's keypoint annotations"


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    document = read_json(path)
    if not isinstance(document, dict):
        raise fault(path, expected="an object with 'images' and 'annotations'", got=shown(document), cure=_CURE)
    images, annotations = (_objects(path, document, key) for key in ("images", "annotations"))
    numbers = {_whole_number(path, image, "id"): None for image in images}
    gatherer = PeopleGatherer(
        path=path, options=options, default=COCO17, named=_named(path, document, options), image_size=_one_size(images)
    )
    seen = set()
    for annotation in annotations:
        joints = annotation.get("keypoints")
        if joints is None:
            continue  # an object without joints, such as a chair or a box
        if not isinstance(joints, list):
            raise fault(path, expected="a list 'keypoints' in each annotation", got=shown(joints), cure=_CURE)
        image = _whole_number(path, annotation, "image_id")
        seen.add(image)
        gatherer.add(image, joints, as_identity(annotation.get("track_id")))
    if annotations and not seen:
        raise fault(path, expected="annotations with 'keypoints'", got="none", cure="use the file of keypoints")
    return gatherer.gathered([number for number in numbers if number not in seen]).sequence()


def _objects(path: Path, document: Mapping[str, object], key: str) -> list[dict[str, object]]:
    entries = document.get(key, [] if key == "images" else None)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise fault(path, expected=f"a list {key!r} of objects", got=shown(entries), cure=_CURE)
    return entries


def _whole_number(path: Path, entry: Mapping[str, object], key: str) -> int:
    value = entry.get(key)
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(number, bool) or not isinstance(number, int) or abs(number) >= _LARGEST_NUMBER:
        raise fault(path, expected=f"a whole number {key!r}", got=shown(value), cure=_CURE)
    return number


def _one_size(images: list[dict[str, object]]) -> tuple[int, int] | None:
    """(width, height), if all pictures have the same."""
    sizes = {(image.get("width"), image.get("height")) for image in images if _is_size(image)}
    if len(sizes) != 1 or not all(map(_is_size, images)):
        return None
    ((width, height),) = sizes
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None


def _is_size(image: Mapping[str, object]) -> bool:
    return all(type(value := image.get(key)) is int and 0 < value < 2**31 for key in ("width", "height"))


def _named(path: Path, document: Mapping[str, object], options: ReadOptions) -> BodyLayout | None:
    """The layout, if all categories with joints name the same ones."""
    categories = document.get("categories")
    if not isinstance(categories, list) or options.skeleton is not None:
        return None
    lists = [names for entry in categories if isinstance(entry, dict) and (names := entry.get("keypoints"))]
    if not lists or any(names != lists[0] for names in lists) or not isinstance(lists[0], list):
        return None
    return stated_layout(path, lists[0])


def _recognise(path: Path) -> Recognition | None:
    head = json_head(path)
    if not head.startswith(b"{") or b'"people"' in head or b'"meta_info"' in head:
        return None
    both = head + last_bytes(path)
    found = [key for key in ("images", "annotations", "categories") if f'"{key}"'.encode() in both]
    if "annotations" in found or ("images" in found and b'"file_name"' in both):
        reason = "an object with " + ", ".join(f"'{key}'" for key in found)
        return Recognition(confidence=0.95 if len(found) > 1 else 0.7, reason=reason)
    return None


FORMAT = KeypointFormat(
    name="coco_gt_json",
    description="a COCO ground truth JSON, {images, annotations, categories}, Halpe's included",
    suffixes=(".json",),
    recognise=_recognise,
    read=_read,
)
"""What COCO, Halpe, CrowdPose and annotation tools write."""
