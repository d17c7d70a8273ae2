"""inference.GRPCInferenceService, the Open Inference Protocol."""

from collections.abc import Callable
from importlib import metadata

from pose_mdn_server.calls import Call, Method, UnaryMethod

from pose_mdn.errors import ModelNotFoundError
from pose_mdn_server.codec.open_inference import decode_infer_request, encode_infer_response, encode_metadata
from pose_mdn_server.errors import ModelNotReadyError
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.rpc import open_inference_pb2 as oip

SERVICE_NAME: str = oip.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name


class OpenInferenceService:
    """Runs exported graphs as they are."""

    def __init__(self, models: ModelStore, *, is_serving: Callable[[], bool], max_poses: int) -> None:
        self._models = models
        self._is_serving = is_serving
        self._max_poses = max_poses

    def ServerLive(self, request: oip.ServerLiveRequest, call: Call) -> oip.ServerLiveResponse:
        """True, since it answers."""
        return oip.ServerLiveResponse(live=True)

    def ServerReady(self, request: oip.ServerReadyRequest, call: Call) -> oip.ServerReadyResponse:
        """Whether models are warm and the server is not draining."""
        return oip.ServerReadyResponse(ready=self._is_serving())

    def ModelReady(self, request: oip.ModelReadyRequest, call: Call) -> oip.ModelReadyResponse:
        """Whether a model can be run now; false, not an error, for one that does not exist."""
        try:
            self._models.graph(request.name, request.version)
        except (ModelNotFoundError, ModelNotReadyError):
            return oip.ModelReadyResponse(ready=False)
        return oip.ModelReadyResponse(ready=self._is_serving())

    def ServerMetadata(
        self, request: oip.ServerMetadataRequest, call: Call
    ) -> oip.ServerMetadataResponse:
        """Who answers."""
        return oip.ServerMetadataResponse(name="pose-mdn", version=metadata.version("pose-mdn"))

    def ModelMetadata(
        self, request: oip.ModelMetadataRequest, call: Call
    ) -> oip.ModelMetadataResponse:
        """What a model takes and gives."""
        graph = self._models.graph(request.name, request.version)
        return encode_metadata(graph, self._models.graph_versions(graph.name))

    def ModelInfer(self, request: oip.ModelInferRequest, call: Call) -> oip.ModelInferResponse:
        """Run a model once."""
        graph = self._models.graph(request.model_name, request.model_version)
        job = decode_infer_request(request, graph, max_poses=self._max_poses)
        return encode_infer_response(request, graph, job, graph.run(job.inputs, job.outputs))

    def RepositoryIndex(
        self, request: oip.RepositoryIndexRequest, call: Call
    ) -> oip.RepositoryIndexResponse:
        """Every loaded model; models are listed once they are ready."""
        listed = [
            oip.RepositoryIndexResponse.ModelIndex(name=graph.name, version=graph.version, state="READY")
            for graph in self._models.graphs()
        ]
        return oip.RepositoryIndexResponse(models=listed)

    def methods(self) -> list[Method]:
        """What to serve."""
        return [
            UnaryMethod(
                path=f"/{SERVICE_NAME}/{name}", decode=getattr(oip, f"{name}Request").FromString, handle=getattr(self, name)
            )
            for name in ("ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer", "RepositoryIndex")
        ]
