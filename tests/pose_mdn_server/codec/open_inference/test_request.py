from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from pose_mdn.inference import Bundle
from pose_mdn.inference.signature import OUTPUTS
from pose_mdn_server.codec.open_inference import InferJob, decode_infer_request, encode_infer_response, encode_metadata
from pose_mdn_server.errors import RequestError
from pose_mdn_server.models.graph import Graph
from pose_mdn_server.rpc.open_inference_pb2 import InferTensorContents, ModelInferRequest, ModelInferResponse
from pose_mdn_server.server import PoseServer

INPUTS = {
    "keypoints_px": np.arange(68, dtype=np.float32).reshape(2, 17, 2) * 7 % 97,
    "confidence": np.linspace(0.1, 1, 34, dtype=np.float32).reshape(2, 17),
    "intrinsics": np.tile(np.array([[1000, 0, 50], [0, 1000, 50], [0, 0, 1]], np.float32), (2, 1, 1)),
}


@pytest.fixture(scope="module")
def graph(server: PoseServer) -> Graph:
    return server.models.graph("mdn_lifter")


def infer_request(*, raw: bool = True) -> ModelInferRequest:
    request = ModelInferRequest(model_name="mdn_lifter", id="7")
    for name, array in INPUTS.items():
        tensor = request.inputs.add(name=name, datatype="FP32", shape=array.shape)
        if raw:
            request.raw_input_contents.append(array.tobytes())
        else:
            tensor.contents.fp32_contents.extend(array.ravel().tolist())
    return request


def answered(graph: Graph, job: InferJob, request_id: str = "") -> ModelInferResponse:
    results = graph.run(job.inputs, job.outputs)
    return ModelInferResponse.FromString(encode_infer_response(graph, job, results, request_id))


@pytest.mark.parametrize("raw", [True, False])
def test_an_answer_is_what_the_graph_gives_in_the_form_of_the_request(graph: Graph, raw: bool) -> None:
    request = infer_request(raw=raw)
    for name in ("mixing_coefficients", "means_m"):
        request.outputs.add(name=name)
    job = decode_infer_request(request, graph, max_poses=2)
    expected = graph.run(INPUTS, ["mixing_coefficients", "means_m"])
    response = answered(graph, job, "7")
    assert [tensor.name for tensor in response.outputs] == ["mixing_coefficients", "means_m"]
    assert (response.id, response.model_name, response.model_version) == ("7", "mdn_lifter", graph.version)
    assert bool(response.raw_output_contents) is raw
    for place, array in enumerate(expected):
        tensor = response.outputs[place]
        values = (
            np.frombuffer(response.raw_output_contents[place], "<f4")
            if raw
            else np.array(tensor.contents.fp32_contents)
        )
        np.testing.assert_array_equal(values.reshape(tensor.shape), array)


def test_no_output_named_means_all(graph: Graph) -> None:
    job = decode_infer_request(infer_request(), graph, max_poses=2)
    assert list(job.outputs) == [spec.name for spec in graph.outputs]
    assert job.outputs[: len(OUTPUTS)] == tuple(OUTPUTS)


