"""Model bundles: a folder `NAME/VERSION/` that holds a model, what it is, and the checksums that prove it unaltered.

mdn_lifter/1/
  model.onnx     the graph, weights inside
  config.json    {"name": "mdn_lifter", "version": "1", "num_hypotheses": 5, "licence": ..., "training_data": ...}
  README.md      model card
  SHA256SUMS     as `sha256sum` writes it, for every file above
"""

import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pose_mdn.errors import BundleError, ModelNotFoundError
from pose_mdn.inference.bundle_files import (
    MAX_FILE_BYTES,
    SUMS_FILE,
    read_bounded,
    read_sums,
    read_verified,
)

BUNDLED_REPOSITORY = Path(__file__).resolve().parent.parent / "bundles"
"""The model repository inside the package."""

CONFIG_FILE = "config.json"
DEFAULT_GRAPH_FILE = "model.onnx"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A verified model folder.

    Attributes:
        name: What the model is called, "mdn_lifter".
        version: Its version, "1".
        path: The folder.
        config: `config.json`, parsed.
        sums: Checksum of each file, by its name within the folder; `None` for a bundle in the making.
    """

    name: str
    version: str
    path: Path
    config: Mapping[str, object]
    sums: Mapping[str, str] | None = None

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Read a bundle and verify every checksum.

        Raises:
            BundleError: A file is missing, altered, or lies outside of the folder, or the config is not one.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise BundleError(f"{folder}: expected a model folder with {CONFIG_FILE} and {SUMS_FILE}, got no folder")
        sums = read_sums(folder)
        # Of the config, the bytes that were verified are those that are parsed.
        config = _parse_config(folder, read_verified(folder, CONFIG_FILE, sums))
        for name in sums:
            read_verified(folder, name, sums)
        # Links are not followed: a bundle is called by where it is found, not by where its files are kept.
        place = Path(os.path.abspath(folder))
        bundle = cls(
            name=str(config.get("name", place.parent.name)),
            version=str(config.get("version", place.name)),
            path=folder,
            config=config,
            sums=sums,
        )
        for needed in bundle.graph_files.values():
            if needed not in sums:
                raise BundleError(f"{folder}: expected {SUMS_FILE} to list {needed}, got only {', '.join(sums)}")
        return bundle

    def read(self, file: str) -> bytes:
        """The bytes of a file of the bundle, verified once more; those of a bundle in the making as they are.

        Raises:
            BundleError: It cannot be read, or was altered since the bundle was opened.
        """
        if self.sums is not None:
            return read_verified(self.path, file, self.sums)
        try:
            return read_bounded(self.path / file, MAX_FILE_BYTES)
        except OSError as error:
            raise BundleError(f"{self.path}: {file} cannot be read: {error.strerror}") from error

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
    def graph_files(self) -> Mapping[str, str]:
        """File of every ONNX graph by its part, "encode" and the like; the one graph of a lifter has the empty name."""
        graphs = self.config.get("graphs")
        if not isinstance(graphs, dict):
            return {"": self.graph_file}
        return {str(part): str(file) for part, file in graphs.items()}

    @property
    def graph_paths(self) -> Mapping[str, Path]:
        """Every ONNX graph by its part, as `graph_files`."""
        return {part: self.path / file for part, file in self.graph_files.items()}

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


def _parse_config(folder: Path, content: bytes) -> Mapping[str, object]:
    try:
        config = json.loads(content.decode("utf-8"))
    # Beside its own error json raises what too long numbers and too deep lists run into.
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{folder}: expected JSON in {CONFIG_FILE}, got something else: {error}") from error
    if not isinstance(config, dict):
        raise BundleError(f"{folder}: expected an object in {CONFIG_FILE}, got {type(config).__name__}")
    return config
