"""The service by its methods alone, without a transport."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pose_mdn.errors import ModelNotFoundError
from pose_mdn_server.calls import ANYONE, Answers, Call, Client, Pending, Priority, StreamMethod, UnaryMethod
from pose_mdn_server.errors import NotOfferedError, OverdueError, PermissionDeniedError, QueueFullError, RequestError
from pose_mdn_server.graph_runner import DirectRunner
from pose_mdn_server.models.graph import Array, Graph
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.rpc import open_inference_pb2 as oip
from pose_mdn_server.server import PoseServer
from pose_mdn_server.servicers.open_inference import SERVICE, OpenInferenceService

MODEL = "pose_vae_decode"
ADMINISTRATOR = Client(name="administrator", administers=True)


class HeldRunner:
    """Keeps what is submitted until the test runs it."""

    def __init__(self) -> None:
        self.held: list[tuple[Graph, Mapping[str, Array], Sequence[str], Call, Pending[list[Array]]]] = []

    def submit(
        self, graph: Graph, inputs: Mapping[str, Array], outputs: Sequence[str], call: Call
    ) -> Pending[list[Array]]:
        answer: Pending[list[Array]] = Pending()
        self.held.append((graph, inputs, outputs, call, answer))
        return answer

    def runs(self, graph: Graph) -> int:
        return 0

    def run(self, place: int) -> None:
        graph, inputs, outputs, _, answer = self.held[place]
        answer.resolve(graph.run(inputs, outputs))


@dataclass
class Store:
    """The models of a server, with a list of what was asked of it."""

    models: ModelStore
    asked: list[Any] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.models, name)

    def index(self, *, ready_only: bool = False) -> list[Any]:
        self.asked.append(("index", ready_only))
        broken = SimpleNamespace(name="broken", version="2", state="UNAVAILABLE", reason="no checksum")
        listed = [SimpleNamespace(name=each.name, version="1", state="READY", reason="") for each in self.graphs()]
        return listed if ready_only else [broken, *listed]

    def load_model(self, name: str) -> None:
        self.asked.append(("load", name))

    def unload_model(self, name: str, *, unload_dependents: bool = False) -> None:
        self.asked.append(("unload", name, unload_dependents))


@pytest.fixture
def store(server: PoseServer) -> Store:
    return Store(server.models)


class Service:
    """Calls methods by their names."""

    def __init__(self, store: Store, runner: Any = None, **settings: Any) -> None:
        settings = {"is_serving": lambda: True, "max_poses": 8, **settings}
        service = OpenInferenceService(store, runner or DirectRunner(), **settings)
        self.methods = {method.path.rpartition("/")[2]: method for method in service.methods()}

    def call(self, name: str, request: Any, call: Call | None = None, client: Client = ANYONE) -> Any:
        method = self.methods[name]
        assert isinstance(method, UnaryMethod)
        call = call or new_call(client=client)
        answer = method.handle(method.decode(request.SerializeToString()), call)
        if isinstance(answer, Pending):
            answer = answer.wait(10)
        output = getattr(oip, SERVICE.methods_by_name[name].output_type.name)
        return output.FromString(method.encode(answer))

    def start(self, request: Any, call: Call) -> Pending[bytes]:
        method = self.methods["ModelInfer"]
        assert isinstance(method, UnaryMethod)
        return method.handle(method.decode(request.SerializeToString()), call)

    def open(self, call: Call | None = None) -> "Stream":
        return Stream(self.methods["ModelStreamInfer"], call or new_call())


class Stream:
    def __init__(self, method: Any, call: Call) -> None:
        assert isinstance(method, StreamMethod)
        self._method = method
        self.answers = Answers(wake=lambda: None)
        self.session = method.open(call, self.answers)

    def send(self, request: oip.ModelInferRequest) -> None:
        self.session.receive(self._method.decode(request.SerializeToString()))

    def take(self) -> oip.ModelStreamInferResponse | None:
        place = self.answers.take()
        return None if place is None else oip.ModelStreamInferResponse.FromString(self._method.encode(place.value()))


def new_call(client: Client = ANYONE, **known: Any) -> Call:
    return Call(path="/inference.GRPCInferenceService/ModelInfer", request_id="r", client=client, **known)


def infer_request(poses: int = 2, request_id: str = "", **parameters: int | str | bool) -> oip.ModelInferRequest:
    latent = np.linspace(-1, 1, poses * 32, dtype="<f4").reshape(poses, 32)
    request = oip.ModelInferRequest(model_name=MODEL, id=request_id, raw_input_contents=[latent.tobytes()])
    request.inputs.add(name="latent", datatype="FP32", shape=latent.shape)
    for name, value in parameters.items():
        kind = {bool: "bool_param", int: "int64_param", str: "string_param"}[type(value)]
        setattr(request.parameters[name], kind, value)
    return request


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


def test_answers_of_a_stream_keep_the_order_of_the_requests(store: Store) -> None:
    runner = HeldRunner()
    stream = Service(store, runner).open()
    for number in range(3):
        stream.send(infer_request(request_id=str(number)))
    stream.session.end()
    for place in (2, 0, 1):
        runner.run(place)
    answers = [stream.take() for _ in range(3)]
    assert [answer and answer.infer_response.id for answer in answers] == ["0", "1", "2"]
    assert all(answer and answer.infer_response.parameters["triton_final_response"].bool_param for answer in answers)
    assert stream.answers.finished


def test_answers_of_a_stream_are_those_of_single_requests(store: Store) -> None:
    service = Service(store)
    stream = service.open()
    for request in (infer_request(3, "x"), infer_request(1)):
        stream.send(request)
        answer = stream.take()
        assert answer is not None
        del answer.infer_response.parameters["triton_final_response"]
        assert answer.infer_response == service.call("ModelInfer", request)


def test_a_refused_request_does_not_end_its_stream(store: Store) -> None:
    stream = Service(store).open()
    stream.send(infer_request(99, "bad"))
    stream.send(oip.ModelInferRequest(model_name="nothing", id="none"))
    stream.send(infer_request(1, "good"))
    bad, none, good = (stream.take() for _ in range(3))
    assert bad is not None
    assert none is not None
    assert good is not None
    assert "the first axis from 1 to 8" in bad.error_message
    assert (bad.infer_response.id, none.infer_response.id) == ("bad", "none")
    assert none.error_message.startswith("model: expected one of")
    assert (good.error_message, good.infer_response.id) == ("", "good")


def test_a_client_may_ask_for_a_status_instead(store: Store) -> None:
    stream = Service(store).open(new_call(metadata={"triton_grpc_error": "true"}))
    stream.send(infer_request(99))
    with pytest.raises(RequestError):
        stream.take()


def test_bugs_end_a_stream_and_are_not_told(store: Store) -> None:
    runner = HeldRunner()
    stream = Service(store, runner).open()
    stream.send(infer_request())
    runner.held[0][-1].fail(ZeroDivisionError("secret"))
    with pytest.raises(ZeroDivisionError):
        stream.take()


def test_requests_of_a_stream_have_priorities_of_their_own(store: Store) -> None:
    runner, call = HeldRunner(), new_call()
    stream = Service(store, runner).open(call)
    stream.send(infer_request(priority=2))
    stream.send(infer_request())
    assert [held[3].priority for held in runner.held] == [Priority.BULK, Priority.INTERACTIVE]
    assert call.priority is Priority.INTERACTIVE
    runner.run(0)
    runner.run(1)
    assert call.poses == 4


def test_nobody_works_on_for_a_stream_that_is_over(store: Store) -> None:
    runner = HeldRunner()
    stream = Service(store, runner).open()
    stream.send(infer_request())
    stream.send(infer_request())
    runner.run(0)
    stream.session.close()
    assert [held[3].cancelled for held in runner.held] == [False, True]


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


def test_models_are_loaded_for_those_who_administer(store: Store) -> None:
    service = Service(store, controls_models=True)
    service.call("RepositoryModelLoad", oip.RepositoryModelLoadRequest(model_name="m"), client=ADMINISTRATOR)
    unload = oip.RepositoryModelUnloadRequest(model_name="m")
    unload.parameters["unload_dependents"].bool_param = True
    service.call("RepositoryModelUnload", unload, client=ADMINISTRATOR)
    assert store.asked == [("load", "m"), ("unload", "m", True)]
    with pytest.raises(PermissionDeniedError, match="who administers"):
        service.call("RepositoryModelUnload", unload)
    with pytest.raises(NotOfferedError, match="model control"):
        Service(store).call("RepositoryModelUnload", unload, client=ADMINISTRATOR)
    assert len(store.asked) == 2


def test_models_are_loaded_as_they_are(store: Store) -> None:
    request = oip.RepositoryModelLoadRequest(model_name="m")
    request.parameters["config"].string_param = "{}"
    with pytest.raises(RequestError, match="got config"):
        Service(store, controls_models=True).call("RepositoryModelLoad", request, client=ADMINISTRATOR)
    assert store.asked == []


def test_slow_methods_have_threads_of_their_own(store: Store) -> None:
    slow = {
        name for name, method in Service(store).methods.items() if isinstance(method, UnaryMethod) and method.in_thread
    }
    assert slow == {"RepositoryIndex", "RepositoryModelLoad", "RepositoryModelUnload"}


def test_clients_see_and_use_their_models_alone(store: Store) -> None:
    client = Client(name="c", models=frozenset({"pose_vae"}), administers=True)
    service = Service(store, controls_models=True)
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