def test_a_score_that_a_graph_has_is_listed_and_given(tmp_path: Path) -> None:
    def tensor(name: str, *shape: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", *shape])

    node = helper.make_node("ReduceMean", ["confidence"], ["scores"], axes=[1], keepdims=0)
    nodes = [node, helper.make_node("Identity", ["scores"], ["ood_score"])]
    definition = helper.make_graph(nodes, "scoring", [tensor("confidence", 17)], [tensor("ood_score")])
    model = helper.make_model(definition, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, tmp_path / "model.onnx")
    scoring = Graph(Bundle(name="scoring", version="1", path=tmp_path, config={}), threads=1)
    (listed,) = encode_metadata(scoring, ["1"]).outputs
    assert (listed.name, listed.datatype, list(listed.shape)) == ("ood_score", "FP32", [-1])
    request = ModelInferRequest(model_name="scoring", raw_input_contents=[INPUTS["confidence"].tobytes()])
    request.inputs.add(name="confidence", datatype="FP32", shape=(2, 17))
    job = decode_infer_request(request, scoring, max_poses=2)
    response = answered(scoring, job)
    scores = np.frombuffer(response.raw_output_contents[0], "<f4")
    assert list(response.outputs[0].shape) == [2]
    np.testing.assert_allclose(scores, INPUTS["confidence"].mean(axis=1), atol=1e-6)


def drop_input(request: ModelInferRequest) -> None:
    del request.inputs[2]
    del request.raw_input_contents[2]


def repeat_input(request: ModelInferRequest) -> None:
    request.inputs.append(request.inputs[0])
    request.raw_input_contents.append(request.raw_input_contents[0])


def rename_input(request: ModelInferRequest) -> None:
    request.inputs[0].name = "keypoints"


def drop_buffer(request: ModelInferRequest) -> None:
    del request.raw_input_contents[2]


def shorten_buffer(request: ModelInferRequest) -> None:
    request.raw_input_contents[0] = request.raw_input_contents[0][:-1]


def change_datatype(request: ModelInferRequest) -> None:
    request.inputs[1].datatype = "FP64"


def claim_a_gigabyte(request: ModelInferRequest) -> None:
    request.inputs[0].shape[0] = 2**40


def claim_less_than_nothing(request: ModelInferRequest) -> None:
    request.inputs[0].shape[0] = -1


def change_rank(request: ModelInferRequest) -> None:
    request.inputs[0].shape[:] = [2, 34]


def change_batch(request: ModelInferRequest) -> None:
    request.inputs[1].shape[0] = 1
    request.raw_input_contents[1] = request.raw_input_contents[1][: 17 * 4]


def send_nothing(request: ModelInferRequest) -> None:
    for tensor in request.inputs:
        tensor.shape[0] = 0
    request.raw_input_contents[:] = [b""] * 3


def add_typed_contents(request: ModelInferRequest) -> None:
    request.inputs[0].contents.CopyFrom(InferTensorContents(fp32_contents=[1.0]))


def leave_out_all_contents(request: ModelInferRequest) -> None:
    del request.raw_input_contents[:]


def ask_for_nonsense(request: ModelInferRequest) -> None:
    request.outputs.add(name="alpha")


def ask_twice(request: ModelInferRequest) -> None:
    request.outputs.add(name="std_m")
    request.outputs.add(name="std_m")


def name_shared_memory(request: ModelInferRequest) -> None:
    request.inputs[1].parameters["shared_memory_region"].string_param = "region"


def want_shared_memory(request: ModelInferRequest) -> None:
    request.outputs.add(name="means_m").parameters["shared_memory_region"].string_param = "region"


def want_classes(request: ModelInferRequest) -> None:
    request.outputs.add(name="means_m").parameters["classification"].int64_param = 3


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        (drop_input, "inputs"),
        (repeat_input, "inputs"),
        (rename_input, "inputs[0].name"),
        (drop_buffer, "raw_input_contents"),
        (shorten_buffer, "raw_input_contents[0]"),
        (change_datatype, "inputs[1].datatype"),
        (claim_a_gigabyte, "inputs[0].shape"),
        (claim_less_than_nothing, "inputs[0].shape"),
        (change_rank, "inputs[0].shape"),
        (change_batch, "inputs[1].shape"),
        (send_nothing, "inputs[0].shape"),
        (add_typed_contents, "inputs[0].contents"),
        (leave_out_all_contents, "inputs[0].contents.fp32_contents"),
        (ask_for_nonsense, "outputs[0].name"),
        (ask_twice, "outputs[1].name"),
        (name_shared_memory, "inputs[1].parameters"),
        (want_shared_memory, "outputs[0].parameters"),
        (want_classes, "outputs[0].parameters"),
    ],
)
def test_a_wrong_request_is_refused(graph: Graph, spoil: Callable[[ModelInferRequest], None], field: str) -> None:
    request = infer_request()
    spoil(request)
    with pytest.raises(RequestError) as refused:
        decode_infer_request(request, graph, max_poses=2)
    assert field in [violation.field for violation in refused.value.violations]


def test_more_poses_than_allowed_are_refused(graph: Graph) -> None:
    with pytest.raises(RequestError, match=r"from 1 to 1 "):
        decode_infer_request(infer_request(), graph, max_poses=1)
