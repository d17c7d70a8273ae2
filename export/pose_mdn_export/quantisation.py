"""Eight-bit linear layers in an ONNX graph, in standard operators that runtimes fuse into integer products."""

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

from pose_mdn_export.errors import ExportError
from pose_mdn_export.smoothing import FeatureRange

_LARGEST_WEIGHT = 63
"""Seven bits: a pair of products then fits the sixteen bits in which processors without VNNI add them."""

_LARGEST_BIAS = 2**30
_SMALLEST_SCALE = 1e-30


def quantise_layers(model: onnx.ModelProto, ranges: Mapping[str, FeatureRange]) -> None:
    """Put quantised inputs, weights and biases in front of the products of some layers, in place.

    Weights are symmetric with one scale per output; biases are 32 bits wide in the product's own unit.

    Args:
        model: A graph with one `Gemm` per layer, its weight an initialiser (outputs, inputs) called ...NAME.weight.
        ranges: Range of the input of each layer, by NAME.

    Raises:
        ExportError: A layer is not in the graph.
    """
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[NodeProto] = []
    remaining = dict(ranges)
    for node in graph.node:
        name = next((name for name in remaining if _multiplies(node, f"{name}.weight")), None)
        if name is not None:
            features, weight, bias = node.input
            limits = remaining.pop(name)
            nodes += _quantise_features(graph, features, limits, name)
            _quantise_parameters(graph, weights[weight], weights[bias], limits.scale, name)
            nodes += [_dequantise(f"{name}.weight", axis=0), _dequantise(f"{name}.bias", axis=0)]
            node.input[:] = [f"{name}.{part}_dequantised" for part in ("input", "weight", "bias")]
        nodes.append(node)
    if remaining:
        raise ExportError(f"int8: expected a Gemm per layer, found none for {', '.join(remaining)}")
    del graph.node[:]
    graph.node.extend(nodes)


def _multiplies(node: NodeProto, weight: str) -> bool:
    return node.op_type == "Gemm" and len(node.input) == 3 and node.input[1].endswith(weight)


def _quantise_features(graph: onnx.GraphProto, features: str, limits: FeatureRange, name: str) -> list[NodeProto]:
    _add_parameters(graph, f"{name}.input", np.float32(limits.scale), np.uint8(limits.zero_point))
    parameters = [f"{name}.input_scale", f"{name}.input_zero_point"]
    quantise = helper.make_node("QuantizeLinear", [features, *parameters], [f"{name}.input_quantised"])
    return [quantise, _dequantise(f"{name}.input")]


def _quantise_parameters(
    graph: onnx.GraphProto, weight: onnx.TensorProto, bias: onnx.TensorProto, input_scale: float, name: str
) -> None:
    """Replace a weight and a bias by integers."""
    rows, offsets = numpy_helper.to_array(weight), numpy_helper.to_array(bias)
    # Rows of next to nothing get a coarser scale, so that their bias still fits in 32 bits.
    scale = np.maximum(np.abs(rows).max(axis=1) / _LARGEST_WEIGHT, np.abs(offsets) / (input_scale * _LARGEST_BIAS))
    scale = np.maximum(scale, _SMALLEST_SCALE).astype(np.float32)
    quantised = np.rint(rows / scale[:, None]).astype(np.int8)
    bias_scale = (input_scale * scale).astype(np.float32)
    steps = np.rint(offsets / bias_scale.astype(np.float64)).astype(np.int32)
    graph.initializer.remove(weight)
    graph.initializer.remove(bias)
    _add_tensor(graph, f"{name}.weight", quantised, scale, np.zeros(len(scale), np.int8))
    _add_tensor(graph, f"{name}.bias", steps, bias_scale, np.zeros(len(scale), np.int32))


def _dequantise(tensor: str, axis: int | None = None) -> NodeProto:
    inputs = [f"{tensor}_quantised", f"{tensor}_scale", f"{tensor}_zero_point"]
    node = helper.make_node("DequantizeLinear", inputs, [f"{tensor}_dequantised"])
    if axis is not None:
        node.attribute.append(helper.make_attribute("axis", axis))
    return node


def _add_tensor(
    graph: onnx.GraphProto,
    name: str,
    quantised: NDArray[np.integer],
    scale: NDArray[np.float32],
    zero: NDArray[np.integer],
) -> None:
    graph.initializer.append(numpy_helper.from_array(quantised, f"{name}_quantised"))
    _add_parameters(graph, name, scale, zero)


def _add_parameters(
    graph: onnx.GraphProto, name: str, scale: np.float32 | NDArray[np.float32], zero: np.integer | NDArray[np.integer]
) -> None:
    graph.initializer.append(numpy_helper.from_array(np.asarray(scale), f"{name}_scale"))
    graph.initializer.append(numpy_helper.from_array(np.asarray(zero), f"{name}_zero_point"))
