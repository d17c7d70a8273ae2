from pose_mdn_server.rpc import camera_pb2 as _camera_pb2
from pose_mdn_server.rpc import reprojection_pb2 as _reprojection_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FusionMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FUSION_METHOD_UNSPECIFIED: _ClassVar[FusionMethod]
    FUSION_METHOD_POSTERIOR: _ClassVar[FusionMethod]
    FUSION_METHOD_CONSISTENCY: _ClassVar[FusionMethod]
    FUSION_METHOD_TRIANGULATION: _ClassVar[FusionMethod]

class FusionStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FUSION_STATUS_UNSPECIFIED: _ClassVar[FusionStatus]
    FUSION_STATUS_FUSED: _ClassVar[FusionStatus]
    FUSION_STATUS_SINGLE_VIEW: _ClassVar[FusionStatus]
    FUSION_STATUS_NO_VIEW: _ClassVar[FusionStatus]

class ViewStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VIEW_STATUS_UNSPECIFIED: _ClassVar[ViewStatus]
    VIEW_STATUS_USED: _ClassVar[ViewStatus]
    VIEW_STATUS_SIDES_EXCHANGED: _ClassVar[ViewStatus]
    VIEW_STATUS_LEFT_OUT: _ClassVar[ViewStatus]
    VIEW_STATUS_NOT_LIFTED: _ClassVar[ViewStatus]
    VIEW_STATUS_ABSENT: _ClassVar[ViewStatus]
FUSION_METHOD_UNSPECIFIED: FusionMethod
FUSION_METHOD_POSTERIOR: FusionMethod
FUSION_METHOD_CONSISTENCY: FusionMethod
FUSION_METHOD_TRIANGULATION: FusionMethod
FUSION_STATUS_UNSPECIFIED: FusionStatus
FUSION_STATUS_FUSED: FusionStatus
FUSION_STATUS_SINGLE_VIEW: FusionStatus
FUSION_STATUS_NO_VIEW: FusionStatus
VIEW_STATUS_UNSPECIFIED: ViewStatus
VIEW_STATUS_USED: ViewStatus
VIEW_STATUS_SIDES_EXCHANGED: ViewStatus
VIEW_STATUS_LEFT_OUT: ViewStatus
VIEW_STATUS_NOT_LIFTED: ViewStatus
VIEW_STATUS_ABSENT: ViewStatus

class FusionView(_message.Message):
    __slots__ = ("name", "camera", "extrinsics", "hypotheses", "keypoints_px", "confidence", "skeleton", "frame", "person", "ood_score")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    EXTRINSICS_FIELD_NUMBER: _ClassVar[int]
    HYPOTHESES_FIELD_NUMBER: _ClassVar[int]
    KEYPOINTS_PX_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SKELETON_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    OOD_SCORE_FIELD_NUMBER: _ClassVar[int]
    name: str
    camera: _camera_pb2.Camera
    extrinsics: _reprojection_pb2.Extrinsics
    hypotheses: _reprojection_pb2.Hypotheses
    keypoints_px: _containers.RepeatedScalarFieldContainer[float]
    confidence: _containers.RepeatedScalarFieldContainer[float]
    skeleton: str
    frame: _containers.RepeatedScalarFieldContainer[int]
    person: _containers.RepeatedScalarFieldContainer[int]
    ood_score: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, name: _Optional[str] = ..., camera: _Optional[_Union[_camera_pb2.Camera, _Mapping]] = ..., extrinsics: _Optional[_Union[_reprojection_pb2.Extrinsics, _Mapping]] = ..., hypotheses: _Optional[_Union[_reprojection_pb2.Hypotheses, _Mapping]] = ..., keypoints_px: _Optional[_Iterable[float]] = ..., confidence: _Optional[_Iterable[float]] = ..., skeleton: _Optional[str] = ..., frame: _Optional[_Iterable[int]] = ..., person: _Optional[_Iterable[int]] = ..., ood_score: _Optional[_Iterable[float]] = ...) -> None: ...

