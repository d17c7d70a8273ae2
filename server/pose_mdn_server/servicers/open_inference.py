"""inference.GRPCInferenceService, the Open Inference Protocol with Triton's extensions."""

from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any, Protocol

from google.protobuf.message import Message

from pose_mdn.errors import ModelNotFoundError
from pose_mdn_server.calls import Call, Method, StreamMethod, UnaryMethod
from pose_mdn_server.codec.open_inference import InferRequestTwin, encode_config, encode_metadata
from pose_mdn_server.errors import (
    FieldViolation,
    ModelNotReadyError,
    NotOfferedError,
    RequestError,
)
from pose_mdn_server.graph_runner import GraphRunner
from pose_mdn_server.models.graph import Graph
from pose_mdn_server.rpc import open_inference_pb2 as oip
from pose_mdn_server.servicers.open_inference_calls import Inference, InferSession

SERVICE: Any = oip.DESCRIPTOR.services_by_name["GRPCInferenceService"]
SERVICE_NAME: str = SERVICE.full_name

EXTENSIONS = ("model_configuration", "model_repository", "parameters", "schedule_policy", "statistics")
"""Of the protocol, by the names that Triton gives them, beside those that every server has."""

_INSTEAD = {
    "SharedMemory": "shared memory is not offered here; send tensors in the requests, in raw_input_contents",
    "TraceSetting": "traces are not set over the network here; see the settings of the server",
    "LogSettings": "logs are not set over the network here; see the settings of the server",
}
"""What to do instead of calling the methods that are not offered, by a part of their names."""


