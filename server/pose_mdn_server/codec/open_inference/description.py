"""What a graph is, said in the protocol's words."""

from collections.abc import Sequence

from pose_mdn_server.codec.open_inference.tensors import DATATYPES
from pose_mdn_server.models.graph import Graph, TensorSpec
from pose_mdn_server.rpc import model_config_pb2 as config_pb
from pose_mdn_server.rpc import open_inference_pb2 as oip

PLATFORM = "onnxruntime_onnx"


def encode_metadata(graph: Graph, versions: Sequence[str]) -> oip.ModelMetadataResponse:
    """What a graph takes and gives."""
    return oip.ModelMetadataResponse(
        name=graph.name,
        versions=versions,
        platform=PLATFORM,
        inputs=[_encode_spec(spec) for spec in graph.inputs],
        outputs=[_encode_spec(spec) for spec in graph.outputs],
    )


def encode_config(graph: Graph, *, max_poses: int) -> oip.ModelConfigResponse:
    """How a graph is served."""
    batched = graph.batch_axis is not None
    config = config_pb.ModelConfig(
        name=graph.name,
        platform=PLATFORM,
        backend="onnxruntime",
        max_batch_size=max_poses if batched else 0,
        default_model_filename="model.onnx",
        model_transaction_policy=config_pb.ModelTransactionPolicy(decoupled=False),
    )
    config.instance_group.add(name=graph.name, count=1, kind=config_pb.ModelInstanceGroup.KIND_CPU)
    for spec in graph.inputs:
        config.input.add(name=spec.name, data_type=_data_type(spec), dims=_axes(spec)[batched:])
    for spec in graph.outputs:
        config.output.add(name=spec.name, data_type=_data_type(spec), dims=_axes(spec)[batched:])
    if batched:
        config.dynamic_batching.priority_levels = 2
        config.dynamic_batching.default_priority_level = 1
    for key, value in graph.metadata.items():
        config.parameters[key].string_value = value
    return oip.ModelConfigResponse(config=config)


def _encode_spec(spec: TensorSpec) -> oip.ModelMetadataResponse.TensorMetadata:
    return oip.ModelMetadataResponse.TensorMetadata(name=spec.name, datatype=DATATYPES[spec.dtype], shape=_axes(spec))


def _axes(spec: TensorSpec) -> list[int]:
    return [-1 if isinstance(axis, str) else axis for axis in spec.shape]


def _data_type(spec: TensorSpec) -> int:
    return int(config_pb.DataType.Value(f"TYPE_{DATATYPES[spec.dtype]}"))
