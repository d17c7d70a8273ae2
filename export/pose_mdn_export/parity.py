"""An export is not done until ONNX Runtime has been compared with torch."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch

from pose_mdn.models.lifting_graph import LiftingGraph
from pose_mdn_export.errors import ExportError, ExportMismatchError
from pose_mdn_export.example_views import example_views
from pose_mdn_export.signature import INPUT_NAMES, OUTPUTS, Output

BATCH_SIZES = (1, 7, 64, 256)


def check_parity(graph: LiftingGraph, path: Path) -> dict[str, float]:
    """Run both on the same views with random masks.

    Args:
        graph: The lifter, in evaluation mode.
        path: Its ONNX file.

    Returns:
        The largest difference seen per output.

    Raises:
        ExportError: Names of inputs or outputs differ from the signature.
        ExportMismatchError: Values, shapes or finiteness differ.
    """
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    _check_names("inputs", [node.name for node in session.get_inputs()], list(INPUT_NAMES))
    _check_names("outputs", [node.name for node in session.get_outputs()], [output.name for output in OUTPUTS])
    largest = dict.fromkeys((output.name for output in OUTPUTS), 0.0)
    for seed, batch in enumerate(BATCH_SIZES):
        views = example_views(batch=batch, seed=seed)
        with torch.no_grad():
            expected = graph(*(torch.from_numpy(array) for array in views.values()))
        for output, left, right in zip(OUTPUTS, expected, session.run(None, views), strict=True):
            error = _difference(output, left.numpy(), right, batch)
            largest[output.name] = max(largest[output.name], error)
            if error > output.tolerance:
                raise ExportMismatchError(
                    f"{output.name}: expected ONNX Runtime to agree with torch to {output.tolerance:g} at batch "
                    f"{batch}, got a difference of {error:.3g}",
                    output=output.name,
                    max_abs_error=error,
                    tolerance=output.tolerance,
                )
    return largest


def _difference(output: Output, left: np.ndarray, right: np.ndarray, batch: int) -> float:
    """Largest difference beyond what the relative tolerance allows."""
    if left.shape != right.shape or not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise ExportMismatchError(
            f"{output.name}: expected finite values of shape {left.shape} at batch {batch}, got shape {right.shape} "
            f"with {np.count_nonzero(~np.isfinite(right))} values that are not finite",
            output=output.name,
            max_abs_error=float("inf"),
            tolerance=0.0,
        )
    return float((np.abs(left - right) - output.relative_tolerance * np.abs(left)).max())


def _check_names(kind: str, got: list[str], expected: list[str]) -> None:
    if got != expected:
        raise ExportError(f"{kind}: expected {', '.join(expected)}, got {', '.join(got)}")
