"""MMPose JSON: what its demos (`meta_info`, `instance_info`) and its inferencers (`predictions/*.json`) write.

Keys after MMPose 1.3, `structures/utils.py:split_instances`, `apis/inferencers/base_mmpose_inferencer.py` and
`demo/topdown_demo_with_mmdet.py`. Boxes are not used (`bbox` is a list within a list there).
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.keypoints.detections import PeopleGatherer, is_large
from pose_mdn.formats.keypoints.frame_files import frame_number, numbered_files, recognise_frames
from pose_mdn.formats.keypoints.gathered import GatheredPeople
from pose_mdn.formats.keypoints.identities import as_identity
from pose_mdn.formats.keypoints.joint_values import pairs_and_scores
from pose_mdn.formats.keypoints.json_document import json_head, list_pieces, read_json
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition
from pose_mdn.formats.keypoints.named_joints import BodyLayout, stated_layout
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import COCO17

_LARGEST_NUMBER = 2**62
_CURE = "write what MMPose's demo or inferencer writes"
_PAIRS = re.compile(rb'"keypoints"\s*:\s*\[\s*\[')
Frames = Iterable[tuple[int, object, Path]]
"""Number, list of instances and file of each frame."""


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    return _gather(path, options).sequence()


def _stream(path: Path, options: ReadOptions) -> GatheredPeople:
    return _gather(path, options, on_disk=is_large(path))


def _gather(path: Path, options: ReadOptions, *, on_disk: bool = False) -> GatheredPeople:
    if path.is_dir():
        frames: Frames = ((frame, read_json(Path(file)), Path(file)) for frame, file in numbered_files(path))
        named = None
    elif json_head(path).startswith(b"{"):
        frames, named = _parts_of_object(path, options)
    else:
        frames, named = _frames_of_list(path, list_pieces(path)), None
    gatherer = PeopleGatherer(
        path=path, options=options, default=COCO17, unpack=pairs_and_scores, named=named, on_disk=on_disk
    )
    empty = []
    for frame, instances, file in frames:
        if not isinstance(instances, list):
            raise fault(file, expected=f"a list of instances in frame {frame}", got=shown(instances), cure=_CURE)
        if not instances:
            empty.append(frame)
        for instance in instances:
            joints, identity = _joints_of(file, frame, instance)
            gatherer.add(frame, joints, identity, str(file))
    return gatherer.gathered(empty)


def _joints_of(path: Path, frame: int, instance: object) -> tuple[tuple[object, object], int]:
    if not isinstance(instance, dict) or not isinstance(joints := instance.get("keypoints"), list):
        expected = f"a list 'keypoints' for each instance of frame {frame}"
        raise fault(path, expected=expected, got=shown(instance), cure=_CURE)
    return (joints, instance.get("keypoint_scores")), as_identity(instance.get("track_id"))


def _parts_of_object(path: Path, options: ReadOptions) -> tuple[Frames, BodyLayout | None]:
    document = read_json(path)
    if isinstance(document, dict):
        for key in ("instance_info", "predictions"):
            if isinstance(entries := document.get(key), list):
                return _frames_of_list(path, [entries]), _named(path, document.get("meta_info"), options)
    expected = "an object with a list 'instance_info', or a list of instances or of frames"
    raise fault(path, expected=expected, got=shown(document), cure=_CURE)


def _frames_of_list(path: Path, pieces: Iterable[list[object]]) -> Iterator[tuple[int, object, Path]]:
    """Frames of a list of frames, of a list of lists of instances, or of one list of instances."""
    instances: list[object] | None = []
    counted = 0
    for entries in pieces:
        for entry in entries:
            if isinstance(entry, dict) and "instances" in entry:
                yield _frame_id(path, entry.get("frame_id")), entry["instances"], path
            elif isinstance(entry, list):
                yield counted, entry, path
            elif instances is not None:
                instances.append(entry)
                continue
            else:
                raise fault(path, expected="a list of frames throughout", got=shown(entry), cure=_CURE)
            if instances:
                raise fault(path, expected="a list of instances throughout", got=shown(entry), cure=_CURE)
            instances, counted = None, counted + 1
    if instances is not None:
        yield frame_number(path.name) or 0, instances, path


def _frame_id(path: Path, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _LARGEST_NUMBER:
        raise fault(path, expected="a whole number 'frame_id' for each frame", got=shown(value), cure=_CURE)
    return value


def _named(path: Path, meta: object, options: ReadOptions) -> BodyLayout | None:
    """The layout, by the names that the file gives its joints."""
    table = meta.get("keypoint_id2name") if isinstance(meta, dict) else None
    if not isinstance(table, dict) or options.skeleton is not None:
        return None
    return stated_layout(path, [table.get(str(place)) for place in range(len(table))])


def _is_frame(head: bytes) -> bool:
    return (
        head.startswith(b"[") and head[1:].lstrip().startswith(b"{") and _has_instances(head) and not _has_frames(head)
    )


def _has_instances(head: bytes) -> bool:
    return b'"keypoint_scores"' in head or _PAIRS.search(head) is not None


def _has_frames(head: bytes) -> bool:
    return b'"frame_id"' in head and b'"instances"' in head


def _recognise(path: Path) -> Recognition | None:
    if path.is_dir():
        return recognise_frames(path, _is_frame, "a list of instances")
    head = json_head(path)
    found = _signature(head) if head.startswith((b"[", b"{")) else None
    return Recognition(confidence=found[0], reason=found[1]) if found else None


def _signature(head: bytes) -> tuple[float, str] | None:
    """How sure a beginning is of this format, and why."""
    is_object = head.startswith(b"{")
    meta = b'"meta_info"' in head and b'"annotations"' not in head
    signs = {
        (0.95, "an object with 'meta_info' or 'instance_info'"): is_object and (b'"instance_info"' in head or meta),
        (0.9, "an object with 'predictions'"): is_object and b'"predictions"' in head and _has_instances(head),
        (0.95, "a list of frames with 'instances'"): not is_object and _has_frames(head),
        (0.95, "a list with 'keypoint_scores'"): not is_object and b'"keypoint_scores"' in head,
        (0.7, "a list with pairs as 'keypoints'"): not is_object and _has_instances(head) and b'"image_id"' not in head,
    }
    return next((sign for sign, found in signs.items() if found), None)


FORMAT = KeypointFormat(
    name="mmpose_json",
    description="an MMPose or RTMPose JSON, {meta_info, instance_info} or a list of frames or instances, or a folder "
    "of lists, one per frame",
    suffixes=(".json",),
    recognise=_recognise,
    read=_read,
    stream=_stream,
)
"""What MMPose's demos and inferencers write."""
