"""Folders that hold one JSON file per frame."""

import os
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from pose_mdn.formats.faults import fault, unreadable
from pose_mdn.formats.keypoints.json_document import json_head
from pose_mdn.formats.keypoints.keypoint_format import Recognition

_DIGITS = re.compile(r"[0-9]+")
_SUFFIX = ".json"
_OPENPOSE_ENDING = "_keypoints.json"
_SAMPLE = 8
"""So many files of a folder are looked at to tell what it holds."""
_SHARE = 0.75
"""This share of them must be frames of one format, so that a stray file does not hide a recording."""


def frame_number(name: str) -> int | None:
    """The last number in a file's name, such as 12 in "walk_000000000012_keypoints.json"; `None` if there is none."""
    stem = name.rsplit(".", 1)[0].removesuffix("_keypoints")
    numbers = _DIGITS.findall(stem)
    # 18 digits fit 64 bits.
    return int(numbers[-1][-18:]) if numbers else None


def recordings_in(folder: Path) -> tuple[str, ...]:
    """Names of the recordings whose frames lie mixed in a folder, such as "walk" of "walk_000000000012_keypoints.json".

    There are several only if frames of the same number tell them apart; otherwise none is named.

    Raises:
        FormatError: The folder cannot be read.
    """
    names = _readable_names(folder)
    numbers = [frame_number(name) for name in names]
    if len(set(numbers)) == len(numbers):
        return ()
    return tuple(sorted({_recording_of(name) for name in names}))


def numbered_files(folder: Path, recording: str | None = None) -> list[tuple[int, str]]:
    """Frame number and path of each frame's file, ordered by frame.

    Args:
        folder: Where they are.
        recording: Which of `recordings_in`; all files belong together if `None`.

    Raises:
        FormatError: The folder cannot be read or has no JSON files; a name has no number, or two have the same.
    """
    names = _readable_names(folder)
    if recording is not None:
        names = [name for name in names if _recording_of(name) == recording]
    if not names:
        raise fault(
            folder,
            expected="a folder of .json files, one per frame",
            got="none in it",
            cure="pass the folder that holds the frames themselves",
        )
    prefix = os.path.join(os.fspath(folder), "")
    numbered: dict[int, str] = {}
    for name in names:
        number = frame_number(name)
        if number is None:
            cure = "name it like 000012.json"
            raise fault(folder / name, expected="a frame number in the file's name", got="none", cure=cure)
        if number in numbered:
            raise fault(
                folder,
                expected="one file per frame",
                got=f"{os.path.basename(numbered[number])} and {name} for frame {number}",
                cure="name the recording (clip=), or keep each in a folder of its own",
            )
        numbered[number] = prefix + name
    return sorted(numbered.items())


def _readable_names(folder: Path) -> Sequence[str]:
    try:
        return _json_names(folder)
    except OSError as error:
        raise unreadable(folder, error) from error


def _recording_of(name: str) -> str:
    """What stands before the last number of a file's name."""
    stem = name.rsplit(".", 1)[0].removesuffix("_keypoints")
    numbers = list(_DIGITS.finditer(stem))
    before = stem[: numbers[-1].start()] if numbers else stem
    return before.rstrip(" _-.") or "frames"


def recognise_frames(folder: Path, is_frame: Callable[[bytes], bool], described: str) -> Recognition | None:
    """Whether a folder holds one recording, a file per frame.

    Args:
        folder: A folder.
        is_frame: Whether a file that begins like this is one frame of the format, with people in it.
        described: What such a file is, for the reason.
    """
    try:
        heads = _sample_heads(folder)
    except OSError:
        return None
    # Frames with nobody look alike in several formats and speak for none.
    telling = [head for head in heads if head and not _is_empty_list(head)]
    share = sum(map(is_frame, telling)) / len(telling) if telling else 0.0
    if share < _SHARE:
        return None
    reason = f"a folder of .json files, {described} each"
    return Recognition(confidence=0.9 if share == 1 else 0.7, reason=reason)


def _is_empty_list(head: bytes) -> bool:
    return head.startswith(b"[") and head[1:].strip() == b"]"


def _sample_heads(folder: Path) -> list[bytes]:
    """Beginnings of a few of the folder's files; several formats ask for the same ones in turn."""
    names = _names_at(os.fspath(folder), folder.stat().st_mtime_ns)
    heads = []
    for name in names[:: max(1, -(-len(names) // _SAMPLE))]:
        path = os.path.join(folder, name)
        state = os.stat(path)
        heads.append(_head_at(path, state.st_mtime_ns, state.st_size))
    return heads


@lru_cache(maxsize=4)
def _names_at(folder: str, changed: int) -> Sequence[str]:
    return _json_names(Path(folder))


@lru_cache(maxsize=4 * _SAMPLE)
def _head_at(path: str, changed: int, size: int) -> bytes:
    return json_head(Path(path))


def _json_names(folder: Path) -> Sequence[str]:
    """Names of the folder's JSON files; others are left alone if some have OpenPose's ending."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(_SUFFIX) and not name.startswith("."))
    return [name for name in names if name.endswith(_OPENPOSE_ENDING)] or names
