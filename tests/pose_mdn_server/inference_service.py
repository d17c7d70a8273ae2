"""The inference service by its methods alone, without a transport, for tests of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from pose_mdn_server.calls import ANYONE, Answers, Call, Client, Pending, StreamMethod, UnaryMethod
from pose_mdn_server.graph_runner import DirectRunner
from pose_mdn_server.models.graph import Array, Graph
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.rpc import open_inference_pb2 as oip
from pose_mdn_server.servicers.open_inference import SERVICE, OpenInferenceService

MODEL = "pose_vae_decode"


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
        taken = self.answers.take()
        return None if taken is None else oip.ModelStreamInferResponse.FromString(self._method.encode(taken[0].value()))


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
