"""Model bundles: a folder `NAME/VERSION/` that holds a model, what it is, and the checksums that prove it unaltered.

mdn_lifter/1/
  model.onnx     the graph, weights inside
  config.json    {"name": "mdn_lifter", "version": "1", "num_hypotheses": 5, "licence": ..., "training_data": ...}
  README.md      model card
  SHA256SUMS     as `sha256sum` writes it, for every file above
"""

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from pose_mdn.errors import BundleError, ModelNotFoundError

BUNDLED_REPOSITORY = Path(__file__).resolve().parent.parent / "bundles"
"""The model repository inside the package."""

CONFIG_FILE = "config.json"
SUMS_FILE = "SHA256SUMS"
DEFAULT_GRAPH_FILE = "model.onnx"

_SUMS_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A verified model folder.

    Attributes:
        name: What the model is called, "mdn_lifter".
        version: Its version, "1".
        path: The folder.
        config: `config.json`, parsed.
    """

    name: str
    version: str
    path: Path
    config: Mapping[str, object]

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Read a bundle and verify every checksum.

        Raises:
            BundleError: A file is missing, altered, or lies outside of the folder, or the config is not one.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise BundleError(f"{folder}: expected a model folder with {CONFIG_FILE} and {SUMS_FILE}, got no folder")
        sums = _read_sums(folder)
        for name, expected in sums.items():
            _verify(folder, name, expected)
        config = _read_config(folder)
        bundle = cls(
            name=str(config.get("name", folder.resolve().parent.name)),
            version=str(config.get("version", folder.name)),
            path=folder,
            config=config,
        )
        for needed in (CONFIG_FILE, *(path.name for path in bundle.graph_paths.values())):
            if needed not in sums:
                raise BundleError(f"{folder}: expected {SUMS_FILE} to list {needed}, got only {', '.join(sums)}")
        return bundle

    @property
    def graph_file(self) -> str:
        """Name of the graph's file within the folder."""
        return str(self.config.get("graph", DEFAULT_GRAPH_FILE))

    @property
    def graph_path(self) -> Path:
        """The ONNX graph."""
        return self.path / self.graph_file

    @property
    def kind(self) -> str:
        """What the model does: "lifter" takes keypoints, "pose_prior" has the graphs `encode` and `decode`."""
        return str(self.config.get("kind", "lifter"))

    @property
    def graph_paths(self) -> Mapping[str, Path]:
        """Every ONNX graph by its part, "encode" and the like; the one graph of a lifter under the empty name."""
        graphs = self.config.get("graphs")
        if not isinstance(graphs, dict):
            return {"": self.graph_path}
        return {str(part): self.path / str(file) for part, file in graphs.items()}

    @property
    def licence(self) -> str:
        """Licence of the weights, or "not stated"."""
        return self._text("licence")

    @property
    def training_data(self) -> str:
        """What the weights were trained on, or "not stated"."""
        return self._text("training_data")

    @property
    def num_hypotheses(self) -> int | None:
        """M, the number of hypotheses per pose; `None` for models that do not lift."""
        value = self.config.get("num_hypotheses")
        return value if isinstance(value, int) else None

    def _text(self, key: str) -> str:
        value = self.config.get(key, "not stated")
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def list_bundles(repository: Path | None = None) -> list[Bundle]:
    """All bundles of a model repository, by name, then version.

    Args:
        repository: Folder of `NAME/VERSION/` folders; the bundles inside the package by default.

    Raises:
        BundleError: One of them is broken.
    """
    return [Bundle.open(folder) for folder in _folders(repository or BUNDLED_REPOSITORY)]


def find_bundle(model: str | Path, repository: Path | None = None) -> Bundle:
    """Open a bundle by name (its highest version), by "name/version", or by the path of its folder.

    Raises:
        ModelNotFoundError: There is none; the message names those that exist.
        BundleError: It is broken.
    """
    if (Path(model) / CONFIG_FILE).is_file():
        return Bundle.open(model)
    wanted, folders = str(model), _folders(repository or BUNDLED_REPOSITORY)
    matching = [folder for folder in folders if wanted in (folder.parent.name, _label(folder))]
    if matching:
        return Bundle.open(matching[-1])
    labels = [_label(folder) for folder in folders]
    near = difflib.get_close_matches(wanted, [*labels, *(folder.parent.name for folder in folders)], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ModelNotFoundError(
        f"model: expected one of {', '.join(labels) or '(no bundles)'}, or the path of a folder with {CONFIG_FILE}, "
        f"got {wanted!r}{hint}"
    )


def _label(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


def _folders(repository: Path) -> list[Path]:
    found = [file.parent for file in repository.glob(f"[!.]*/[!.]*/{CONFIG_FILE}")]
    # Versions count as numbers where they are numbers: 10 comes after 9.
    return sorted(found, key=lambda folder: (folder.parent.name, folder.name.isdigit(), folder.name.zfill(20)))


def _read_sums(folder: Path) -> dict[str, str]:
    """Expected checksum of each file, by its name within the folder."""
    sums = {}
    for line in _read_text(folder, SUMS_FILE).splitlines():
        if not line.strip():
            continue
        match = _SUMS_LINE.fullmatch(line)
        if match is None:
            raise BundleError(f"{folder}: expected lines of '<sha256>  <file>' in {SUMS_FILE}, got {line[:80]!r}")
        sums[match[2]] = match[1].lower()
    return sums


def _verify(folder: Path, name: str, expected: str) -> None:
    relative = PurePosixPath(name)
    inside = not relative.is_absolute() and ".." not in relative.parts
    file = folder / name
    if not (inside and file.resolve().is_relative_to(folder.resolve())):
        raise BundleError(
            f"{folder}: expected {SUMS_FILE} to name files of this folder, got {name!r}, which is outside"
        )
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(f"{folder}: {SUMS_FILE} lists {name}, which cannot be read: {error.strerror}") from error
    if found != expected:
        raise BundleError(
            f"{folder}: {name} is not the file that {SUMS_FILE} describes (expected sha256 {expected[:12]}..., "
            f"got {found[:12]}...); restore it"
        )


def _read_config(folder: Path) -> Mapping[str, object]:
    try:
        config = json.loads(_read_text(folder, CONFIG_FILE))
    except json.JSONDecodeError as error:
        raise BundleError(f"{folder}: expected JSON in {CONFIG_FILE}, got something else: {error}") from error
    if not isinstance(config, dict):
        raise BundleError(f"{folder}: expected an object in {CONFIG_FILE}, got {type(config).__name__}")
    return config


def _read_text(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8")
    except OSError as error:
        raise BundleError(f"{folder}: {name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BundleError(f"{folder}: {name} is not text: {error.reason}") from error
