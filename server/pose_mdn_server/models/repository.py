"""What lies in a model repository: a folder of folders `NAME/VERSION/`."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pose_mdn.errors import BundleError
from pose_mdn.inference.bundle import BUNDLED_REPOSITORY, CONFIG_FILE
from pose_mdn.inference.bundle_files import MAX_TEXT_BYTES, SUMS_FILE, read_bounded


@dataclass(frozen=True, kw_only=True)
class Scan:
    """The folders of a repository at some moment.

    Attributes:
        folders: Every folder that is meant to be a bundle, by its label "NAME/VERSION".
        problems: What could not be looked at, and why: "NAME/VERSION", "NAME", or "" for the repository itself.
    """

    folders: Mapping[str, Path] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    def problem_of(self, label: str) -> str:
        """Why nothing is known of a folder; empty if it is known whether it is there."""
        name = label.partition("/")[0]
        return self.problems.get("") or self.problems.get(name) or self.problems.get(label, "")


def scan_repository(repository: Path | None) -> Scan:
    """Look for bundles. What cannot be read is noted and never raised.

    Args:
        repository: The folder; the bundles inside the package if there is none.
    """
    root = repository or BUNDLED_REPOSITORY
    folders: dict[str, Path] = {}
    problems: dict[str, str] = {}
    seen: dict[str, str] = {}
    for name in _subfolders(root, "", problems):
        for version in _subfolders(root / name, name, problems):
            label, folder = f"{name}/{version}", root / name / version
            if not _is_meant_as_bundle(folder, label, problems):
                continue
            # Two ways to the same folder, such as a link "current", are one bundle.
            if seen.setdefault(os.path.realpath(folder), label) == label:
                folders[label] = folder
    return Scan(folders=folders, problems=problems)


def fingerprint(folder: Path) -> str:
    """A checksum that changes whenever a bundle's list of checksums or its config does.

    Raises:
        BundleError: One of them cannot be read.
    """
    found = hashlib.sha256()
    for name in (SUMS_FILE, CONFIG_FILE):
        try:
            content = read_bounded(folder / name, MAX_TEXT_BYTES)
        except OSError as error:
            raise BundleError(f"{folder}: {name} cannot be read: {error.strerror}") from error
        found.update(hashlib.sha256(content).digest())
    return found.hexdigest()


def _subfolders(folder: Path, label: str, problems: dict[str, str]) -> Iterator[str]:
    """Names of the folders in a folder, sorted; those with a dot are not finished and not meant."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError as error:
        problems[label] = f"cannot be read: {error.strerror}"
        return
    # Real folders before links to them, so that a bundle goes under its own name.
    for entry in sorted(found, key=lambda entry: (entry.is_symlink(), entry.name)):
        if entry.name.startswith("."):
            continue
        shown = f"{label}/{ascii(entry.name)[1:-1]}".lstrip("/")
        try:
            is_folder = entry.is_dir()
        except OSError as error:
            problems[shown] = f"cannot be read: {error.strerror}"
            continue
        if is_folder and entry.name.isprintable():
            yield entry.name
        elif is_folder:
            problems[shown] = "expected a name of letters and digits, got one that cannot be printed"


def _is_meant_as_bundle(folder: Path, label: str, problems: dict[str, str]) -> bool:
    try:
        names = os.listdir(folder)
    except OSError as error:
        problems[label] = f"cannot be read: {error.strerror}"
        return False
    return any(name in {CONFIG_FILE, SUMS_FILE} or name.endswith(".onnx") for name in names)
