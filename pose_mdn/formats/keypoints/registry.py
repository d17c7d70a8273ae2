"""Keypoints formats by name, and reading a file of any of them."""

import os
from functools import cache
from pathlib import Path

import pose_mdn.formats.keypoints as package
from pose_mdn.formats.faults import fault, unreadable
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat
from pose_mdn.formats.registry import described, discover, named
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import Skeleton, get_skeleton


@cache
def keypoint_formats() -> dict[str, KeypointFormat]:
    """Every format that can be read, by name: the `FORMAT` of each module of this package that has one."""
    return discover(package, KeypointFormat)


def read_keypoints(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - it is the word that users look for
    skeleton: str | Skeleton | None = None,
) -> KeypointSequence:
    """Read 2D keypoints from a file or a folder of any known format.

    Missing joints come back as NaN with confidence 0, whatever the format writes for them; confidences are clipped to
    [0, 1].

    Args:
        path: A keypoints `.npz`, a folder of OpenPose JSON files or one of them, or a COCO results JSON.
        format: Name of the format; found out from the path and the first bytes if `None`.
        skeleton: The layout of the joints; taken from the file, or told by the number of joints, if `None`.

    Raises:
        FormatError: The file cannot be read as its format; one line says which file, what was expected and what came.
        InputError: No format has this name.
        UnknownSkeletonError: No skeleton has this name.
    """
    path = Path(path)
    layout = get_skeleton(skeleton) if isinstance(skeleton, str) else skeleton
    return (named(keypoint_formats(), format) if format is not None else _detect(path)).read(path, layout)


def _detect(path: Path) -> KeypointFormat:
    try:
        path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        raise fault(path, expected="a path", got=str(error), cure="check the path") from error
    formats = keypoint_formats()
    for entry in formats.values():
        if entry.matches(path):
            return entry
    known = described(formats)
    if path.is_dir():
        cure = "pass the folder that holds the frames themselves"
        raise fault(path, expected=f"one of: {known}", got="a folder without .json files", cure=cure)
    raise fault(path, expected=f"one of: {known}", got="another file", cure="check it, or say which with format=")
