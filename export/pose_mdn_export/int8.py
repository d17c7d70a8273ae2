"""The eight-bit form of an exported lifter: a bundle NAME/VERSION-int8 beside NAME/VERSION."""

import json
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import Tensor

from pose_mdn.config import TrainingConfig
from pose_mdn.data.mocap import read_motion_data
from pose_mdn.data.views import ViewSampler
from pose_mdn.evaluation.protocol import evaluate
from pose_mdn.evaluation.virtual_views import VirtualViews, virtual_views
from pose_mdn.inference import Bundle, Lifter
from pose_mdn.models.lifting_graph import LiftingGraph
from pose_mdn_export.bundle_folder import staged_bundle, write_checksums
from pose_mdn_export.errors import ExportMismatchError
from pose_mdn_export.exporter import export_graph, save_graph
from pose_mdn_export.quantisation import quantise_layers
from pose_mdn_export.smoothing import smoothed

LARGEST_LOSS_MM = 1.0
"""By how much any figure of any row may rise over that of the fp32 form."""

FIGURES = ("best_of_m", "top_1", "mean", "pa_best_of_m", "pa_top_1", "n_best_of_m", "n_top_1")
"""Which figures are compared, of `pose_mdn.evaluation.figures.AccuracyFigures`; millimetres."""

_SUFFIX = "-int8"
_CALIBRATION_VIEWS = 8192
_SEED = 4_000_037

Table = Mapping[str, Mapping[str, float]]


def write_int8_bundle(
    graph: LiftingGraph, config: TrainingConfig, fp32: Path, data: Path, *, views_per_row: int = 2000
) -> tuple[Path, dict[str, dict[str, float]]]:
    """Quantise a lifter, compare it with its fp32 bundle, and only then put its bundle beside that.

    Ranges are measured on views of training subjects; the comparison is on validation subjects.

    Args:
        graph: The lifter, in evaluation mode.
        config: Settings that it was trained with.
        fp32: Its fp32 bundle.
        data: Motion data with the splits train and validation.
        views_per_row: Virtual views in each row of the comparison.

    Returns:
        The bundle's folder, and by how many millimetres each figure of each row changes.

    Raises:
        ExportMismatchError: A figure rises by more than `LARGEST_LOSS_MM`.
        ExportError: The network has no layers that can be quantised.
    """
    settings = Bundle.open(fp32)
    facts = {
        **settings.config,
        "version": f"{settings.version}{_SUFFIX}",
        "precision": "int8",
        "quantised_from": f"{settings.name}/{settings.version}",
    }
    target = fp32.parent / str(facts["version"])
    with staged_bundle(target) as folder:
        metadata = {key: value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()}
        quantise(graph, _calibration_views(config, data), folder / "model.onnx", metadata)
        (folder / "config.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        (folder / "training.toml").write_bytes((fp32 / "training.toml").read_bytes())
        rows = virtual_views(data, "validation", count=views_per_row, seed=_SEED)
        write_checksums(folder)
        before, after = _measure(settings, rows), _measure(Bundle.open(folder), rows)
        changes = {row: {key: after[row][key] - before[row][key] for key in FIGURES} for row in before}
        _refuse_losses(changes)
        (folder / "README.md").write_text(_card(facts, before, after), encoding="utf-8")
    return target, changes


def quantise(graph: LiftingGraph, views: tuple[Tensor, Tensor, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Write a lifter as ONNX with eight-bit layers; `views` are inputs of the graph on which ranges are measured."""
    smooth, ranges = smoothed(graph, views)
    export_graph(smooth, path, metadata)
    model = onnx.load(path)
    quantise_layers(model, ranges)
    save_graph(model, path, metadata)


def _calibration_views(config: TrainingConfig, data: Path) -> tuple[Tensor, Tensor, Tensor]:
    """Views of training subjects as in training; pixels are slopes, seen by a camera of focal length 1."""
    sampler = ViewSampler(read_motion_data(data, "train").pose_m, config.views, seed=_SEED)
    batch = sampler.batch(0, _CALIBRATION_VIEWS)
    return batch.slopes, batch.confidence, torch.eye(3).expand(_CALIBRATION_VIEWS, 3, 3)


def _measure(bundle: Bundle, rows: list[VirtualViews]) -> dict[str, dict[str, float]]:
    lifter = Lifter(bundle, threads=1)
    figures = {}
    for views in rows:
        accuracy = evaluate(views.name, lifter.lift(views.keypoints), views.pose_camera_m).accuracy
        figures[views.name] = {key: float(getattr(accuracy, key)) for key in FIGURES}
    return figures


def _refuse_losses(changes: Table) -> None:
    loss, row, key = max((change, row, key) for row, figures in changes.items() for key, change in figures.items())
    if not loss <= LARGEST_LOSS_MM:
        raise ExportMismatchError(
            f"int8: expected every figure within {LARGEST_LOSS_MM:g} mm of fp32 on validation views, got {key} of row "
            f"{row} {loss:.2f} mm worse; ship the fp32 bundle, or train with wider margins",
            output=f"{row}.{key}",
            max_abs_error=loss,
            tolerance=LARGEST_LOSS_MM,
        )


def _card(facts: Mapping[str, object], before: Table, after: Table) -> str:
    parent = str(facts["quantised_from"])
    lines = [
        f"# {facts['name']} {facts['version']}",
        "",
        f"The eight-bit form of {parent}, whose card says what it is, what it was trained on, and what its limits are.",
        "The trunk's linear layers, but the last ones, multiply 8-bit features by 7-bit weights; the rest is fp32.",
        "Ranges were measured on training views. Millimetres on virtual views of validation subjects, fp32 → int8:",
        "",
        "| row | " + " | ".join(FIGURES) + " |",
        "|---" * (1 + len(FIGURES)) + "|",
    ]
    for row, figures in before.items():
        cells = [f"{figures[key]:.1f} → {after[row][key]:.1f}" for key in FIGURES]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
