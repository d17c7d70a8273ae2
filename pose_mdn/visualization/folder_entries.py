"""What a folder's page says of each clip, as values that can be kept as JSON beside the results."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pose_mdn.errors import InputError
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.quality import ClipQuality, QualityCounter
from pose_mdn.visualization.folder_thumbnail import ThumbnailRows

_TEXTS = ("name", "source", "result", "thumbnail", "format", "skeleton")


@dataclass(frozen=True, kw_only=True)
class ClipEntry:
    """One clip of a folder.

    Attributes:
        name: What people call it; a path without suffix, relative to the folder, tells clips of subfolders apart.
        source: What was lifted, as the user named it.
        result: The file with its poses; a path relative to the page, or a URL.
        viewer: Its page; a path relative to the folder's page, `None` if there is none.
        quality: Its figures.
        thumbnail: An SVG document; empty if there is nothing to see.
        format: Format of the source.
        skeleton: Layout of the source's joints.
    """

    name: str
    source: str
    result: str
    viewer: str | None
    quality: ClipQuality
    thumbnail: str
    format: str
    skeleton: str

    def to_dict(self) -> dict[str, object]:
        """The entry, ready for JSON."""
        texts: dict[str, object] = {name: getattr(self, name) for name in _TEXTS}
        return texts | {"viewer": self.viewer, "quality": self.quality.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """The entry that `to_dict` gave.

        Raises:
            InputError: A value is missing or of the wrong kind.
        """
        quality, viewer = values.get("quality"), values.get("viewer")
        if not isinstance(quality, Mapping) or not isinstance(viewer, str | None):
            raise InputError(
                "clip: expected figures as 'quality' and a path or nothing as 'viewer', got something else; "
                "lift the clip again",
                field="quality",
            )
        return cls(
            **{name: _text(values, name) for name in _TEXTS}, viewer=viewer, quality=ClipQuality.from_dict(quality)
        )


@dataclass(frozen=True, kw_only=True)
class FailedEntry:
    """An input that could not be lifted.

    Attributes:
        source: As the user named it.
        reason: Why not; one line.
    """

    source: str
    reason: str


class ClipDescriber:
    """Collects what a folder's page says of a clip while its rows pass, in order and in pieces of any size."""

    def __init__(self) -> None:
        self._quality, self._rows = QualityCounter(), ThumbnailRows()

    def add(self, part: HypothesisSequence) -> None:
        """See the next rows of the clip."""
        self._quality.add(part)
        self._rows.add(part)

    def result(self) -> tuple[ClipQuality, str]:
        """Figures and thumbnail of all rows so far."""
        return self._quality.result(), self._rows.svg()


def describe_clip(hypotheses: HypothesisSequence) -> tuple[ClipQuality, str]:
    """Figures and thumbnail of a whole clip."""
    describer = ClipDescriber()
    describer.add(hypotheses)
    return describer.result()


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise InputError(
            f"clip: expected a text as {name!r}, got {type(value).__name__}; lift the clip again", field=name
        )
    return value
