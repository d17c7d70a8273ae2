"""The service by its methods alone, without a transport."""

import time
from typing import Any

import numpy as np
import pytest

from pose_mdn.errors import ModelNotFoundError
from pose_mdn_server.calls import Client, Pending, Priority, UnaryMethod
from pose_mdn_server.errors import NotOfferedError, OverdueError, PermissionDeniedError, QueueFullError, RequestError
from pose_mdn_server.graph_runner import DirectRunner
from pose_mdn_server.models.graph import Array
from pose_mdn_server.rpc import open_inference_pb2 as oip
from pose_mdn_server.server import PoseServer
from pose_mdn_server.servicers.open_inference import SERVICE

from .inference_service import MODEL, HeldRunner, Service, Store, infer_request, new_call


@pytest.fixture
def store(server: PoseServer) -> Store:
    return Store(server.models)


def test_every_method_of_the_protocol_is_there(store: Store) -> None:
    assert set(Service(store).methods) == set(SERVICE.methods_by_name)


def test_an_answer_says_who_gave_it(store: Store) -> None:
    call = new_call()
    answer = Service(store).call("ModelInfer", infer_request(request_id="abc"), call)
    assert (answer.id, answer.model_name, answer.model_version) == ("abc", MODEL, "1")
    assert (call.model, call.poses) == (MODEL, 2)
    assert call.ran_s > 0


def test_the_answer_comes_when_the_runner_has_it(store: Store) -> None:
    runner = HeldRunner()
    pending = Service(store, runner).start(infer_request(), new_call())
    assert not pending.done
    runner.run(0)
    assert oip.ModelInferResponse.FromString(pending.value()).outputs[0].name == "pose_m"


def test_what_the_runner_refuses_reaches_the_caller(store: Store) -> None:
    class Full(DirectRunner):
        def submit(self, *_: Any) -> Pending[list[Array]]:
            raise QueueFullError("queue: full")

    runner = HeldRunner()
    with pytest.raises(QueueFullError):
        Service(store, Full()).call("ModelInfer", infer_request())
    pending = Service(store, runner).start(infer_request(), new_call())
    runner.held[0][-1].fail(OverdueError("too late"))
    with pytest.raises(OverdueError):
        pending.value()


@pytest.mark.parametrize(
    ("granted", "asked", "given"),
    [
        (Priority.INTERACTIVE, 0, Priority.INTERACTIVE),
        (Priority.INTERACTIVE, 1, Priority.INTERACTIVE),
        (Priority.INTERACTIVE, 2, Priority.BULK),
        (Priority.BULK, 1, Priority.BULK),
    ],
)
def test_priority_can_be_lowered_and_never_raised(store: Store, granted: Priority, asked: int, given: Priority) -> None:
    call = new_call(priority=granted)
    Service(store).call("ModelInfer", infer_request(priority=asked), call)
    assert call.priority is given


def test_a_timeout_in_microseconds_is_a_deadline(store: Store) -> None:
    call, sooner = new_call(), new_call(deadline=time.monotonic() + 1)
    before = sooner.deadline
    Service(store).call("ModelInfer", infer_request(timeout=60_000_000), call)
    assert 55 < call.deadline - time.monotonic() <= 60
    Service(store).call("ModelInfer", infer_request(timeout=60_000_000), sooner)
    assert sooner.deadline == before
    with pytest.raises(OverdueError):
        Service(store, DirectRunner()).call("ModelInfer", infer_request(), new_call(deadline=time.monotonic() - 1))


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"priority": -1}, "whole number >= 0 as 'priority', got '-1'"),
        ({"priority": "high"}, "got 'high'"),
        ({"timeout": True}, "as 'timeout', got 'True'"),
        ({"sequence_id": 4}, "'sequence_id'"),
        ({"sequence_id": "a"}, "'sequence_id'"),
        ({"sequence_start": True}, "'sequence_start'"),
    ],
)
def test_parameters_that_cannot_be_heeded_are_refused(store: Store, parameters: dict[str, Any], match: str) -> None:
    with pytest.raises(RequestError, match=match) as refused:
        Service(store).call("ModelInfer", infer_request(**parameters))
    assert {violation.field for violation in refused.value.violations} == {"parameters"}


def test_other_parameters_are_ignored(store: Store) -> None:
    plain = Service(store).call("ModelInfer", infer_request())
    assert Service(store).call("ModelInfer", infer_request(anything="x", sequence_id=0, timeout=0)) == plain


def test_statistics_count_what_happened(store: Store) -> None:
    service = Service(store)
    for poses in (1, 3):
        service.call("ModelInfer", infer_request(poses))
    with pytest.raises(RequestError):
        service.call("ModelInfer", infer_request(99))
    (found,) = service.call("ModelStatistics", oip.ModelStatisticsRequest(name=MODEL)).model_stats
    assert (found.name, found.version, found.inference_count, found.execution_count) == (MODEL, "1", 4, 2)
    assert abs(found.last_inference / 1e3 - time.time()) < 60
    spent = found.inference_stats
    assert (spent.success.count, spent.fail.count, spent.queue.count) == (2, 1, 2)
    parts = (spent.queue, spent.compute_input, spent.compute_infer, spent.compute_output)
    assert 0 < sum(part.ns for part in parts) <= spent.success.ns
    every = service.call("ModelStatistics", oip.ModelStatisticsRequest()).model_stats
    assert [(each.name, each.version) for each in every] == [(graph.name, graph.version) for graph in store.graphs()]
    versions = service.call("ModelStatistics", oip.ModelStatisticsRequest(name="mdn_lifter")).model_stats
    assert sorted(each.version for each in versions) == ["1", "1-int8"]


