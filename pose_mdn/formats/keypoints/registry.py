"""Keypoints formats by name, telling which one a file is of, and reading it."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pose_mdn.formats.keypoints as package
from pose_mdn.errors import FormatError
from pose_mdn.formats.faults import fault, unreadable
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition
from pose_mdn.formats.registry import discover, named
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import Skeleton, get_skeleton

_NEAR = 0.1
"""Formats whose confidences differ by less are named together."""


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
        rivals: Other formats that are nearly as sure, with theirs, the surest first.
    """

    format: KeypointFormat
    recognition: Recognition
    rivals: tuple[tuple[KeypointFormat, Recognition], ...] = ()

    @property
    def statement(self) -> str:
        """What was found, how sure that is and what else it could be, in one line."""
        text = f"{self.format.name} ({self.recognition.confidence:.2f}: {self.recognition.reason})"
        others = [f"{entry.name} ({found.confidence:.2f}: {found.reason})" for entry, found in self.rivals]
        return f"{text}; it could also be {' or '.join(others)}" if others else text


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
    if format is not None:
        return named(keypoint_formats(), format).read(path, options)
    detected = detect_format(path)
    try:
        return detected.format.read(path, options)
    except FormatError as error:
        if not detected.rivals:
            raise
        names = " or ".join(entry.name for entry, _ in detected.rivals)
        raise FormatError(f"{error} (read as {detected.format.name}; it could also be {names}: format=)") from error


def detect_format(path: Path) -> Detected:
    """The format that is surest of a file or folder.

    Neither its name nor its ending has to be right.

    Raises:
        FormatError: It cannot be read, no format recognises it, or two are equally sure of it.
    """
    try:
        path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        raise fault(path, expected="a path", got=str(error), cure="check the path") from error
    found = _recognised(path)
    if not found:
        raise _unknown(path)
    (chosen, recognition), *others = found
    near = tuple((entry, other) for entry, other in others if other.confidence > recognition.confidence - _NEAR)
    detected = Detected(format=chosen, recognition=recognition, rivals=near)
    if near and near[0][1].confidence == recognition.confidence:
        got = f"what looks as much like {chosen.name} as like {near[0][0].name}"
        raise fault(path, expected="one format", got=got, cure="say which with format=")
    return detected


def is_recording(folder: Path) -> bool:
    """Whether a folder is one recording, such as a file per frame, rather than a place where recordings are kept."""
    return folder.is_dir() and bool(_recognised(folder))


def keypoint_suffixes() -> tuple[str, ...]:
    """Endings, in lower case, of the files that are worth a look when a folder is searched."""
    return tuple(sorted({suffix for entry in keypoint_formats().values() for suffix in entry.suffixes}))


def _recognised(path: Path) -> list[tuple[KeypointFormat, Recognition]]:
    """The formats that recognise a path, the surest first."""
    found = [
        (entry, recognition)
        for entry in keypoint_formats().values()
        if (recognition := entry.recognise(path)) is not None
    ]
    return sorted(found, key=lambda pair: -pair[1].confidence)


def _unknown(path: Path) -> FormatError:
    known = ", ".join(keypoint_formats())
    if not path.is_dir():
        return fault(path, expected=f"one of: {known}", got="another file", cure="check it, or say which with format=")
    with os.scandir(path) as entries:
        has_json = any(entry.name.endswith(".json") for entry in entries)
    got = "a folder whose .json files are not frames of one recording" if has_json else "a folder without .json files"
    cure = "pass the files one by one" if has_json else "pass the folder that holds the frames themselves"
    return fault(path, expected=f"one of: {known}", got=got, cure=cure)
