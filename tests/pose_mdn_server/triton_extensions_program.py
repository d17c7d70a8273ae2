"""What a user of tritonclient's whole interface does, as a program of its own.

Usage: triton_extensions_program.py HOST:PORT TOKEN
"""

import asyncio
import queue
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
from tritonclient.grpc import InferenceServerClientPlugin
from tritonclient.utils import InferenceServerException

from pose_mdn_server.security.limits import messages_are_bounded

MODEL = "pose_vae_decode"
WAIT_S = 20


class Token(InferenceServerClientPlugin):
    """Sends a token with every call."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: Any) -> None:
        request.headers["authorization"] = f"Bearer {self._token}"


def latent(poses: int, value: float = 0.0) -> list[triton.InferInput]:
    tensor = triton.InferInput("latent", (poses, 32), "FP32")
    tensor.set_data_from_numpy(np.full((poses, 32), value, np.float32))
    return [tensor]


def refused(code: str, text: str, call: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    with pytest.raises(InferenceServerException) as error:
        call(*arguments, **named)
    assert error.value.status() == f"StatusCode.{code}", error.value
    assert text in error.value.message(), error.value


def check_description(client: triton.InferenceServerClient) -> None:
    config = client.get_model_config(MODEL, as_json=True)["config"]
    assert (config["name"], config["max_batch_size"], config["backend"]) == (MODEL, 4096, "onnxruntime")
    assert config["input"] == [{"name": "latent", "data_type": "TYPE_FP32", "dims": ["32"]}]
    assert config["output"][0]["dims"] == ["17", "3"]
    assert "dynamic_batching" in config
    assert {"model_repository", "statistics", "model_configuration"} <= set(client.get_server_metadata().extensions)
    for version, there in (("", True), ("1", True), ("2", False), ("latest", False)):
        assert client.is_model_ready(MODEL, version) is there
    refused("NOT_FOUND", "expected version 1", client.get_model_config, MODEL, "2")
    refused("NOT_FOUND", "expected one of", client.get_model_metadata, "nothing")
    refused("NOT_FOUND", "expected one of", client.get_inference_statistics, "nothing")


def check_requests(client: triton.InferenceServerClient) -> None:
    before = client.get_inference_statistics(MODEL, as_json=True)["model_stats"][0]
    plain = client.infer(MODEL, latent(2)).as_numpy("pose_m")
    assert plain.shape == (2, 17, 3)
    for settings in (
        {"priority": 2, "timeout": 10_000_000, "client_timeout": 10.0},
        {"model_version": "1", "request_id": "7", "headers": {"x-request-id": "7"}},
        {"parameters": {"colour": "blue", "count": 3, "share": 0.5, "yes": True}},
        {"outputs": [triton.InferRequestedOutput("pose_m")]},
    ):
        np.testing.assert_array_equal(client.infer(MODEL, latent(2), **settings).as_numpy("pose_m"), plain)
    for algorithm in ("gzip", "deflate"):
        if messages_are_bounded():
            answer = client.infer(MODEL, latent(2), compression_algorithm=algorithm)
            np.testing.assert_array_equal(answer.as_numpy("pose_m"), plain)
        else:  # this grpcio unpacks messages before it measures them
            packed = {"compression_algorithm": algorithm}
            refused("UNIMPLEMENTED", algorithm, client.infer, MODEL, latent(2), **packed)
    answers: queue.Queue[Any] = queue.Queue()
    client.async_infer(MODEL, latent(2), callback=lambda result, error: answers.put((result, error)))
    result, error = answers.get(timeout=WAIT_S)
    assert error is None
    np.testing.assert_array_equal(result.as_numpy("pose_m"), plain)
    after = client.get_inference_statistics(MODEL, as_json=True)["model_stats"][0]
    calls = 8 if messages_are_bounded() else 6
    for name, more in (("inference_count", 2 * calls), ("execution_count", calls)):
        assert int(after[name]) - int(before.get(name, 0)) == more
    assert int(after["inference_stats"]["success"]["ns"]) > 0


def check_refusals(client: triton.InferenceServerClient) -> None:
    infer = client.infer
    refused("DEADLINE_EXCEEDED", "deadline passed", infer, MODEL, latent(1), timeout=1)
    refused("DEADLINE_EXCEEDED", "", infer, MODEL, latent(4096), client_timeout=1e-3)
    refused("INVALID_ARGUMENT", "sequence_id", infer, MODEL, latent(1), sequence_id=5)
    refused("INVALID_ARGUMENT", "sequence_id", infer, MODEL, latent(1), sequence_id="five", sequence_start=True)
    refused("INVALID_ARGUMENT", "outputs[0].name", infer, MODEL, latent(1), outputs=[triton.InferRequestedOutput("x")])
    classes = [triton.InferRequestedOutput("pose_m", class_count=2)]
    refused("INVALID_ARGUMENT", "classification", infer, MODEL, latent(1), outputs=classes)
    shared = triton.InferInput("latent", (1, 32), "FP32")
    shared.set_shared_memory("region", 128)
    refused("INVALID_ARGUMENT", "shared_memory_region", infer, MODEL, [shared])
    refused("INVALID_ARGUMENT", "first axis from 1 to 4096", infer, MODEL, latent(5000))
    refused("UNIMPLEMENTED", "shared memory is not offered", client.get_system_shared_memory_status)
    refused("UNIMPLEMENTED", "raw_input_contents", client.register_system_shared_memory, "r", "/r", 128)
    refused("UNIMPLEMENTED", "shared memory is not offered", client.unregister_system_shared_memory)
    refused("UNIMPLEMENTED", "shared memory is not offered", client.get_cuda_shared_memory_status)
    refused("UNIMPLEMENTED", "settings of the server", client.get_trace_settings)
    refused("UNIMPLEMENTED", "settings of the server", client.update_log_settings, {"log_info": True})


def check_control(client: triton.InferenceServerClient) -> None:
    def state() -> tuple[str, str]:
        listed = client.get_model_repository_index().models
        return next((model.state, model.reason) for model in listed if model.name == MODEL)

    assert state() == ("READY", "")
    refused("INVALID_ARGUMENT", "unload_dependents", client.unload_model, MODEL)
    client.unload_model(MODEL, unload_dependents=True)
    name, reason = state()
    assert name == "UNAVAILABLE"
    assert reason
    assert not client.is_model_ready(MODEL)
    refused("NOT_FOUND", "expected one of", client.infer, MODEL, latent(1))
    client.load_model(MODEL)
    assert state() == ("READY", "")
    assert client.infer(MODEL, latent(1)).as_numpy("pose_m").shape == (1, 17, 3)
    refused("NOT_FOUND", "expected", client.load_model, "nothing")
    refused("INVALID_ARGUMENT", "got config", client.load_model, MODEL, config="{}")


def check_stream(client: triton.InferenceServerClient) -> None:
    answers: queue.Queue[Any] = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    for number in range(6):
        poses = 5000 if number == 2 else number + 1
        client.async_stream_infer(
            MODEL, latent(poses, number), request_id=str(number), enable_empty_final_response=number % 2 == 0
        )
    for number in range(6):
        result, error = answers.get(timeout=WAIT_S)
        if number == 2:
            assert "first axis from 1 to 4096" in error.message()
            continue
        assert error is None
        response = result.get_response()
        assert response.id == str(number)
        assert response.parameters["triton_final_response"].bool_param
        expected = client.infer(MODEL, latent(number + 1, number)).as_numpy("pose_m")
        np.testing.assert_array_equal(result.as_numpy("pose_m"), expected)
    client.stop_stream()
    client.start_stream(lambda result, error: answers.put((result, error)), headers={"triton_grpc_error": "true"})
    client.async_stream_infer("nothing", latent(1))
    _, error = answers.get(timeout=WAIT_S)
    assert error.status() == "StatusCode.NOT_FOUND"
    client.stop_stream()
    client.start_stream(lambda result, error: answers.put((result, error)))
    client.stop_stream(cancel_requests=True)


async def check_aio(target: str, token: str) -> None:
    async with triton_aio.InferenceServerClient(target) as client:
        client.register_plugin(Token(token))
        assert await client.is_model_ready(MODEL, "1")
        one, two = await asyncio.gather(client.infer(MODEL, latent(1)), client.infer(MODEL, latent(2)))
        assert (one.as_numpy("pose_m").shape[0], two.as_numpy("pose_m").shape[0]) == (1, 2)
        with pytest.raises(InferenceServerException) as error:
            await client.infer("nothing", latent(1))
        assert error.value.status() == "StatusCode.NOT_FOUND"

        async def requests() -> AsyncIterator[dict[str, Any]]:
            for number in range(4):
                model = "nothing" if number == 1 else MODEL
                yield {"model_name": model, "inputs": latent(number + 1), "request_id": str(number)}

        answers = [answer async for answer in client.stream_infer(requests())]
        assert [error is not None for _, error in answers] == [False, True, False, False]
        assert [result.get_response().id for result, _ in answers if result] == ["0", "2", "3"]


def main() -> None:
    target, token = sys.argv[1:]
    with triton.InferenceServerClient(target) as client:
        refused("UNAUTHENTICATED", "Bearer TOKEN", client.infer, MODEL, latent(1))
        client.register_plugin(Token(token))
        check_description(client)
        check_requests(client)
        check_refusals(client)
        check_control(client)
        check_stream(client)
    asyncio.run(check_aio(target, token))


if __name__ == "__main__":
    main()
