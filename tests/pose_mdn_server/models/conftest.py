"""Model repositories that tests may spoil."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pose_mdn.inference import find_bundle

Publish = Callable[..., Path]


def seal(folder: Path) -> Path:
    """Make the checksums of a bundle those of its files."""
    files = [file for file in sorted(folder.iterdir()) if file.name != "SHA256SUMS"]
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (folder / "SHA256SUMS").write_text("".join(sums))
    return folder


def remove(folder: Path) -> None:
    """Take a folder away in one step, as one should."""
    hidden = folder.parent / f".{folder.name}.gone"
    folder.rename(hidden)
    shutil.rmtree(hidden)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An empty repository."""
    folder = tmp_path / "repository"
    folder.mkdir()
    return folder


@pytest.fixture
def publish(repository: Path) -> Publish:
    """`publish("mdn_lifter", "2", edition="b")` puts a copy of a bundled model into the repository, in one step."""

    def publish(
        name: str, version: str, *, edition: str = "a", source: str = "", config: Mapping[str, object] | None = None
    ) -> Path:
        folder = repository / name / version
        hidden = repository / f".{name}-{version}"
        shutil.copytree(find_bundle(source or name).path, hidden)
        facts = json.loads((hidden / "config.json").read_text())
        facts |= {"name": name, "version": version, "edition": edition} | dict(config or {})
        (hidden / "config.json").write_text(json.dumps(facts))
        seal(hidden)
        folder.parent.mkdir(exist_ok=True)
        if folder.exists():
            remove(folder)
        hidden.rename(folder)
        return folder

    return publish


@pytest.fixture
def reseal() -> Callable[[Path], Path]:
    """Makes a bundle's checksums right again after a test has changed it."""
    return seal


@pytest.fixture
def withdraw() -> Callable[[Path], None]:
    """Takes a bundle out of the repository in one step."""
    return remove
