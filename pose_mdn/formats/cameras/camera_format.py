"""What a camera format is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pose_mdn.geometry.camera import Camera


@dataclass(frozen=True, kw_only=True)
class CameraFormat:
    """A file format that calibrated cameras come in.

    A new one is a module in this package that names an instance `FORMAT`; the registry finds it.

    Attributes:
        name: What users pass as `format=`.
        description: What a file of this format is, in a few words, for messages and documentation.
        matches: Whether a path looks like this format. Looks at names and first bytes only and never raises.
        read: All cameras of a path by name, in file order, lengths in metres. Raises `FormatError`.
    """

    name: str
    description: str
    matches: Callable[[Path], bool]
    read: Callable[[Path], dict[str, Camera]]
