"""Camera formats by name, and reading a camera of any of them."""

import difflib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pose_mdn.formats.cameras as package
from pose_mdn.formats.cameras.camera_format import CameraFormat
from pose_mdn.formats.faults import fault, unreadable
from pose_mdn.formats.registry import described, discover, named
from pose_mdn.geometry.camera import Camera

_NAMES_SHOWN = 12


@cache
def camera_formats() -> dict[str, CameraFormat]:
    """Every format that can be read, by name: the `FORMAT` of each module of this package that has one."""
    return discover(package, CameraFormat)


def read_cameras(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - it is the word that users look for
) -> dict[str, Camera]:
    """All cameras of a file or folder by name, in file order; lengths are in metres.

    Args:
        path: A calibration file, a COLMAP folder, a photograph, or "human36m" for the cameras of that dataset.
        format: Name of the format; found out from the path and the first bytes if `None`.

    Raises:
        FormatError: The file cannot be read as its format, or holds no camera, or one that makes no sense.
        InputError: No format has this name.
    """
    path = Path(path)
    return (named(camera_formats(), format) if format is not None else _detect(path)).read(path)


def read_camera(path: str | os.PathLike[str], name: str | None = None) -> Camera:
    """One camera of a file or folder.

    Args:
        path: As in `read_cameras`.
        name: Which camera; may be left out if there is only one.

    Raises:
        FormatError: The file cannot be read, has no camera of that name, or several and no name was given.
    """
    return pick_camera(Path(path), read_cameras(path), name)


def pick_camera(path: Path, cameras: Mapping[str, Camera], name: str | None) -> Camera:
    """One camera of those that were read from a path; `read_camera` says when that fails."""
    if name is None and len(cameras) == 1:
        return next(iter(cameras.values()))
    if name is not None and name in cameras:
        return cameras[name]
    names = list(cameras)
    shown = ", ".join(names[:_NAMES_SHOWN]) + (f" and {len(names) - _NAMES_SHOWN} more" * (len(names) > _NAMES_SHOWN))
    if name is None:
        raise fault(path, expected="a name, because there are several cameras", got="none", cure=_choice(shown))
    nearest = difflib.get_close_matches(name, names, n=1)
    cure = f"did you mean {nearest[0]!r}? " if nearest else ""
    raise fault(path, expected="the name of one of its cameras", got=repr(name), cure=cure + _choice(shown))


def split_camera_name(text: str) -> tuple[str, str | None]:
    """The file and the camera's name that `FILE[:NAME]` says; a path that exists is no name, whatever colons it has."""
    file, separator, name = text.rpartition(":")
    is_drive = len(file) == 1 and file.isalpha()
    return (text, None) if not separator or is_drive or Path(text).exists() else (file, name)


def _choice(names: str) -> str:
    return f"choose one of: {names} (as FILE:NAME)"


def _detect(path: Path) -> CameraFormat:
    formats = camera_formats()
    for entry in formats.values():
        if entry.matches(path):
            return entry
    try:
        path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        raise fault(path, expected="a path", got=str(error), cure="check the path") from error
    got = "a folder without them" if path.is_dir() else "another file"
    raise fault(path, expected=f"one of: {described(formats)}", got=got, cure="check it (docs/cameras.md)")
