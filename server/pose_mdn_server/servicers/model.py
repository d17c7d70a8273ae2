"""pose_mdn.v1.ModelService."""

from pose_mdn_server.calls import Call, Method, UnaryMethod
from pose_mdn_server.codec.model import encode_model
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.rpc import model_pb2 as pb

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["ModelService"].full_name


class ModelService:
    """Tells which models there are."""

    def __init__(self, models: ModelStore) -> None:
        self._models = models

    def methods(self) -> list[Method]:
        """What to serve."""
        service = f"/{SERVICE_NAME}"
        return [
            UnaryMethod(path=f"{service}/ListModels", decode=pb.ListModelsRequest.FromString, handle=self.list_models),
            UnaryMethod(path=f"{service}/GetModel", decode=pb.GetModelRequest.FromString, handle=self.get_model),
        ]

    def list_models(self, request: pb.ListModelsRequest, call: Call) -> pb.ListModelsResponse:
        """Every loaded model that the caller may use."""
        allowed = call.client.models
        found = [model for model in self._models.all() if allowed is None or model.name in allowed]
        return pb.ListModelsResponse(models=[encode_model(model) for model in found])

    def get_model(self, request: pb.GetModelRequest, call: Call) -> pb.GetModelResponse:
        """One model."""
        model = self._models.get(request.name, request.version)
        call.client.require_model(model.name)
        return pb.GetModelResponse(model=encode_model(model))