class FusionSettings(_message.Message):
    __slots__ = ("method", "noise_of_size", "num_hypotheses", "keep_all", "match_people")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    NOISE_OF_SIZE_FIELD_NUMBER: _ClassVar[int]
    NUM_HYPOTHESES_FIELD_NUMBER: _ClassVar[int]
    KEEP_ALL_FIELD_NUMBER: _ClassVar[int]
    MATCH_PEOPLE_FIELD_NUMBER: _ClassVar[int]
    method: FusionMethod
    noise_of_size: float
    num_hypotheses: int
    keep_all: bool
    match_people: bool
    def __init__(self, method: _Optional[_Union[FusionMethod, str]] = ..., noise_of_size: _Optional[float] = ..., num_hypotheses: _Optional[int] = ..., keep_all: _Optional[bool] = ..., match_people: _Optional[bool] = ...) -> None: ...

class FusePosesRequest(_message.Message):
    __slots__ = ("views", "settings")
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    views: _containers.RepeatedCompositeFieldContainer[FusionView]
    settings: FusionSettings
    def __init__(self, views: _Optional[_Iterable[_Union[FusionView, _Mapping]]] = ..., settings: _Optional[_Union[FusionSettings, _Mapping]] = ...) -> None: ...

class FusePosesResponse(_message.Message):
    __slots__ = ("num_poses", "num_hypotheses", "views", "frame", "person", "status", "means_m", "covariance_m2", "root_translation_m", "root_covariance_m2", "mixing_coefficients", "view_status", "agreement", "joint_weight", "reasons")
    NUM_POSES_FIELD_NUMBER: _ClassVar[int]
    NUM_HYPOTHESES_FIELD_NUMBER: _ClassVar[int]
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MEANS_M_FIELD_NUMBER: _ClassVar[int]
    COVARIANCE_M2_FIELD_NUMBER: _ClassVar[int]
    ROOT_TRANSLATION_M_FIELD_NUMBER: _ClassVar[int]
    ROOT_COVARIANCE_M2_FIELD_NUMBER: _ClassVar[int]
    MIXING_COEFFICIENTS_FIELD_NUMBER: _ClassVar[int]
    VIEW_STATUS_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    JOINT_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    num_poses: int
    num_hypotheses: int
    views: _containers.RepeatedScalarFieldContainer[str]
    frame: _containers.RepeatedScalarFieldContainer[int]
    person: _containers.RepeatedScalarFieldContainer[int]
    status: _containers.RepeatedScalarFieldContainer[FusionStatus]
    means_m: _containers.RepeatedScalarFieldContainer[float]
    covariance_m2: _containers.RepeatedScalarFieldContainer[float]
    root_translation_m: _containers.RepeatedScalarFieldContainer[float]
    root_covariance_m2: _containers.RepeatedScalarFieldContainer[float]
    mixing_coefficients: _containers.RepeatedScalarFieldContainer[float]
    view_status: _containers.RepeatedScalarFieldContainer[ViewStatus]
    agreement: _containers.RepeatedScalarFieldContainer[float]
    joint_weight: _containers.RepeatedScalarFieldContainer[float]
    reasons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, num_poses: _Optional[int] = ..., num_hypotheses: _Optional[int] = ..., views: _Optional[_Iterable[str]] = ..., frame: _Optional[_Iterable[int]] = ..., person: _Optional[_Iterable[int]] = ..., status: _Optional[_Iterable[_Union[FusionStatus, str]]] = ..., means_m: _Optional[_Iterable[float]] = ..., covariance_m2: _Optional[_Iterable[float]] = ..., root_translation_m: _Optional[_Iterable[float]] = ..., root_covariance_m2: _Optional[_Iterable[float]] = ..., mixing_coefficients: _Optional[_Iterable[float]] = ..., view_status: _Optional[_Iterable[_Union[ViewStatus, str]]] = ..., agreement: _Optional[_Iterable[float]] = ..., joint_weight: _Optional[_Iterable[float]] = ..., reasons: _Optional[_Iterable[str]] = ...) -> None: ...
