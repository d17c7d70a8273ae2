"""A lifting graph to one ONNX file."""

from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

from pose_mdn.models.lifting_graph import LiftingGraph
from pose_mdn_export.errors import ExportError
from pose_mdn_export.example_views import example_views
from pose_mdn_export.planar_graph import PlanarGraph, has_planar_form
from pose_mdn_export.signature import INPUT_NAMES, OPSET, output_names

_MAX_BATCH = 65_536


class _GivenOutputs(nn.Module):
    """A lifter without the outputs that it does not give, in the form that runs fastest."""

    def __init__(self, graph: LiftingGraph) -> None:
        super().__init__()
        self.lifter = PlanarGraph(graph) if has_planar_form(graph.network.config) else graph

    def forward(self, keypoints_px: Tensor, confidence: Tensor, intrinsics: Tensor) -> tuple[Tensor, ...]:
        """Outputs in the order of the signature."""
        return tuple(tensor for tensor in self.lifter(keypoints_px, confidence, intrinsics) if tensor is not None)


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
        _GivenOutputs(graph).eval(),
        tuple(torch.from_numpy(array) for array in views.values()),
        dynamo=True,
        dynamic_shapes={name: {0: batch} for name in INPUT_NAMES},
        input_names=list(INPUT_NAMES),
        output_names=list(output_names(graph)),
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
    save_graph(model, path, metadata)


def save_graph(model: onnx.ModelProto, path: Path, metadata: dict[str, str]) -> None:
    """Write a checked graph with its metadata.

    Raises:
        ExportError: It uses operators that are not standard.
    """
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
