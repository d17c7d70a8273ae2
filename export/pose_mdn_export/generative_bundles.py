"""Bundles of the generative models: priors over poses, and the lifter that samples."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pose_mdn import __version__
from pose_mdn.config import AnyRunConfig, CVAELifterConfig, PoseVAEConfig, to_toml
from pose_mdn.data.actions import ACTION_CLASSES
from pose_mdn.evaluation.pose_priors import usual_range_nats
from pose_mdn.inference.bundle import Bundle
from pose_mdn.inference.pose_prior import PosePrior
from pose_mdn.inference.signature import INPUTS, NOISE, OPTIONAL_OUTPUTS, OUTPUTS
from pose_mdn.models.cvae_lifter import CVAELifter
from pose_mdn.models.mdn import count_parameters
from pose_mdn.models.pose_vae import DecodeGraph, EncodeGraph, PoseVAE
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_export.bundle_folder import staged_bundle
from pose_mdn_export.bundle_writer import BundleDescription
from pose_mdn_export.example_views import example_views
from pose_mdn_export.graph_file import Arrays, compare_with_torch, export_module
from pose_mdn_export.parity import BATCH_SIZES
from pose_mdn_export.signature import OPSET

_SCHEMA_VERSION = 1
_TOLERANCE = 1e-4
"""Metres, nats and parts of one; of larger values such as pixels a part of the value."""
_ANY_SCORE = 1e9
_NOISE_COUNTS = (1, 3, 16, 5)
_ENCODED = ("mean", "log_variance", "heading")
_FRAME = "upright: root-relative metres; x to the person's left at heading 0, y down along gravity, z behind"


def write_pose_prior_bundle(
    model: PoseVAE,
    config: PoseVAEConfig,
    steps: int,
    description: BundleDescription,
    repository: Path,
    *,
    real_m: NDArray[np.float64],
    real_label: NDArray[np.int64] | None = None,
) -> tuple[Path, dict[str, float]]:
    """Export encoder and decoder, compare them with torch, and only then put the bundle in place.

    Args:
        model: The prior, in evaluation mode.
        config: Settings that it was trained with.
        steps: Optimiser steps taken.
        description: What the bundle says about itself.
        repository: Folder of bundles.
        real_m: (N, 17, 3) real poses, whose scores say what is usual.
        real_label: (N,) their classes, if the model is conditioned.

    Returns:
        The bundle's folder, and the largest differences from torch per output.
    """
    labels = list(ACTION_CLASSES) if model.num_labels else []
    facts = _facts("pose_prior", config, steps, description, count_parameters(model)) | {
        "description": "a variational autoencoder over poses" + (" given an action" if labels else ""),
        "frame": _FRAME,
        "latent_dim": config.model.latent_dim,
        "labels": labels,
        "joint_std_m": [round(float(std), 6) for std in model.joint_std_m.detach()],
        "usual_range_nats": [-_ANY_SCORE, _ANY_SCORE],
        "graph": "decode.onnx",
        "graphs": {"encode": "encode.onnx", "decode": "decode.onnx"},
    }
    encode, decode = EncodeGraph(model).eval(), DecodeGraph(model).eval()
    with staged_bundle(repository / description.name / str(description.version)) as folder:
        differences: dict[str, float] = {}
        parts = ((encode, "encode", _ENCODED, _example_poses), (decode, "decode", ("pose_m",), _example_latents))
        for graph, part, outputs, example in parts:
            path, metadata = folder / f"{part}.onnx", _metadata(facts | {"part": part})
            export_module(graph, example(model, 3, 0), outputs, path, metadata)
            examples = [example(model, batch, seed) for seed, batch in enumerate(BATCH_SIZES)]
            differences |= compare_with_torch(graph, path, examples, outputs, _TOLERANCE)
        bundle = Bundle(name=description.name, version=str(description.version), path=folder, config=facts)
        usual = usual_range_nats(PosePrior(bundle, threads=1), real_m, label=real_label)
        facts["usual_range_nats"] = [round(value, 3) for value in usual]
        _write_texts(folder, facts, config, description)
    return repository / description.name / str(description.version), differences


def write_cvae_lifter_bundle(
    model: CVAELifter, config: CVAELifterConfig, steps: int, description: BundleDescription, repository: Path
) -> tuple[Path, dict[str, float]]:
    """Export a lifter that samples; arguments and result as of `write_pose_prior_bundle`."""
    facts = _facts("lifter", config, steps, description, count_parameters(model)) | {
        "description": "2D joints of one person and latent noise to sampled 3D poses (conditional VAE)",
        "num_hypotheses": config.num_samples,
        "latent_dim": config.model.latent_dim,
        "units": {"keypoints_px": "pixels, undistorted", "means_m": "metres, root-relative, camera frame"},
        "camera_axes": "x right, y down, z forward",
        "std_axes": ["across the line of sight", "along the line of sight"],
        "training_views": steps * config.batch_size,
    }
    outputs = (*OUTPUTS, *OPTIONAL_OUTPUTS)
    target = repository / description.name / str(description.version)
    with staged_bundle(target) as folder:
        path = folder / "model.onnx"
        example = _example_views(model, 3, 0, 2)
        free_axes = {NOISE: {1: "samples"}}
        export_module(model, example, outputs, path, _metadata(facts), free_axes=free_axes)
        sizes = zip(BATCH_SIZES, _NOISE_COUNTS, strict=True)
        examples = [_example_views(model, batch, seed, count) for seed, (batch, count) in enumerate(sizes)]
        differences = compare_with_torch(model, path, examples, outputs, _TOLERANCE)
        _write_texts(folder, facts, config, description)
    return target, differences


def _example_poses(model: PoseVAE, batch: int, seed: int) -> dict[str, NDArray[np.float32]]:
    """Poses that the model itself decodes, turned and shaken."""
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        decoded = model.decode(*(torch.from_numpy(array) for array in _example_latents(model, batch, seed).values()))
    pose_m = decoded.numpy() + 0.02 * rng.standard_normal(decoded.shape)
    return {"pose_m": pose_m.astype(np.float32), **_example_labels(model, batch)}


def _example_latents(model: PoseVAE, batch: int, seed: int) -> dict[str, NDArray[np.float32]]:
    latent = np.random.default_rng(seed).standard_normal((batch, model.config.latent_dim)).astype(np.float32)
    return {"latent": latent, **_example_labels(model, batch)}


def _example_labels(model: PoseVAE, batch: int) -> dict[str, NDArray[np.float32]]:
    if not model.num_labels:
        return {}
    return {"label": np.eye(model.num_labels, dtype=np.float32)[np.arange(batch) % model.num_labels]}


def _example_views(model: CVAELifter, batch: int, seed: int, count: int) -> Arrays:
    noise = np.random.default_rng(seed).standard_normal((batch, count, model.config.model.latent_dim))
    views = example_views(batch=batch, seed=seed)
    return {**{name: views[name] for name in INPUTS}, NOISE: noise.astype(np.float32)}


def _facts(
    kind: str, config: AnyRunConfig, steps: int, description: BundleDescription, parameters: int
) -> dict[str, Any]:
    return {
        "schema_version": _SCHEMA_VERSION,
        "kind": kind,
        "name": description.name,
        "version": description.version,
        "pose_mdn_version": __version__,
        "skeleton": HUMAN36M17.name,
        "joint_names": list(HUMAN36M17.joint_names),
        "opset": OPSET,
        "precision": "fp32",
        "parameters": parameters,
        "training_steps": steps,
        "starts_from": config.start_from or "fresh weights",
        "seed": config.seed,
        "licence": description.licence,
        "training_data": description.training_data,
    }


def _metadata(facts: Mapping[str, Any]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()}


def _write_texts(folder: Path, facts: Mapping[str, Any], config: AnyRunConfig, description: BundleDescription) -> None:
    (folder / "config.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    (folder / "training.toml").write_text(to_toml(config), encoding="utf-8")
    (folder / "README.md").write_text(description.card, encoding="utf-8")
