"""Any module to one ONNX file with a dynamic batch, compared with torch before anybody uses it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn
from torch.export import Dim

from pose_mdn.inference.session import open_session
from pose_mdn_export.errors import ExportError, ExportMismatchError
from pose_mdn_export.exporter import save_graph
from pose_mdn_export.signature import OPSET

Arrays = Mapping[str, NDArray[np.float32]]

_MAX_LENGTH = 65_536


def export_module(
    module: nn.Module,
    example: Arrays,
    outputs: Sequence[str],
    path: Path,
    metadata: dict[str, str],
    *,
    free_axes: Mapping[str, Mapping[int, str]] | None = None,
) -> None:
    """Write a module as ONNX.

    Args:
        module: In evaluation mode; takes tensors in the order of `example`.
        example: Inputs by name; the first axis of each is the batch and stays free.
        outputs: Names of what it gives.
        path: The file to write.
        metadata: Goes into the file's `metadata_props`.
        free_axes: Further axes that stay free, by input, with their symbols.

    Raises:
        ExportError: The module needs something that plain ONNX lacks.
    """
    symbols = {symbol for axes in (free_axes or {}).values() for symbol in axes.values()}
    dims = {name: Dim(name, min=1, max=_MAX_LENGTH) for name in ("batch", *sorted(symbols))}
    shapes = {
        name: {0: dims["batch"], **{axis: dims[symbol] for axis, symbol in (free_axes or {}).get(name, {}).items()}}
        for name in example
    }
    program = torch.onnx.export(
        module,
        tuple(torch.from_numpy(array) for array in example.values()),
        dynamo=True,
        dynamic_shapes=tuple(shapes.values()),
        input_names=list(example),
        output_names=list(outputs),
        opset_version=OPSET,
        verbose=False,
    )
    if program is None:
        raise ExportError("expected torch to return an ONNX program, got none")
    model: onnx.ModelProto = program.model_proto
    # Shapes that were inferred before optimisation are stale and stop quantisers; onnx infers them anew.
    del model.graph.value_info[:]
    for node in (*model.graph.node, *model.functions):
        node.ClearField("metadata_props")
    save_graph(model, path, metadata)


def compare_with_torch(
    module: nn.Module, path: Path, examples: Sequence[Arrays], outputs: Sequence[str], tolerance: float
) -> dict[str, float]:
    """Largest differences per output over examples.

    Raises:
        ExportMismatchError: Values differ by more than the tolerance, relative above 1, or are not finite.
    """
    session = open_session(path)
    largest = dict.fromkeys(outputs, 0.0)
    for example in examples:
        with torch.no_grad():
            expected = module(*(torch.from_numpy(array) for array in example.values()))
        tensors = expected if isinstance(expected, tuple) else (expected,)
        for name, left, right in zip(outputs, tensors, session.run(list(outputs), dict(example)), strict=True):
            scaled = np.abs(left.numpy() - right) / np.maximum(1.0, np.abs(left.numpy()))
            error = float(scaled.max()) if left.shape == right.shape else float("inf")
            if not error <= tolerance:
                batch = len(next(iter(example.values())))
                raise ExportMismatchError(
                    f"{name}: expected ONNX Runtime to agree with torch to {tolerance:g} at batch {batch}, got a "
                    f"difference of {error:.3g}",
                    output=name,
                    max_abs_error=error,
                    tolerance=tolerance,
                )
            largest[name] = max(largest[name], error)
    return largest
