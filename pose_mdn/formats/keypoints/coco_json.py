"""COCO results JSON: one list of people for a whole set of pictures."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.keypoints.detections import PeopleGatherer, is_large
from pose_mdn.formats.keypoints.frame_files import frame_number
from pose_mdn.formats.keypoints.gathered import GatheredPeople
from pose_mdn.formats.keypoints.identities import as_identity
from pose_mdn.formats.keypoints.json_document import json_head, list_pieces
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import COCO17

_LARGEST_NUMBER = 2**62


class PictureNumbers:
    """Frame numbers for pictures that are called by numbers or by names.

    Numbers are kept; names give the last number in them. If these do not tell the pictures apart, they are counted in
    order of appearance.
    """

    def __init__(self) -> None:
        self._places: dict[object, int] = {}

    def places(self, images: Iterable[object]) -> list[int]:
        """For each picture its place among all pictures, in order of appearance."""
        known = self._places
        return [known.setdefault(image, len(known)) for image in images]

    def numbers(self) -> NDArray[np.int64]:
        """The frame number of each picture, by its place."""
        numbers = [frame_number(image) if isinstance(image, str) else image for image in self._places]
        kept = [number for number in numbers if isinstance(number, int)]
        is_known = len(set(kept)) == len(numbers)
        return np.array(kept if is_known else range(len(numbers)), np.int64)


def gather_results(path: Path, options: ReadOptions, *, on_disk: bool = False) -> GatheredPeople:
    """Everybody in a list of {image_id, keypoints}.

    Raises:
        FormatError: It is no such list.
    """
    gatherer = PeopleGatherer(path=path, options=options, default=COCO17, on_disk=on_disk)
    pictures = PictureNumbers()
    for entries in list_pieces(path):
        images, joints, identities = _columns(path, entries)
        gatherer.add_all(pictures.places(images), joints, identities)
    return gatherer.gathered(renumber=pictures.numbers())


def _columns(path: Path, entries: Sequence[object]) -> tuple[list[object], list[list[object]], list[int]]:
    """Pictures, joints and identities of the entries."""
    try:
        images = [entry["image_id"] for entry in entries]  # type: ignore[index]
        joints = [entry["keypoints"] for entry in entries]  # type: ignore[index]
        tracks = [entry.get("idx", entry.get("track_id")) for entry in entries]  # type: ignore[attr-defined]
    except (TypeError, KeyError, AttributeError, IndexError):
        culprit = next(entry for entry in entries if not _is_entry(entry))
        raise _not_an_entry(path, culprit) from None
    if set(map(type, images)) - {int, str}:
        images = [int(image) if isinstance(image, float) and image.is_integer() else image for image in images]
    kinds = set(map(type, images)) <= {int, str} and set(map(type, joints)) <= {list}
    if not kinds or any(type(image) is int and abs(image) >= _LARGEST_NUMBER for image in images):
        raise _not_an_entry(path, next(entry for entry in entries if not _is_entry(entry)))
    if tracks.count(None) == len(tracks):
        return images, joints, [-1] * len(tracks)
    return images, joints, [as_identity(track) for track in tracks]


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    image = entry.get("image_id")
    if isinstance(image, float) and image.is_integer():
        image = int(image)
    is_picture = type(image) is str or (type(image) is int and abs(image) < _LARGEST_NUMBER)
    return is_picture and isinstance(entry.get("keypoints"), list)


def _not_an_entry(path: Path, entry: object) -> Exception:
    return fault(
        path,
        expected="'image_id' and a list 'keypoints' for each person",
        got=shown(entry),
        cure="write COCO's results format",
    )


def read_results(path: Path, options: ReadOptions) -> KeypointSequence:
    """All rows of a list of {image_id, keypoints}."""
    return gather_results(path, options).sequence()


def stream_results(path: Path, options: ReadOptions) -> GatheredPeople:
    """The same piece by piece: a file of any size is parsed once, and its joints wait on disk."""
    return gather_results(path, options, on_disk=is_large(path))


def _recognise(path: Path) -> Recognition | None:
    head = json_head(path)
    if not head.startswith(b"["):
        return None
    if b'"image_id"' in head:
        return Recognition(confidence=0.8, reason="a list with 'image_id'")
    return Recognition(confidence=0.6, reason="an empty list") if head[1:].strip() == b"]" else None


FORMAT = KeypointFormat(
    name="coco_json",
    description="a COCO results JSON, a list of {image_id, keypoints, score}",
    suffixes=(".json",),
    recognise=_recognise,
    read=read_results,
    stream=stream_results,
)
"""COCO's results format, which MMPose, ViTPose and Detectron2 write for evaluation."""
