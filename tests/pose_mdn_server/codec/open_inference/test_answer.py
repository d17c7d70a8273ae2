"""Answers as they lie on the wire."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from pose_mdn.inference import Bundle
from pose_mdn_server.codec.open_inference import (
    InferRequestTwin,
    PlannedRequests,
    decode_infer_request,
    encode_infer_response,
    encode_stream_response,
)
from pose_mdn_server.codec.wire import prefix
from pose_mdn_server.errors import RequestError
from pose_mdn_server.models.graph import Graph
from pose_mdn_server.rpc.open_inference_pb2 import ModelInferRequest, ModelInferResponse, ModelStreamInferResponse
from pose_mdn_server.server import PoseServer


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """Gives the places of numbers other than 0: how many there are depends on the numbers."""
    folder = tmp_path_factory.mktemp("places")
    given = helper.make_tensor_value_info("numbers", TensorProto.FLOAT, ["batch", 3])
    found = helper.make_tensor_value_info("places", TensorProto.INT64, [2, "found"])
    nodes = [helper.make_node("NonZero", ["numbers"], ["places"])]
    definition = helper.make_graph(nodes, "places", [given], [found])
    model = helper.make_model(definition, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, folder / "model.onnx")
    return Graph(Bundle(name="places", version="1", path=folder, config={}), threads=1)


def request_for(numbers: list[float], *, raw: bool = True) -> ModelInferRequest:
    request = ModelInferRequest(model_name="places")
    tensor = request.inputs.add(name="numbers", datatype="FP32", shape=(1, 3))
    if raw:
        request.raw_input_contents.append(np.array(numbers, "<f4").tobytes())
    else:
        tensor.contents.fp32_contents.extend(numbers)
    return request


@pytest.mark.parametrize("raw", [True, False])
def test_shapes_that_depend_on_the_numbers_are_told_anew(places: Graph, raw: bool) -> None:
    reader = PlannedRequests(max_poses=4)
    for numbers, expected in (([1, 0, 2], [0, 2]), ([0, 0, 0], []), ([1, 1, 1], [0, 1, 2]), ([5, 0, 6], [0, 2])):
        request = InferRequestTwin.FromString(request_for(numbers, raw=raw).SerializeToString())
        job = reader.read(request, places)
        wire = encode_infer_response(places, job, places.run(job.inputs, job.outputs), "")
        response = ModelInferResponse.FromString(wire)
        (tensor,) = response.outputs
        assert list(tensor.shape) == [2, len(expected)]
        found = np.frombuffer(response.raw_output_contents[0], "<i8") if raw else tensor.contents.int64_contents
        assert list(found) == [0] * len(expected) + expected


def test_a_graph_whose_outputs_have_no_axis_of_poses_is_not_batched(places: Graph) -> None:
    assert places.batch_axis is None
    assert places.lane({"numbers": np.zeros((2, 3), np.float32)}) == (2,)


@pytest.mark.parametrize("raw", [True, False])
def test_arrays_in_any_order_of_memory_are_written_in_c_order(places: Graph, raw: bool) -> None:
    job = decode_infer_request(request_for([1, 2, 3], raw=raw), places, max_poses=4)
    turned = np.arange(6, dtype=np.float32).reshape(3, 2).T
    for array in (turned, turned[:, ::2], np.flip(turned)):
        response = ModelInferResponse.FromString(encode_infer_response(places, job, [array], ""))
        (tensor,) = response.outputs
        values = np.frombuffer(response.raw_output_contents[0], "<f4") if raw else tensor.contents.fp32_contents
        assert list(values) == array.ravel().tolist()
        assert list(tensor.shape) == list(array.shape)


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.int32, np.int64, np.bool_])
def test_every_type_is_written_as_the_protocol_has_it(places: Graph, raw: bool, dtype: type) -> None:
    job = decode_infer_request(request_for([1, 2, 3], raw=raw), places, max_poses=4)
    array = np.array([[0, 1, 0], [1, 1, 0]], dtype)
    wire = encode_stream_response(places, job, [array], "7")
    response = ModelStreamInferResponse.FromString(wire).infer_response
    (tensor,) = response.outputs
    lists = {"FP64": "fp64_contents", "INT32": "int_contents", "INT64": "int64_contents", "BOOL": "bool_contents"}
    values = (
        np.frombuffer(response.raw_output_contents[0], dtype)
        if raw
        else getattr(tensor.contents, lists[tensor.datatype])
    )
    assert list(values) == array.ravel().tolist()
    assert response.id == "7"
    assert len(ModelStreamInferResponse.FromString(wire).SerializeToString()) == len(wire)


def test_free_axes_together_are_bounded(server: PoseServer) -> None:
    graph = server.models.graph("cvae_lifter")
    request = ModelInferRequest()
    for spec in graph.inputs:
        shape = [4096 if isinstance(axis, str) else axis for axis in spec.shape]
        request.inputs.add(name=spec.name, datatype="FP32", shape=shape)
        request.raw_input_contents.append(b"")
    with pytest.raises(RequestError, match="all free axes together at most 65536") as refused:
        decode_infer_request(request, graph, max_poses=4096)
    assert [each.field for each in refused.value.violations if "shape" in each.field] == ["inputs[3].shape"]


@pytest.mark.parametrize("length", [0, 1, 127, 128, 300, 2**21, 2**35])
def test_a_prefix_is_what_protobuf_writes(length: int) -> None:
    written = prefix(6, length)
    assert written[0] == 6 << 3 | 2
    assert sum((byte & 0x7F) << 7 * place for place, byte in enumerate(written[1:])) == length
    assert [byte >> 7 for byte in written[1:]] == [1] * (len(written) - 2) + [0]
    if length < 1000:
        message = ModelInferResponse(raw_output_contents=[bytes(length)]).SerializeToString()
        assert message == written + bytes(length)
