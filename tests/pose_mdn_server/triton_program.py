"""What a user of tritonclient does, as a program of its own: tritonclient and our server must not share a process.

Usage: triton_program.py HOST:PORT INPUTS.npz OUTPUTS.npz
"""

import sys

import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from pose_mdn_server.client import PoseLiftingClient

MODEL = "mdn_lifter"


def main() -> None:
    target, inputs_path, outputs_path = sys.argv[1:]
    inputs = dict(np.load(inputs_path))
    with triton.InferenceServerClient(target) as client:
        check_metadata(client, inputs)
        raw = infer_raw(client, inputs)
        some = client.infer(
            MODEL, tensors(inputs), outputs=[triton.InferRequestedOutput("mixing_coefficients")], request_id="7"
        )
        assert [tensor.name for tensor in some.get_response().outputs] == ["mixing_coefficients"]
        assert some.get_response().id == "7"
        typed = infer_typed(client, inputs)
        check_refusals(client, inputs)
    # Our own client lives happily beside tritonclient.
    with PoseLiftingClient(target) as ours:
        assert ours.lift(inputs["keypoints_px"]).lifted.all()
    np.savez(
        outputs_path,
        **{f"raw_{name}": array for name, array in raw.items()},
        **{f"typed_{name}": array for name, array in typed.items()},
        some_mixing_coefficients=some.as_numpy("mixing_coefficients"),
    )


def check_metadata(client: triton.InferenceServerClient, inputs: dict[str, np.ndarray]) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(MODEL)
    assert client.is_model_ready(MODEL, "1")
    assert not client.is_model_ready("nothing")
    assert client.get_server_metadata().name == "pose-mdn"
    metadata = client.get_model_metadata(MODEL)
    assert sorted(metadata.versions) == ["1", "1-int8"]
    assert {tensor.name: (tensor.datatype, list(tensor.shape)) for tensor in metadata.inputs} == {
        name: ("FP32", [-1, *array.shape[1:]]) for name, array in inputs.items()
    }
    index = {(model.name, model.version) for model in client.get_model_repository_index().models}
    priors = {f"{prior}_{part}" for prior in ("pose_vae", "pose_cvae") for part in ("encode", "decode")}
    assert index == {(MODEL, "1"), (MODEL, "1-int8"), ("cvae_lifter", "1"), *((name, "1") for name in priors)}
    noise = next(tensor for tensor in client.get_model_metadata("cvae_lifter").inputs if tensor.name == "noise")
    assert list(noise.shape[:2]) == [-1, -1]
    latent = triton.InferInput("latent", (2, 32), "FP32")
    latent.set_data_from_numpy(np.zeros((2, 32), np.float32))
    assert client.infer("pose_vae_decode", [latent]).as_numpy("pose_m").shape == (2, 17, 3)


def tensors(inputs: dict[str, np.ndarray]) -> list[triton.InferInput]:
    made = []
    for name, array in inputs.items():
        tensor = triton.InferInput(name, array.shape, "FP32")
        tensor.set_data_from_numpy(array)
        made.append(tensor)
    return made


def infer_raw(client: triton.InferenceServerClient, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    answer = client.infer(MODEL, tensors(inputs))
    assert len(answer.get_response().raw_output_contents) == 7
    return {tensor.name: answer.as_numpy(tensor.name) for tensor in answer.get_response().outputs}


def infer_typed(client: triton.InferenceServerClient, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """tritonclient itself always sends bytes; its stubs can send numbers, as clients in other languages do."""
    request = service_pb2.ModelInferRequest(model_name=MODEL)
    for name, array in inputs.items():
        tensor = request.inputs.add(name=name, datatype="FP32", shape=array.shape)
        tensor.contents.fp32_contents.extend(array.ravel().tolist())
    answer = service_pb2_grpc.GRPCInferenceServiceStub(client._channel).ModelInfer(request)
    assert not answer.raw_output_contents
    return {
        tensor.name: np.array(tensor.contents.fp32_contents, np.float32).reshape(tensor.shape)
        for tensor in answer.outputs
    }


def check_refusals(client: triton.InferenceServerClient, inputs: dict[str, np.ndarray]) -> None:
    wrong = dict(inputs, confidence=inputs["confidence"][:1])
    for model, given, code in (
        ("nothing", inputs, "NOT_FOUND"),
        (MODEL, wrong, "INVALID_ARGUMENT"),
        (MODEL, {"keypoints_px": inputs["keypoints_px"]}, "INVALID_ARGUMENT"),
    ):
        with pytest.raises(InferenceServerException) as refused:
            client.infer(model, tensors(given))
        assert refused.value.status() == f"StatusCode.{code}", refused.value


if __name__ == "__main__":
    main()