class IndexEntry(Protocol):
    """One model of a repository, loaded or not."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def state(self) -> str:
        """READY, LOADING, UNLOADING or UNAVAILABLE."""

    @property
    def reason(self) -> str:
        """Why it is not ready; empty if it is."""


class GraphRepository(Protocol):
    """Which graphs there are."""

    def graph(self, name: str, version: str = "") -> Graph:
        """A graph by name and version; empty means the newest."""

    def graphs(self) -> Sequence[Graph]:
        """Every loaded graph, by name, then version."""

    def graph_versions(self, name: str) -> list[str]:
        """Loaded versions of a graph, oldest first."""

    def index(self, *, ready_only: bool = False) -> Sequence[IndexEntry]:
        """Every graph of the repository, or every loaded one."""

    def load_model(self, name: str) -> object:
        """Load a model, or load it anew; it may be used when this returns."""

    def unload_model(self, name: str, *, unload_dependents: bool = False) -> object:
        """Unload a model; with `unload_dependents` also if it has graphs of other names."""


class OpenInferenceService:
    """Runs exported graphs as they are.

    Args:
        models: Which graphs there are.
        runner: Who runs them.
        is_serving: Whether calls are taken now.
        max_poses: Longest first axis of a tensor.
        lists_models: Whether callers are told which models there are.
    """

    def __init__(
        self,
        models: GraphRepository,
        runner: GraphRunner,
        *,
        is_serving: Callable[[], bool],
        max_poses: int,
        lists_models: bool = True,
    ) -> None:
        self._models = models
        self._is_serving = is_serving
        self._max_poses = max_poses
        self._lists_models = lists_models
        self._inference = Inference(models, runner, max_poses=max_poses)

    def methods(self) -> list[Method]:
        """What a transport carries."""
        unary: dict[str, Callable[[Any, Call], Message]] = {
            "ServerLive": self._server_live,
            "ServerReady": self._server_ready,
            "ServerMetadata": self._server_metadata,
            "ModelReady": self._model_ready,
            "ModelMetadata": self._model_metadata,
            "ModelConfig": self._model_config,
            "ModelStatistics": self._model_statistics,
        }
        slow: dict[str, Callable[[Any, Call], Message]] = {
            "RepositoryIndex": self._repository_index,
            "RepositoryModelLoad": self._load,
            "RepositoryModelUnload": self._unload,
        }
        infer = UnaryMethod(
            path=_path("ModelInfer"), decode=InferRequestTwin.FromString, handle=self._inference.answer, encode=bytes
        )
        stream = StreamMethod(
            path=_path("ModelStreamInfer"),
            decode=InferRequestTwin.FromString,
            open=lambda call, answers: InferSession(self._inference, call, answers),
            encode=bytes,
        )
        offered: list[Method] = [infer, stream, *(_unary(name, handle) for name, handle in unary.items())]
        offered += [_unary(name, handle, in_thread=True) for name, handle in slow.items()]
        known = {method.path for method in offered}
        refused = [_refused(name) for name in SERVICE.methods_by_name if _path(name) not in known]
        return [*offered, *refused]

    def _server_live(self, request: oip.ServerLiveRequest, call: Call) -> oip.ServerLiveResponse:
        """True, since it answers."""
        return oip.ServerLiveResponse(live=True)

    def _server_ready(self, request: oip.ServerReadyRequest, call: Call) -> oip.ServerReadyResponse:
        """Whether models are warm and the server is not draining."""
        return oip.ServerReadyResponse(ready=self._is_serving())

    def _server_metadata(self, request: oip.ServerMetadataRequest, call: Call) -> oip.ServerMetadataResponse:
        """Who answers."""
        return oip.ServerMetadataResponse(name="pose-mdn", version=metadata.version("pose-mdn"), extensions=EXTENSIONS)

    def _model_ready(self, request: oip.ModelReadyRequest, call: Call) -> oip.ModelReadyResponse:
        """Whether a model can be run now; false, not an error, for one that does not exist."""
        try:
            graph = self._models.graph(request.name, request.version)
        except (ModelNotFoundError, ModelNotReadyError):
            return oip.ModelReadyResponse(ready=False)
        call.client.require_model(graph.bundle_name)
        return oip.ModelReadyResponse(ready=self._is_serving())

    def _model_metadata(self, request: oip.ModelMetadataRequest, call: Call) -> oip.ModelMetadataResponse:
        """What a model takes and gives."""
        graph = self._graph(request.name, request.version, call)
        return encode_metadata(graph, self._models.graph_versions(graph.name))

    def _model_config(self, request: oip.ModelConfigRequest, call: Call) -> oip.ModelConfigResponse:
        """How a model is served."""
        return encode_config(self._graph(request.name, request.version, call), max_poses=self._max_poses)

    def _model_statistics(self, request: oip.ModelStatisticsRequest, call: Call) -> oip.ModelStatisticsResponse:
        """What models have done in this process."""
        if not request.name:
            self._require_listing()
            graphs = [graph for graph in self._models.graphs() if self._may_use(call, graph.name)]
        elif request.version:
            graphs = [self._graph(request.name, request.version, call)]
        else:
            name = self._graph(request.name, "", call).name
            graphs = [self._models.graph(name, version) for version in self._models.graph_versions(name)]
        return oip.ModelStatisticsResponse(model_stats=[self._inference.statistics(graph) for graph in graphs])

    def _repository_index(self, request: oip.RepositoryIndexRequest, call: Call) -> oip.RepositoryIndexResponse:
        """Every model that this client may use."""
        self._require_listing()
        listed = [
            oip.RepositoryIndexResponse.ModelIndex(
                name=entry.name, version=entry.version, state=entry.state, reason=entry.reason
            )
            for entry in self._models.index(ready_only=request.ready)
            if self._may_use(call, entry.name)
        ]
        return oip.RepositoryIndexResponse(models=listed)

    def _load(self, request: oip.RepositoryModelLoadRequest, call: Call) -> oip.RepositoryModelLoadResponse:
        """Load a model of the repository."""
        call.client.require_model(self._bundle_name(request.model_name))
        if request.parameters:
            names = ", ".join(sorted(name[:64] for name in request.parameters)[:4])
            description = f"expected none, since models are loaded as they are in the repository; got {names}"
            raise RequestError((FieldViolation("parameters", description),))
        self._models.load_model(request.model_name)
        return oip.RepositoryModelLoadResponse()

    def _unload(self, request: oip.RepositoryModelUnloadRequest, call: Call) -> oip.RepositoryModelUnloadResponse:
        """Unload a model."""
        call.client.require_model(self._bundle_name(request.model_name))
        dependents = request.parameters["unload_dependents"].bool_param
        self._models.unload_model(request.model_name, unload_dependents=dependents)
        return oip.RepositoryModelUnloadResponse()

    def _graph(self, name: str, version: str, call: Call) -> Graph:
        graph = self._models.graph(name, version)
        call.client.require_model(graph.bundle_name)
        call.model = graph.name
        return graph

    def _require_listing(self) -> None:
        if not self._lists_models:
            raise NotOfferedError("models: expected a name, got none; this server does not list its models")

    def _bundle_name(self, name: str) -> str:
        """Of a loaded graph; of anything else the name itself."""
        return next((graph.bundle_name for graph in self._models.graphs() if graph.name == name), name)

    def _may_use(self, call: Call, name: str) -> bool:
        return call.client.models is None or self._bundle_name(name) in call.client.models


def _path(name: str) -> str:
    return f"/{SERVICE_NAME}/{name}"


def _unary(name: str, handle: Callable[[Any, Call], Any], *, in_thread: bool = False) -> UnaryMethod:
    message = getattr(oip, SERVICE.methods_by_name[name].input_type.name)
    return UnaryMethod(path=_path(name), decode=message.FromString, handle=handle, in_thread=in_thread)


def _refused(name: str) -> UnaryMethod:
    instead = next(text for part, text in _INSTEAD.items() if part in name)

    def refuse(request: Message, call: Call) -> Message:
        raise NotOfferedError(f"{name}: {instead}")

    return _unary(name, refuse)