def test_a_configuration_tells_which_axes_are_free(store: Store) -> None:
    def config(name: str) -> Any:
        return Service(store).call("ModelConfig", oip.ModelConfigRequest(name=name)).config

    lifter = config("mdn_lifter")
    assert (lifter.max_batch_size, lifter.backend, lifter.platform) == (8, "onnxruntime", "onnxruntime_onnx")
    assert [(each.name, list(each.dims)) for each in lifter.input] == [
        ("keypoints_px", [17, 2]),
        ("confidence", [17]),
        ("intrinsics", [3, 3]),
    ]
    assert list(lifter.output[0].dims) == [5, 17, 3]
    assert lifter.parameters["skeleton"].string_value
    noise = next(each for each in config("cvae_lifter").input if each.name == "noise")
    assert list(noise.dims) == [-1, 16]


def test_calls_that_share_a_lane_may_be_joined(store: Store) -> None:
    graph = store.graph("cvae_lifter")
    assert graph.batch_axis == "batch"
    inputs = {"noise": np.zeros((2, 5, 16), np.float32)}
    assert graph.lane(inputs) == (5,)
    assert store.graph(MODEL).lane({"latent": np.zeros((2, 32), np.float32)}) == ()


@pytest.mark.parametrize("ready_only", [True, False])
def test_the_index_lists_what_the_repository_holds(store: Store, ready_only: bool) -> None:
    listed = Service(store).call("RepositoryIndex", oip.RepositoryIndexRequest(ready=ready_only)).models
    assert store.asked == [("index", ready_only)]
    assert ("broken" in [model.name for model in listed]) is not ready_only
    if not ready_only:
        assert (listed[0].version, listed[0].state, listed[0].reason) == ("2", "UNAVAILABLE", "no checksum")


def test_models_are_loaded_and_unloaded(store: Store) -> None:
    service = Service(store)
    service.call("RepositoryModelLoad", oip.RepositoryModelLoadRequest(model_name="m"))
    unload = oip.RepositoryModelUnloadRequest(model_name="m")
    unload.parameters["unload_dependents"].bool_param = True
    service.call("RepositoryModelUnload", unload)
    assert store.asked == [("load", "m"), ("unload", "m", True)]


def test_models_are_loaded_as_they_are(store: Store) -> None:
    request = oip.RepositoryModelLoadRequest(model_name="m")
    request.parameters["config"].string_param = "{}"
    with pytest.raises(RequestError, match="got config"):
        Service(store).call("RepositoryModelLoad", request)
    assert store.asked == []


def test_slow_methods_have_threads_of_their_own(store: Store) -> None:
    slow = {
        name for name, method in Service(store).methods.items() if isinstance(method, UnaryMethod) and method.in_thread
    }
    assert slow == {"RepositoryIndex", "RepositoryModelLoad", "RepositoryModelUnload"}


def test_clients_see_and_use_their_models_alone(store: Store) -> None:
    client = Client(name="c", models=frozenset({"pose_vae"}))
    service = Service(store)
    service.call("ModelInfer", infer_request(), client=client)
    with pytest.raises(PermissionDeniedError):
        service.call("ModelMetadata", oip.ModelMetadataRequest(name="mdn_lifter"), client=client)
    with pytest.raises(PermissionDeniedError):
        service.call("RepositoryModelLoad", oip.RepositoryModelLoadRequest(model_name="mdn_lifter"), client=client)
    listed = service.call("RepositoryIndex", oip.RepositoryIndexRequest(), client=client).models
    assert {model.name for model in listed} == {"pose_vae_encode", "pose_vae_decode"}
    counted = service.call("ModelStatistics", oip.ModelStatisticsRequest(), client=client).model_stats
    assert {model.name for model in counted} == {"pose_vae_encode", "pose_vae_decode"}


def test_models_need_not_be_listed(store: Store) -> None:
    service = Service(store, lists_models=False)
    for name, request in (
        ("RepositoryIndex", oip.RepositoryIndexRequest()),
        ("ModelStatistics", oip.ModelStatisticsRequest()),
    ):
        with pytest.raises(NotOfferedError, match="does not list its models"):
            service.call(name, request)
    assert service.call("ModelReady", oip.ModelReadyRequest(name=MODEL)).ready


@pytest.mark.parametrize("serving", [True, False])
def test_readiness(store: Store, serving: bool) -> None:
    service = Service(store, is_serving=lambda: serving)
    assert service.call("ServerLive", oip.ServerLiveRequest()).live
    assert service.call("ServerReady", oip.ServerReadyRequest()).ready is serving
    for version, there in (("", True), ("1", True), ("99", False)):
        ready = service.call("ModelReady", oip.ModelReadyRequest(name=MODEL, version=version)).ready
        assert ready is (there and serving)
    with pytest.raises(ModelNotFoundError):
        service.call("ModelConfig", oip.ModelConfigRequest(name=MODEL, version="99"))


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("SystemSharedMemoryStatus", "raw_input_contents"),
        ("SystemSharedMemoryRegister", "raw_input_contents"),
        ("SystemSharedMemoryUnregister", "raw_input_contents"),
        ("CudaSharedMemoryStatus", "raw_input_contents"),
        ("CudaSharedMemoryRegister", "raw_input_contents"),
        ("CudaSharedMemoryUnregister", "raw_input_contents"),
        ("TraceSetting", "settings of the server"),
        ("LogSettings", "settings of the server"),
    ],
)
def test_what_is_not_offered_says_so(store: Store, name: str, match: str) -> None:
    request = getattr(oip, SERVICE.methods_by_name[name].input_type.name)()
    with pytest.raises(NotOfferedError, match=f"{name}: .*{match}"):
        Service(store).call(name, request)
