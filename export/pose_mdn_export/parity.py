"""An export is not done until ONNX Runtime has been compared with torch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from pose_mdn.inference.session import open_session
from pose_mdn.models.lifting_graph import LiftingGraph
from pose_mdn_export.errors import ExportError, ExportMismatchError
from pose_mdn_export.example_views import example_views
from pose_mdn_export.signature import INPUT_NAMES, TOLERANCES, Tolerance, output_names

BATCH_SIZES = (1, 7, 64, 256)


def check_parity(graph: LiftingGraph, path: Path, tolerances: Mapping[str, Tolerance] = TOLERANCES) -> dict[str, float]:
    """Run both on the same views with random masks.

    Args:
        graph: The lifter, in evaluation mode.
        path: Its ONNX file.
        tolerances: How far each output may be from torch.

    Returns:
        The largest difference seen per output.

    Raises:
        ExportError: Names of inputs or outputs differ from the signature.
        ExportMismatchError: Values, shapes or finiteness differ.
    """
    session, names = open_session(path), output_names(graph)
    _check_names("inputs", [node.name for node in session.get_inputs()], list(INPUT_NAMES))
    _check_names("outputs", [node.name for node in session.get_outputs()], list(names))
    largest = dict.fromkeys(names, 0.0)
    for seed, batch in enumerate(BATCH_SIZES):
        views = example_views(batch=batch, seed=seed)
        with torch.no_grad():
            expected = graph(*(torch.from_numpy(array) for array in views.values()))
        for name, left, right in zip(names, expected, session.run(None, views), strict=False):
            largest[name] = max(largest[name], _compare(name, left.numpy(), right, batch, tolerances[name]))
    return largest


def _compare(name: str, left: np.ndarray, right: np.ndarray, batch: int, tolerance: Tolerance) -> float:
    """Largest difference of an output, if it is allowed."""
    if left.shape != right.shape or not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise ExportMismatchError(
            f"{name}: expected finite values of shape {left.shape} at batch {batch}, got shape {right.shape} "
            f"with {np.count_nonzero(~np.isfinite(right))} values that are not finite",
            output=name,
            max_abs_error=float("inf"),
            tolerance=tolerance.absolute,
        )
    error = np.abs(left - right)
    if (error > tolerance.absolute + tolerance.relative * np.abs(left)).any():
        raise ExportMismatchError(
            f"{name}: expected ONNX Runtime to agree with torch to {tolerance.absolute:g} at batch {batch}, "
            f"got a difference of {error.max():.3g}",
            output=name,
            max_abs_error=float(error.max()),
            tolerance=tolerance.absolute,
        )
    return float(error.max())


def _check_names(kind: str, got: list[str], expected: list[str]) -> None:
    if got != expected:
        raise ExportError(f"{kind}: expected {', '.join(expected)}, got {', '.join(got)}")
