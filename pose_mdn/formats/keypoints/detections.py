"""People as JSON formats list them, gathered into a sequence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import to_float32
from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.formats.keypoints.missing import mark_missing, refuse_normalized
from pose_mdn.formats.keypoints.openpose_layout import tell_body25_from_body25b
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import BLAZEPOSE33, BODY25, COCO17, HALPE26, MPII16, Skeleton

NOBODY = -1
"""`person` of the row that stands for a frame without anybody."""

_BY_COUNT: Mapping[int, Skeleton] = {
    skeleton.num_joints: skeleton for skeleton in (MPII16, COCO17, BODY25, HALPE26, BLAZEPOSE33)
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Detection:
    """One person in one frame.

    Attributes:
        values: Flat x, y, confidence per joint, as parsed; empty if only other parts of the person were found.
        identity: The tracker's number for the person, if there is one.
        path: The file it came from, for messages.
    """

    values: Sequence[object]
    identity: int | None
    path: Path


def build_sequence(
    path: Path, frames: Mapping[int, Sequence[Detection]], options: ReadOptions, *, default: Skeleton
) -> KeypointSequence:
    """Gather detections, ordered by frame and then by person.

    Args:
        path: The file or folder, for messages.
        frames: Frame number -> people; a frame with none gets one row with person -1.
        options: With the layout, or `None` in its place to tell it from the joints.
        default: The layout if there is nobody to tell it from.

    Raises:
        FormatError: Numbers of joints differ, fit no layout, or fit another than asked; values are no numbers.
    """
    rows = [(frame, person, detection) for frame in sorted(frames) for person, detection in _identify(frames[frame])]
    present = [i for i, (_, _, detection) in enumerate(rows) if detection is not None and len(detection.values)]
    people = [detection for _, _, detection in rows if detection is not None and len(detection.values)]
    joints = _parse(path, people, _count_joints(people, options.skeleton or default))
    layout = options.skeleton or _tell_skeleton(path, joints, default)
    if people and joints.shape[1] != layout.num_joints:
        raise fault(
            people[0].path,
            expected=f"{layout.num_joints} joints for skeleton {layout.name!r}",
            got=f"{joints.shape[1]}",
            cure="pass the skeleton that the detector used",
        )
    keypoints_px = np.full((len(rows), layout.num_joints, 2), np.nan, np.float32)
    confidence = np.zeros((len(rows), layout.num_joints), np.float32)
    keypoints_px[present], confidence[present] = joints[..., :2], joints[..., 2]
    refuse_normalized(path, keypoints_px)
    return KeypointSequence(
        keypoints_px=keypoints_px,
        confidence=confidence,
        skeleton=layout,
        frame=np.array([frame for frame, _, _ in rows], np.int64),
        person=np.array([person for _, person, _ in rows], np.int64),
        image_size=options.image_size,
        fps=options.fps,
        tracked=all(_has_identities(people) for people in frames.values()),
    )


def _identify(people: Sequence[Detection]) -> list[tuple[int, Detection | None]]:
    """Number the people of one frame, in ascending order.

    A tracker's number is kept; who has none, or one that somebody else has, is numbered by place in the list, or by the
    next number that is free in this frame.
    """
    if not people:
        return [(NOBODY, None)]
    numbered: dict[int, Detection] = {}
    unnumbered: list[tuple[int, Detection]] = []
    for place, detection in enumerate(people):
        if detection.identity is None or detection.identity in numbered:
            unnumbered.append((place, detection))
        else:
            numbered[detection.identity] = detection
    for place, detection in unnumbered:
        number = place
        while number in numbered:
            number += 1
        numbered[number] = detection
    return sorted(numbered.items())


def _has_identities(people: Sequence[Detection]) -> bool:
    """Whether a tracker's numbers tell the people of a frame apart."""
    numbers = {detection.identity for detection in people}
    return len(numbers) == len(people) and None not in numbers


def _count_joints(people: Sequence[Detection], default: Skeleton) -> int:
    """The one number of joints that all people have."""
    lengths = {len(detection.values): detection for detection in people}
    for length, detection in lengths.items():
        if length % 3:
            raise fault(
                detection.path,
                expected="x, y, confidence for each joint",
                got=f"{length} numbers",
                cure="write three per joint",
            )
    if len(lengths) > 1:
        (first, _), (other, detection) = list(lengths.items())[:2]
        raise fault(
            detection.path,
            expected=f"{first // 3} joints as other people here have",
            got=f"{other // 3}",
            cure="keep recordings of different layouts apart",
        )
    return next(iter(lengths), 3 * default.num_joints) // 3


def _parse(path: Path, people: Sequence[Detection], count: int) -> NDArray[np.float32]:
    """(P, J, 3) x, y, confidence with missing joints marked."""
    try:
        # One conversion for all is many times faster than one per person.
        values = np.array([detection.values for detection in people], np.float64).reshape(len(people), count, 3)
    except (TypeError, ValueError, OverflowError):
        culprit = next((person for person in people if not _is_numeric(person.values)), people[0])
        raise fault(
            culprit.path,
            expected=f"{3 * count} numbers per person",
            got=shown(list(culprit.values)),
            cure="write x, y, confidence for each joint",
        ) from None
    # Detectors write (0, 0) for a joint that they did not find, some of them with a confidence.
    values[(values[..., :2] == 0).all(axis=-1), 2] = 0
    joints = to_float32(values)
    keypoints_px, confidence = mark_missing(path, joints[..., :2], joints[..., 2])
    return np.concatenate([keypoints_px, confidence[..., None]], axis=-1)


def _is_numeric(values: Sequence[object]) -> bool:
    return all(
        value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**62) for value in values
    )


def _tell_skeleton(path: Path, joints: NDArray[np.float32], default: Skeleton) -> Skeleton:
    if not len(joints):
        return default
    count = joints.shape[1]
    if count not in _BY_COUNT:
        known = ", ".join(f"{number} ({skeleton.name})" for number, skeleton in _BY_COUNT.items())
        raise fault(
            path,
            expected=f"a known number of joints: {known}",
            got=f"{count}",
            cure="convert it to one of these layouts",
        )
    return tell_body25_from_body25b(joints) if count == BODY25.num_joints else _BY_COUNT[count]
