import gc
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pose_mdn.errors import ConfigError, ModelNotFoundError
from pose_mdn.geometry.body import KnownBody
from pose_mdn.inference import Lifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence
from pose_mdn_server.client import PoseLiftingClient
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.errors import ModelNotReadyError, ServerError, ServerUnavailableError
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.rpc import open_inference_pb2, pose_lifting_pb2
from pose_mdn_server.server import SERVICE_NAMES, PoseServer

from .conftest import served_process

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def wait_until_refused(port: int) -> None:
    """Wait until nobody listens; calls that come earlier may still be let in."""
    for _ in range(1000):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            pass  # the listener closed in between: the next call tells
        time.sleep(0.01)
    pytest.fail(f"port {port} still accepts connections")


@pytest.fixture
def own_server() -> Iterator[PoseServer]:
    """A server that the test may stop."""
    server = PoseServer(ServerConfig(port=0, drain_s=10.0))
    server.start()
    yield server
    server.drain()


def test_health_answers_for_the_server_and_for_each_service(server: PoseServer) -> None:
    assert "pose_mdn.v1.PoseLiftingService" in SERVICE_NAMES
    with grpc.insecure_channel(server.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for name in ("", *SERVICE_NAMES):
            assert stub.Check(health_pb2.HealthCheckRequest(service=name)).status == SERVING
        with pytest.raises(grpc.RpcError) as unknown:
            stub.Check(health_pb2.HealthCheckRequest(service="pose_mdn.v1.Nothing"))
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


def test_nothing_is_served_before_models_are_warm(monkeypatch: pytest.MonkeyPatch, people: FloatArray) -> None:
    may_load, load = threading.Event(), ModelStore.load

    def load_late(store: ModelStore) -> None:
        may_load.wait(20)
        load(store)

    monkeypatch.setattr(ModelStore, "load", load_late)
    server = PoseServer(ServerConfig(port=0))
    starting = threading.Thread(target=server.start)
    starting.start()
    while not server.port:
        time.sleep(0.01)
    try:
        with PoseLiftingClient(server.address) as client, grpc.insecure_channel(server.address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            request = health_pb2.HealthCheckRequest()
            assert stub.Check(request, wait_for_ready=True, timeout=10).status == NOT_SERVING
            with pytest.raises(ServerUnavailableError, match="being loaded"):
                client.lift(people)
            may_load.set()
            starting.join()
            assert stub.Check(request).status == SERVING
            assert client.lift(people).lifted.all()
    finally:
        may_load.set()
        starting.join()
        server.drain()


def test_draining_finishes_what_is_under_way_and_refuses_what_is_new(
    own_server: PoseServer, people: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_finish, lift = threading.Event(), threading.Event(), Lifter.lift

    def lift_slowly(lifter: Lifter, sequence: KeypointSequence, body: KnownBody | None) -> HypothesisSequence:
        begun.set()
        assert may_finish.wait(20)
        return lift(lifter, sequence, body=body)

    monkeypatch.setattr(Lifter, "lift", lift_slowly)
    watches: list[int] = []
    with grpc.insecure_channel(own_server.address) as watching, ThreadPoolExecutor(3) as pool:
        # An idle health watch must see the change and must not hold the server back.
        stream = health_pb2_grpc.HealthStub(watching).Watch(health_pb2.HealthCheckRequest())
        watches.append(next(stream).status)
        with PoseLiftingClient(own_server.address) as client:
            under_way = pool.submit(client.lift, people)
            assert begun.wait(20)
            draining = pool.submit(own_server.drain)
            watches.append(next(stream).status)
            wait_until_refused(own_server.port)
            with PoseLiftingClient(own_server.address) as late, pytest.raises(ServerUnavailableError):
                late.lift(people)
            assert not draining.done()
            may_finish.set()
            assert under_way.result(20).lifted.all()
            assert draining.result(20) is True
        watches += [response.status for response in stream]
    assert watches == [SERVING, NOT_SERVING]


def test_a_call_that_takes_too_long_is_cancelled(people: FloatArray, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, may_finish = threading.Event(), threading.Event()

    def lift_for_ever(lifter: Lifter, sequence: KeypointSequence, body: KnownBody | None) -> None:
        begun.set()
        may_finish.wait(20)

    server = PoseServer(ServerConfig(port=0, drain_s=0.2))
    server.start()
    monkeypatch.setattr(Lifter, "lift", lift_for_ever)
    with ThreadPoolExecutor(1) as pool, PoseLiftingClient(server.address) as client:
        call = pool.submit(client.lift, people)
        assert begun.wait(20)
        assert server.drain() is False
        with pytest.raises(ServerError):
            call.result(20)
        may_finish.set()


def test_a_bug_is_internal_and_only_the_log_tells(
    own_server: PoseServer, people: FloatArray, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(lifter: Lifter, sequence: KeypointSequence, body: KnownBody | None) -> None:
        raise RuntimeError("a secret of the house")

    monkeypatch.setattr(Lifter, "lift", fail)
    with PoseLiftingClient(own_server.address) as client, pytest.raises(ServerError, match="INTERNAL") as failed:
        client.lift(people)
    assert "secret" not in str(failed.value)
    request_id = str(failed.value).rsplit(maxsplit=1)[-1]
    assert "a secret of the house" in caplog.text
    assert request_id in caplog.text


def test_the_access_log_says_what_happened_without_keypoints() -> None:
    with served_process("--access-log") as (process, address):
        with PoseLiftingClient(address) as client:
            client.lift(np.linspace(100, 777.123, 34).reshape(17, 2))
            with pytest.raises(ModelNotFoundError):
                client.lift(np.linspace(100, 777.123, 34).reshape(17, 2), model="other")
        process.terminate()
        _, errors = process.communicate(timeout=30)
    lines = [line for line in errors.splitlines() if "PoseLiftingService/Lift" in line]
    assert ["OK" in lines[0], "NOT_FOUND" in lines[1]] == [True, True]
    assert len(lines) == 2
    assert "777" not in errors


def test_a_port_that_is_taken_is_refused(server: PoseServer) -> None:
    with pytest.raises(ConfigError, match="--port 0"):
        PoseServer(ServerConfig(port=server.port)).start()


def test_a_store_that_is_not_loaded_is_not_ready() -> None:
    with pytest.raises(ModelNotReadyError):
        ModelStore().get("mdn_lifter")


@pytest.mark.parametrize("setting", [{"port": 65536}, {"call_threads": 0}, {"max_message_bytes": 0}, {"drain_s": -1.0}])
def test_settings_out_of_range_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(setting))):
        ServerConfig(**setting)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_once_its_calls_are_answered(number: signal.Signals, people: FloatArray) -> None:
    many = np.tile(people, (600, 1, 1))
    with (
        served_process() as (process, address),
        ThreadPoolExecutor(1) as pool,
        PoseLiftingClient(address) as client,
        grpc.insecure_channel(address) as watching,
    ):
        watch = health_pb2_grpc.HealthStub(watching).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == SERVING
        # The assumed camera makes it a long call of a thread, which is still under way when the signal comes.
        call = pool.submit(client.lift, many, estimate_focal=True, image_size=(1000, 1000))
        time.sleep(0.1)
        process.send_signal(number)
        assert next(watch).status == NOT_SERVING
        assert len(call.result(30)) == len(many)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "every call was answered" in output
    assert "Traceback" not in errors


def test_short_calls_leave_no_cycles_for_the_garbage_collector(server: PoseServer, people: FloatArray) -> None:
    infer = open_inference_pb2.ModelInferRequest(model_name="mdn_lifter")
    for name, array in {
        "keypoints_px": people[:1],
        "confidence": np.ones((1, 17), np.float32),
        "intrinsics": np.array([[[1000, 0, 500], [0, 1000, 500], [0, 0, 1]]], np.float32),
    }.items():
        infer.inputs.add(name=name, datatype="FP32", shape=array.shape)
        infer.raw_input_contents.append(array.tobytes())
    lift = pose_lifting_pb2.LiftRequest(keypoints_px=people[0].ravel().tolist())
    lift.camera.image_width_px = lift.camera.image_height_px = 1000
    requests = {"inference.GRPCInferenceService/ModelInfer": infer, "pose_mdn.v1.PoseLiftingService/Lift": lift}
    with grpc.insecure_channel(server.address) as channel:
        for path, request in requests.items():
            call, data = channel.unary_unary(f"/{path}"), request.SerializeToString()
            call(data)
            gc.collect()
            gc.disable()
            try:
                for _ in range(50):
                    call(data)
                assert gc.collect() < 50, path
            finally:
                gc.enable()
