"""What a keypoints format is."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import Skeleton


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What the user says of a file; it overrides what the file says, and stands in for what it does not.

    Attributes:
        skeleton: The layout of the joints.
        image_size: (width, height) of the pictures in pixels; formats whose coordinates are fractions need it.
        fps: Frames per second.
        clip: Which recording, for files that hold several.
        trust_pickle: Whether pickles inside of a file may be loaded. They can run any program.
    """

    skeleton: Skeleton | None = None
    image_size: tuple[int, int] | None = None
    fps: float | None = None
    clip: str | None = None
    trust_pickle: bool = False


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """How sure a format is that a path is of its kind.

    Attributes:
        confidence: 1 for a signature that no other format has, about 0.5 for a guess by the file's ending.
        reason: What speaks for it, in a few words: "a list with 'image_id' and 'keypoints'".
    """

    confidence: float
    reason: str


class KeypointStream(Protocol):
    """A file that is read piece by piece, so that memory does not grow with it."""

    @property
    def num_rows(self) -> int:
        """N, all rows of the file."""

    def nobody(self) -> KeypointSequence:
        """No rows, with everything that describes the whole file."""

    def chunks(self, rows: int, *, start: int = 0, stop: int | None = None) -> Iterator[KeypointSequence]:
        """Rows `start` to `stop` in order, in sequences of `rows` rows each; the last may be shorter."""


@dataclass(frozen=True, kw_only=True)
class KeypointFormat:
    """A file format that 2D keypoints come in.

    A new one is a module in this package that names an instance `FORMAT`; the registry finds it.

    Attributes:
        name: What users pass as `format=`.
        description: What a file of this format is, in a few words, for messages and documentation.
        suffixes: Endings, in lower case, of the files that are worth a look when a folder is searched.
        recognise: Whether a path looks like this format, and how sure that is; `None` if not. Looks at names and the
            first bytes only and never raises.
        read: Reads a path, or the recording `options.clip` of it. Raises `FormatError`.
        clips: Names of the recordings in a file, for formats that hold several; raises `FormatError`.
        stream: Opens a file that need not fit into memory, for formats that can be read piece by piece.
    """

    name: str
    description: str
    suffixes: tuple[str, ...]
    recognise: Callable[[Path], Recognition | None]
    read: Callable[[Path, ReadOptions], KeypointSequence]
    clips: Callable[[Path, ReadOptions], tuple[str, ...]] | None = None
    stream: Callable[[Path, ReadOptions], KeypointStream] | None = None


def first_bytes(path: Path, count: int = 4096) -> bytes:
    """The beginning of a file, without leading white space; empty if it is no readable file."""
    try:
        state = os.stat(path)
        # All formats ask for the same bytes in turn.
        return _first_bytes(os.fspath(path), count, state.st_mtime_ns, state.st_size)
    except (OSError, ValueError):
        return b""


@lru_cache(maxsize=8)
def _first_bytes(path: str, count: int, _changed: int, _size: int) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(count).lstrip()


def last_bytes(path: Path, count: int = 4096) -> bytes:
    """The end of a file; empty if it is no readable file or cannot be read from its end."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - count))
            return stream.read(count)
    except OSError:
        return b""
