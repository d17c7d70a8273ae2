"""Descriptions of models."""

from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_server.models.model_store import ServedModel
from pose_mdn_server.rpc import model_pb2


def encode_model(model: ServedModel) -> model_pb2.Model:
    """What a client may know of a model."""
    return model_pb2.Model(
        name=model.name,
        version=model.version,
        num_hypotheses=0 if model.lifter is None else model.lifter.num_hypotheses,
        skeleton=HUMAN36M17.name,
        joint_names=HUMAN36M17.joint_names,
        metadata=model.graphs[-1].metadata,
    )
