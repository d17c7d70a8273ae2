"""Keypoints formats by name, telling which one a file is of, and reading it."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pose_mdn.formats.keypoints as package
from pose_mdn.formats.faults import fault, unreadable
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition
from pose_mdn.formats.registry import described, discover, named
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import Skeleton, get_skeleton


@cache
def keypoint_formats() -> dict[str, KeypointFormat]:
    """Every format that can be read, by name: the `FORMAT` of each module of this package that has one."""
    return discover(package, KeypointFormat)


@dataclass(frozen=True, kw_only=True)
class Detected:
    """The format that a file seems to be of.

    Attributes:
        format: It.
        recognition: How sure that is, and why.
    """

    format: KeypointFormat
    recognition: Recognition


def read_keypoints(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - it is the word that users look for
    skeleton: str | Skeleton | None = None,
    image_size: tuple[int, int] | None = None,
    fps: float | None = None,
    clip: str | None = None,
    trust_pickle: bool = False,
) -> KeypointSequence:
    """Read 2D keypoints from a file or a folder of any known format.

    Missing joints come back as NaN with confidence 0, whatever the format writes for them; confidences are clipped to
    [0, 1].

    Args:
        path: A file or folder of one of `keypoint_formats()`.
        format: Name of the format; found out from the path and the first bytes if `None`.
        skeleton: The layout of the joints; taken from the file, or told by the number of joints, if `None`.
        image_size: (width, height) in pixels, if the file does not say.
        fps: Frames per second, if the file does not say.
        clip: Which recording, for files that hold several.
        trust_pickle: Whether pickles inside of the file may be loaded. They can run any program.

    Raises:
        FormatError: The file cannot be read as its format; one line says which file, what was expected and what came.
        InputError: No format has this name.
        UnknownSkeletonError: No skeleton has this name.
    """
    path = Path(path)
    layout = get_skeleton(skeleton) if isinstance(skeleton, str) else skeleton
    options = ReadOptions(skeleton=layout, image_size=image_size, fps=fps, clip=clip, trust_pickle=trust_pickle)
    chosen = named(keypoint_formats(), format) if format is not None else detect_format(path).format
    return chosen.read(path, options)


def detect_format(path: Path) -> Detected:
    """The format that is surest of a file or folder.

    Raises:
        FormatError: It cannot be read, or no format recognises it.
    """
    try:
        path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        raise fault(path, expected="a path", got=str(error), cure="check the path") from error
    formats = keypoint_formats()
    found = [
        Detected(format=entry, recognition=recognition)
        for entry in formats.values()
        if (recognition := entry.recognise(path)) is not None
    ]
    if found:
        return max(found, key=lambda detected: detected.recognition.confidence)
    known = described(formats)
    if path.is_dir():
        cure = "pass the folder that holds the frames themselves"
        raise fault(path, expected=f"one of: {known}", got="a folder without .json files", cure=cure)
    raise fault(path, expected=f"one of: {known}", got="another file", cure="check it, or say which with format=")
