"""Pictures of frames, small enough to lie inside a page."""

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError

Image = NDArray[np.uint8]

_IMAGE_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
_LONGER_SIDES_PX = (1280, 960, 720, 540, 400, 300)
"""Tried in this order until all pictures fit."""
_QUALITY = 75
_RESERVE = 1.2
"""By how much later pictures may be larger than the first, from which the size is chosen."""
_BASE64 = 4 / 3


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """JPEG files by frame.

    Attributes:
        size: (width, height) of the pictures as they were taken, in pixels.
        jpegs: Scaled down, by frame number.
    """

    size: tuple[int, int]
    jpegs: dict[int, bytes]

    def element(self) -> str:
        """A script element with data URIs for the page."""
        uris = {
            frame: f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
            for frame, jpeg in self.jpegs.items()
        }
        return f'\n<script type="application/json" id="pictures">{json.dumps(uris)}</script>'


def collect_pictures(path: Path, frames: Sequence[int], *, max_megabytes: float) -> Pictures:
    """Find the pictures of frames and make them small.

    Args:
        path: A folder of images whose names end in the frame's number, a video whose first picture is frame 0, or one
            image if there is one frame.
        frames: Ascending frame numbers.
        max_megabytes: Bound on what is embedded; pictures get smaller, and at last fewer, to stay within.

    Raises:
        InputError: Nothing can be read, no picture belongs to a frame, or pictures differ in size.
    """
    size, jpegs, left = None, dict[int, bytes](), max_megabytes * 1e6 / _BASE64
    side, step = 0, 1
    count = len(_numbered(path).keys() & set(frames)) if path.is_dir() else len(frames)
    for frame, image in _images(path, frames):
        height, width = image.shape[:2]
        if size is None:
            size = width, height
            side, step = _fitting(image, count, left)
        if size != (width, height):
            raise InputError(
                f"{path}: expected pictures of one size, got {width} x {height} px for frame {frame} after "
                f"{size[0]} x {size[1]} px",
                field="images",
            )
        if frames.index(frame) % step:
            continue
        jpeg = _encode(image, side)
        left -= len(jpeg)
        if left < 0 and jpegs:
            break
        jpegs[frame] = jpeg
    if size is None:
        raise InputError(
            f"{path}: expected pictures of the frames {frames[0]} to {frames[-1]}, got none; files are found by the "
            "last number in their names, pictures of a video are counted from 0",
            field="images",
        )
    return Pictures(size=size, jpegs=jpegs)


def _fitting(image: Image, count: int, budget: float) -> tuple[int, int]:
    """Longer side and step with which about `count` pictures like this stay within a number of bytes."""
    length = 1.0
    for side in _LONGER_SIDES_PX:
        length = _RESERVE * count * len(_encode(image, side))
        if length <= budget:
            return side, 1
    return _LONGER_SIDES_PX[-1], int(np.ceil(length / budget))


def _encode(image: Image, longer_side: int) -> bytes:
    scale = min(1.0, longer_side / max(image.shape[:2]))
    small = image if scale == 1.0 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(jpeg.tobytes())


def _images(path: Path, frames: Sequence[int]) -> Iterator[tuple[int, Image]]:
    if path.is_dir():
        yield from _from_folder(path, frames)
    elif path.suffix.lower() in _IMAGE_SUFFIXES:
        if len(frames) > 1:
            raise InputError(
                f"{path}: expected a folder or a video, since there are {len(frames)} frames, got one image",
                field="images",
            )
        yield frames[0], _read(path)
    else:
        yield from _from_video(path, frames)


def _from_folder(folder: Path, frames: Sequence[int]) -> Iterator[tuple[int, Image]]:
    found = _numbered(folder)
    for frame in frames:
        if frame in found:
            yield frame, _read(found[frame])


def _numbered(folder: Path) -> dict[int, Path]:
    """Images by the last number in their names."""
    found: dict[int, Path] = {}
    for file in sorted(folder.iterdir()):
        number = re.search(r"(\d+)\D*$", file.stem)
        if number and file.suffix.lower() in _IMAGE_SUFFIXES:
            found.setdefault(int(number[1]), file)
    return found


def _from_video(path: Path, frames: Sequence[int]) -> Iterator[tuple[int, Image]]:
    video = cv2.VideoCapture(str(path))
    if not path.exists() or not video.isOpened():
        raise InputError(f"{path}: expected a folder of images, an image or a video, got none", field="images")
    try:
        wanted = set(frames)
        # Containers seek to the nearest key frame only, so every picture is passed by.
        for frame in range(frames[-1] + 1):
            if not video.grab():
                return
            if frame in wanted:
                is_read, image = video.retrieve()
                if is_read:
                    yield frame, np.asarray(image, np.uint8)
    finally:
        video.release()


def _read(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{path}: expected an image, got a file that cannot be read as one", field="images")
    return np.asarray(image, np.uint8)
