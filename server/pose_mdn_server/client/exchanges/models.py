"""Which models a server has."""

from pose_mdn_server.client.exchange import Exchange
from pose_mdn_server.codec.methods import GET_MODEL, LIST_MODELS
from pose_mdn_server.codec.model_description import ModelDescription, decode_model
from pose_mdn_server.rpc import model_pb2


def list_models() -> Exchange[list[ModelDescription]]:
    """Every loaded model, by name, then version.

    Raises:
        ServerUnavailableError: There was no answer.
    """
    return Exchange(LIST_MODELS, model_pb2.ListModelsRequest(), lambda answer: [decode_model(m) for m in answer.models])


def get_model(model: str = "") -> Exchange[ModelDescription]:
    """One model: "NAME" for its newest version, "NAME/VERSION", or nothing for the server's default lifter.

    Raises:
        ModelNotFoundError: The server has no such model.
        ServerUnavailableError: There was no answer.
    """
    name, _, version = model.partition("/")
    return Exchange(
        GET_MODEL, model_pb2.GetModelRequest(name=name, version=version), lambda answer: decode_model(answer.model)
    )
