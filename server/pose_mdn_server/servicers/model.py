"""pose_mdn.v1.ModelService."""

import grpc

from pose_mdn_server.codec.model import encode_model
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.rpc import model_pb2, model_pb2_grpc

SERVICE_NAME: str = model_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name


class ModelServicer(model_pb2_grpc.ModelServiceServicer):  # type: ignore[misc]
    """Tells which models there are."""

    def __init__(self, models: ModelStore) -> None:
        self._models = models

    def ListModels(
        self, request: model_pb2.ListModelsRequest, context: grpc.ServicerContext
    ) -> model_pb2.ListModelsResponse:
        """Every loaded model."""
        return model_pb2.ListModelsResponse(models=[encode_model(model) for model in self._models.all()])

    def GetModel(self, request: model_pb2.GetModelRequest, context: grpc.ServicerContext) -> model_pb2.GetModelResponse:
        """One model."""
        return model_pb2.GetModelResponse(model=encode_model(self._models.get(request.name, request.version)))

    def add_to(self, server: grpc.Server) -> None:
        """Serve this."""
        model_pb2_grpc.add_ModelServiceServicer_to_server(self, server)
