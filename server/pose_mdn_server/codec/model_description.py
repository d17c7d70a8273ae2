"""What a client learns of a model."""

from collections.abc import Mapping
from dataclasses import dataclass

from pose_mdn_server.rpc import model_pb2


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """A model that a server has.

    Attributes:
        name: Of its bundle, "mdn_lifter".
        version: Of its bundle, "1".
        num_hypotheses: M; 0 for models that do not lift.
        skeleton: Layout of its 3D poses.
        joint_names: Of that layout, in index order.
        metadata: What the model file says of itself: units, licence, training data and the like.
    """

    name: str
    version: str
    num_hypotheses: int
    skeleton: str
    joint_names: tuple[str, ...]
    metadata: Mapping[str, str]


def decode_model(message: model_pb2.Model) -> ModelDescription:
    """Read a description."""
    return ModelDescription(
        name=message.name,
        version=message.version,
        num_hypotheses=message.num_hypotheses,
        skeleton=message.skeleton,
        joint_names=tuple(message.joint_names),
        metadata=dict(message.metadata),
    )
