"""One evaluation as a document for machines: its settings and every figure."""

import hashlib
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pose_mdn.evaluation.figures import EvaluationRow
from pose_mdn.evaluation.measurements import SAMPLE_COUNTS

_PACKAGES = ("pose-mdn", "numpy", "onnxruntime", "torch")
_BLOCK = 1 << 20


def installed_versions() -> dict[str, str]:
    """Versions of Python, of this package and of the libraries that figures depend on, where installed."""
    found = {"python": platform.python_version(), "platform": f"{sys.platform}-{platform.machine()}"}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """What an evaluation was made of; the same settings give the same figures.

    Attributes:
        model: Name and version of the lifter, or of the one that the hypotheses file names.
        model_sha256: Checksum of its graph; None if hypotheses were read from files.
        seed: Seed of virtual views and of samples.
        num_samples: Samples per pose behind calibration and best of samples.
        inputs: Files that were measured.
        data: Motion data or benchmark folder.
        data_sha256: Checksum of the motion data file.
        split: Its split.
        views: Virtual views per row.
        balanced: Whether poses were drawn evenly over distinct poses.
        keypoints: Detections of the benchmark.
        root: Where poses of the benchmark were laid upon each other.
        stride: Every so manieth frame of the benchmark was taken.
        versions: Of Python, of this package and of what it computes with.
    """

    model: str
    model_sha256: str | None
    seed: int
    num_samples: int = SAMPLE_COUNTS[-1]
    inputs: tuple[str, ...] = ()
    data: str | None = None
    data_sha256: str | None = None
    split: str | None = None
    views: int | None = None
    balanced: bool = False
    keypoints: str | None = None
    root: str | None = None
    stride: int | None = None
    versions: dict[str, str] = field(default_factory=installed_versions)


def evaluation_document(settings: EvaluationSettings, rows: Sequence[EvaluationRow]) -> dict[str, object]:
    """Plain values: `settings` and `rows`, the latter with every action."""
    return {"settings": asdict(settings), "rows": [row.as_dict() for row in rows]}


def file_sha256(path: Path) -> str:
    """Checksum of a file, as `sha256sum` prints it."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
