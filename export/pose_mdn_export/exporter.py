"""A lifting graph to one ONNX file."""

from pathlib import Path

import onnx
import torch
from torch.export import Dim

from pose_mdn.models.lifting_graph import LiftingGraph
from pose_mdn_export.errors import ExportError
from pose_mdn_export.example_views import example_views
from pose_mdn_export.signature import INPUT_NAMES, OPSET, OUTPUT_NAMES

_MAX_BATCH = 65_536


def export_graph(graph: LiftingGraph, path: Path, metadata: dict[str, str]) -> None:
    """Write a lifter as ONNX with a dynamic batch and metadata.

    Args:
        graph: A lifter in evaluation mode.
        path: The file to write.
        metadata: Goes into the file's `metadata_props`.

    Raises:
        ExportError: The graph needs something that plain ONNX lacks.
    """
    views = example_views(batch=3, seed=0)
    batch = Dim("batch", min=1, max=_MAX_BATCH)
    program = torch.onnx.export(
        graph.eval(),
        tuple(torch.from_numpy(array) for array in views.values()),
        dynamo=True,
        dynamic_shapes={name: {0: batch} for name in INPUT_NAMES},
        input_names=list(INPUT_NAMES),
        output_names=list(OUTPUT_NAMES),
        opset_version=OPSET,
        verbose=False,
    )
    if program is None:
        raise ExportError("expected torch to return an ONNX program, got none")
    model = program.model_proto
    # Shapes that were inferred before optimisation are stale and stop quantisers; onnx infers them anew.
    del model.graph.value_info[:]
    for node in (*model.graph.node, *model.functions):
        node.ClearField("metadata_props")
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, metadata)
    model.producer_name, model.doc_string = "pose-mdn", metadata.get("description", "")
    _refuse_custom_operators(model)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


def _refuse_custom_operators(model: onnx.ModelProto) -> None:
    domains = {node.domain for node in model.graph.node} - {"", "ai.onnx"}
    if domains:
        raise ExportError(f"expected only standard ONNX operators, got operators of {', '.join(sorted(domains))}")
