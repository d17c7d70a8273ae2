"""What a keypoints format is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import Skeleton


@dataclass(frozen=True, kw_only=True)
class KeypointFormat:
    """A file format that 2D keypoints come in.

    A new one is a module in this package that names an instance `FORMAT`; the registry finds it.

    Attributes:
        name: What users pass as `format=`.
        description: What a file of this format is, in a few words, for messages and documentation.
        matches: Whether a path looks like this format. Looks at names and first bytes only and never raises.
        read: Reads a path. The skeleton, if not `None`, overrides what the file says or suggests. Raises `FormatError`.
    """

    name: str
    description: str
    matches: Callable[[Path], bool]
    read: Callable[[Path, Skeleton | None], KeypointSequence]


def first_bytes(path: Path, count: int = 4096) -> bytes:
    """The beginning of a file, without leading white space; empty if it is no readable file."""
    try:
        with path.open("rb") as stream:
            return stream.read(count).lstrip()
    except OSError:
        return b""
