"""Folders of small clips, and a camera that makes trouble in the process that reads with it."""

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.batch.job import STATE_FOLDER
from pose_mdn.batch.settings import LiftSettings

TROUBLE = '''
import os
import signal
import time
from dataclasses import dataclass

from pose_mdn.batch.given_camera import GivenCamera


@dataclass(frozen=True, kw_only=True)
class TroubledCamera(GivenCamera):
    """Does to the process that reads what the number of rows of a clip says."""

    marks: str = ""

    def apply(self, sequence):
        rows = len(sequence)
        if rows == 13:
            os.kill(os.getpid(), signal.SIGSEGV)
        if rows == 17 and self.first_time("17"):
            os.kill(os.getpid(), signal.SIGKILL)
        if rows == 14:
            time.sleep(1000)
        if rows == 15:
            raise RuntimeError("a fault of ours")
        if rows == 16:
            raise MemoryError
        if rows >= 1000 and rows % 2:
            time.sleep(0.05)
        return super().apply(sequence)

    def first_time(self, name):
        try:
            os.close(os.open(os.path.join(self.marks, name), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True
'''
"""The worker processes import this; what is only in a test's module they could not."""


@pytest.fixture
def troubled_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_bundle: Path) -> Callable[[], LiftSettings]:
    """Settings by which clips of 13 rows crash their process, those of 14 hang, ..."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "troubled_camera.py").write_text(TROUBLE)
    (tmp_path / "marks").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "modules")
    monkeypatch.delitem(sys.modules, "troubled_camera", raising=False)
    import troubled_camera  # noqa: PLC0415

    camera = troubled_camera.TroubledCamera(marks=str(tmp_path / "marks"))
    return lambda: LiftSettings(model=str(tiny_bundle), camera=camera)


@pytest.fixture(scope="session")
def write_clip() -> Callable[..., Path]:
    """Writes a clip of so many rows: `write_clip(path, rows, seed=0)`."""

    def write(path: Path, rows: int = 5, seed: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        keypoints = np.random.default_rng(seed).uniform(100, 900, (rows, 17, 2)).astype(np.float32)
        np.savez(path, keypoints=keypoints, skeleton="coco17", image_size=[1920, 1080])
        return path

    return write


@pytest.fixture(scope="session")
def content() -> Callable[[Path], dict[str, str]]:
    """Checksums of all files of a folder of results by their paths; the manifest is not among them."""

    def read(folder: Path) -> dict[str, str]:
        files = [Path(top) / name for top, _, names in os.walk(folder) for name in names]
        return {
            file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in files
            if STATE_FOLDER not in file.parts
        }

    return read
