from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PosePrior(_message.Message):
    __slots__ = ("model_name", "model_version", "label")
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    model_version: str
    label: str
    def __init__(self, model_name: _Optional[str] = ..., model_version: _Optional[str] = ..., label: _Optional[str] = ...) -> None: ...

class SamplePosesRequest(_message.Message):
    __slots__ = ("prior", "num_poses", "seed", "temperature")
    PRIOR_FIELD_NUMBER: _ClassVar[int]
    NUM_POSES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    prior: PosePrior
    num_poses: int
    seed: int
    temperature: float
    def __init__(self, prior: _Optional[_Union[PosePrior, _Mapping]] = ..., num_poses: _Optional[int] = ..., seed: _Optional[int] = ..., temperature: _Optional[float] = ...) -> None: ...

class SamplePosesResponse(_message.Message):
    __slots__ = ("pose_m", "label", "model")
    POSE_M_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    pose_m: _containers.RepeatedScalarFieldContainer[float]
    label: _containers.RepeatedScalarFieldContainer[str]
    model: str
    def __init__(self, pose_m: _Optional[_Iterable[float]] = ..., label: _Optional[_Iterable[str]] = ..., model: _Optional[str] = ...) -> None: ...

class EncodePosesRequest(_message.Message):
    __slots__ = ("prior", "pose_m")
    PRIOR_FIELD_NUMBER: _ClassVar[int]
    POSE_M_FIELD_NUMBER: _ClassVar[int]
    prior: PosePrior
    pose_m: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, prior: _Optional[_Union[PosePrior, _Mapping]] = ..., pose_m: _Optional[_Iterable[float]] = ...) -> None: ...

class EncodePosesResponse(_message.Message):
    __slots__ = ("mean", "log_variance", "heading_rad", "latent_dim", "model")
    MEAN_FIELD_NUMBER: _ClassVar[int]
    LOG_VARIANCE_FIELD_NUMBER: _ClassVar[int]
    HEADING_RAD_FIELD_NUMBER: _ClassVar[int]
    LATENT_DIM_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    mean: _containers.RepeatedScalarFieldContainer[float]
    log_variance: _containers.RepeatedScalarFieldContainer[float]
    heading_rad: _containers.RepeatedScalarFieldContainer[float]
    latent_dim: int
    model: str
    def __init__(self, mean: _Optional[_Iterable[float]] = ..., log_variance: _Optional[_Iterable[float]] = ..., heading_rad: _Optional[_Iterable[float]] = ..., latent_dim: _Optional[int] = ..., model: _Optional[str] = ...) -> None: ...

class DecodeLatentsRequest(_message.Message):
    __slots__ = ("prior", "latent", "heading_rad")
    PRIOR_FIELD_NUMBER: _ClassVar[int]
    LATENT_FIELD_NUMBER: _ClassVar[int]
    HEADING_RAD_FIELD_NUMBER: _ClassVar[int]
    prior: PosePrior
    latent: _containers.RepeatedScalarFieldContainer[float]
    heading_rad: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, prior: _Optional[_Union[PosePrior, _Mapping]] = ..., latent: _Optional[_Iterable[float]] = ..., heading_rad: _Optional[_Iterable[float]] = ...) -> None: ...

class DecodeLatentsResponse(_message.Message):
    __slots__ = ("pose_m", "model")
    POSE_M_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    pose_m: _containers.RepeatedScalarFieldContainer[float]
    model: str
    def __init__(self, pose_m: _Optional[_Iterable[float]] = ..., model: _Optional[str] = ...) -> None: ...

class ScorePosesRequest(_message.Message):
    __slots__ = ("prior", "pose_m", "num_samples", "seed")
    PRIOR_FIELD_NUMBER: _ClassVar[int]
    POSE_M_FIELD_NUMBER: _ClassVar[int]
    NUM_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    prior: PosePrior
    pose_m: _containers.RepeatedScalarFieldContainer[float]
    num_samples: int
    seed: int
    def __init__(self, prior: _Optional[_Union[PosePrior, _Mapping]] = ..., pose_m: _Optional[_Iterable[float]] = ..., num_samples: _Optional[int] = ..., seed: _Optional[int] = ...) -> None: ...

class ScorePosesResponse(_message.Message):
    __slots__ = ("bound_nats", "standard_error_nats", "usual", "model")
    BOUND_NATS_FIELD_NUMBER: _ClassVar[int]
    STANDARD_ERROR_NATS_FIELD_NUMBER: _ClassVar[int]
    USUAL_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    bound_nats: _containers.RepeatedScalarFieldContainer[float]
    standard_error_nats: _containers.RepeatedScalarFieldContainer[float]
    usual: _containers.RepeatedScalarFieldContainer[bool]
    model: str
    def __init__(self, bound_nats: _Optional[_Iterable[float]] = ..., standard_error_nats: _Optional[_Iterable[float]] = ..., usual: _Optional[_Iterable[bool]] = ..., model: _Optional[str] = ...) -> None: ...
