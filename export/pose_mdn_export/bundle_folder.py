"""A bundle's folder, which appears whole or not at all."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged_bundle(target: Path) -> Iterator[Path]:
    """A folder to write a bundle into; it replaces the target, with checksums, if nothing is raised.

    Args:
        target: NAME/VERSION in a model repository; folders above it are made.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as temporary:
        folder = Path(temporary) / "bundle"
        folder.mkdir()
        yield folder
        write_checksums(folder)
        if target.exists():
            shutil.rmtree(target)
        os.replace(folder, target)


def write_checksums(folder: Path) -> None:
    """Write SHA256SUMS over all other files."""
    names = sorted(path.name for path in folder.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
