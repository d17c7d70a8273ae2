"""A model bundle on disk: graph, settings, model card and checksums."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pose_mdn import __version__
from pose_mdn.config import TrainingConfig, to_toml
from pose_mdn.models.lifting_graph import LiftingGraph
from pose_mdn.models.mdn import count_parameters
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_export.bundle_folder import staged_bundle, write_checksums
from pose_mdn_export.errors import ExportError
from pose_mdn_export.exporter import export_graph
from pose_mdn_export.parity import check_parity
from pose_mdn_export.signature import OPSET, TOLERANCES, Tolerance

_SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class BundleDescription:
    """What a bundle says about itself.

    Attributes:
        name: Name under which it is loaded and served.
        version: Positive integer.
        licence: SPDX expression of the weights.
        training_data: What it was trained on, with acknowledgements.
        card: Model card, Markdown; figures are measured, never guessed.
    """

    name: str
    version: int
    licence: str
    training_data: str
    card: str


def write_bundle(
    graph: LiftingGraph,
    config: TrainingConfig,
    steps: int,
    description: BundleDescription,
    repository: Path,
    *,
    tolerances: Mapping[str, Tolerance] = TOLERANCES,
) -> tuple[Path, dict[str, float]]:
    """Export a lifter, compare it with torch, and only then put its bundle in place.

    Args:
        graph: The lifter, in evaluation mode.
        config: Settings that it was trained with.
        steps: Optimiser steps taken.
        description: What the bundle says about itself.
        repository: Folder of bundles; the bundle goes to NAME/VERSION in it, replacing what was there.
        tolerances: How far outputs may be from torch; those of the signature for everything that is to be used.

    Returns:
        The bundle's folder, and the largest differences from torch per output.
    """
    target = repository / description.name / str(description.version)
    with staged_bundle(target) as folder:
        facts = _facts(graph, config, steps, description)
        metadata = {key: value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()}
        export_graph(graph, folder / "model.onnx", metadata)
        differences = check_parity(graph, folder / "model.onnx", tolerances)
        (folder / "config.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        (folder / "training.toml").write_text(to_toml(config), encoding="utf-8")
        (folder / "README.md").write_text(description.card, encoding="utf-8")
    return target, differences


def write_card(bundle: Path, card: str) -> None:
    """Replace a bundle's model card and its checksum."""
    if not (bundle / "model.onnx").is_file():
        raise ExportError(f"{bundle}: expected a bundle with model.onnx, found none")
    (bundle / "README.md").write_text(card, encoding="utf-8")
    write_checksums(bundle)


def _facts(graph: LiftingGraph, config: TrainingConfig, steps: int, description: BundleDescription) -> dict[str, Any]:
    return {
        "schema_version": _SCHEMA_VERSION,
        "kind": "lifter",
        "name": description.name,
        "version": description.version,
        "description": "2D joints of one person to weighted Gaussian 3D pose hypotheses (mixture density network)",
        "pose_mdn_version": __version__,
        "skeleton": HUMAN36M17.name,
        "joint_names": list(HUMAN36M17.joint_names),
        "num_hypotheses": config.model.num_hypotheses,
        "units": {"keypoints_px": "pixels, undistorted", "means_m": "metres, root-relative, camera frame"},
        "camera_axes": "x right, y down, z forward",
        "std_axes": ["across the line of sight", "along the line of sight"],
        "opset": OPSET,
        "precision": "fp32",
        "parameters": count_parameters(graph.network),
        "training_steps": steps,
        "training_views": steps * config.batch_size,
        "starts_from": config.start_from or "fresh weights",
        "seed": config.seed,
        "licence": description.licence,
        "training_data": description.training_data,
    }
