from pose_mdn_server.rpc import body_pb2 as _body_pb2
from pose_mdn_server.rpc import camera_pb2 as _camera_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LiftStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIFT_STATUS_UNSPECIFIED: _ClassVar[LiftStatus]
    LIFT_STATUS_LIFTED: _ClassVar[LiftStatus]
    LIFT_STATUS_LIFTED_JOINTS_MISSING: _ClassVar[LiftStatus]
    LIFT_STATUS_LIFTED_CUT_BY_FRAME: _ClassVar[LiftStatus]
    LIFT_STATUS_NO_PERSON: _ClassVar[LiftStatus]
    LIFT_STATUS_TOO_FEW_JOINTS: _ClassVar[LiftStatus]
    LIFT_STATUS_DEGENERATE: _ClassVar[LiftStatus]
    LIFT_STATUS_LIFTED_FROM_NEIGHBOURS: _ClassVar[LiftStatus]
LIFT_STATUS_UNSPECIFIED: LiftStatus
LIFT_STATUS_LIFTED: LiftStatus
LIFT_STATUS_LIFTED_JOINTS_MISSING: LiftStatus
LIFT_STATUS_LIFTED_CUT_BY_FRAME: LiftStatus
LIFT_STATUS_NO_PERSON: LiftStatus
LIFT_STATUS_TOO_FEW_JOINTS: LiftStatus
LIFT_STATUS_DEGENERATE: LiftStatus
LIFT_STATUS_LIFTED_FROM_NEIGHBOURS: LiftStatus

class LiftRequest(_message.Message):
    __slots__ = ("keypoints_px", "confidence", "skeleton", "camera", "model_name", "model_version", "body", "known_distances", "ground", "estimate_focal_length", "num_hypotheses", "seed")
    KEYPOINTS_PX_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SKELETON_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    KNOWN_DISTANCES_FIELD_NUMBER: _ClassVar[int]
    GROUND_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_FOCAL_LENGTH_FIELD_NUMBER: _ClassVar[int]
    NUM_HYPOTHESES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    keypoints_px: _containers.RepeatedScalarFieldContainer[float]
    confidence: _containers.RepeatedScalarFieldContainer[float]
    skeleton: str
    camera: _camera_pb2.Camera
    model_name: str
    model_version: str
    body: _body_pb2.KnownBody
    known_distances: _containers.RepeatedCompositeFieldContainer[_body_pb2.KnownDistance]
    ground: _body_pb2.GroundPlane
    estimate_focal_length: bool
    num_hypotheses: int
    seed: int
    def __init__(self, keypoints_px: _Optional[_Iterable[float]] = ..., confidence: _Optional[_Iterable[float]] = ..., skeleton: _Optional[str] = ..., camera: _Optional[_Union[_camera_pb2.Camera, _Mapping]] = ..., model_name: _Optional[str] = ..., model_version: _Optional[str] = ..., body: _Optional[_Union[_body_pb2.KnownBody, _Mapping]] = ..., known_distances: _Optional[_Iterable[_Union[_body_pb2.KnownDistance, _Mapping]]] = ..., ground: _Optional[_Union[_body_pb2.GroundPlane, _Mapping]] = ..., estimate_focal_length: _Optional[bool] = ..., num_hypotheses: _Optional[int] = ..., seed: _Optional[int] = ...) -> None: ...

class LiftResponse(_message.Message):
    __slots__ = ("num_poses", "num_hypotheses", "skeleton", "means_m", "std_m", "view_rotation", "mixing_coefficients", "root_translation_m", "reprojection_error_px", "status", "lifted_keypoints_px", "lifted_confidence", "intrinsics", "intrinsics_source", "model", "ood_score", "size_source", "root_std_m")
    NUM_POSES_FIELD_NUMBER: _ClassVar[int]
    NUM_HYPOTHESES_FIELD_NUMBER: _ClassVar[int]
    SKELETON_FIELD_NUMBER: _ClassVar[int]
    MEANS_M_FIELD_NUMBER: _ClassVar[int]
    STD_M_FIELD_NUMBER: _ClassVar[int]
    VIEW_ROTATION_FIELD_NUMBER: _ClassVar[int]
    MIXING_COEFFICIENTS_FIELD_NUMBER: _ClassVar[int]
    ROOT_TRANSLATION_M_FIELD_NUMBER: _ClassVar[int]
    REPROJECTION_ERROR_PX_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LIFTED_KEYPOINTS_PX_FIELD_NUMBER: _ClassVar[int]
    LIFTED_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    INTRINSICS_FIELD_NUMBER: _ClassVar[int]
    INTRINSICS_SOURCE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    OOD_SCORE_FIELD_NUMBER: _ClassVar[int]
    SIZE_SOURCE_FIELD_NUMBER: _ClassVar[int]
    ROOT_STD_M_FIELD_NUMBER: _ClassVar[int]
    num_poses: int
    num_hypotheses: int
    skeleton: str
    means_m: _containers.RepeatedScalarFieldContainer[float]
    std_m: _containers.RepeatedScalarFieldContainer[float]
    view_rotation: _containers.RepeatedScalarFieldContainer[float]
    mixing_coefficients: _containers.RepeatedScalarFieldContainer[float]
    root_translation_m: _containers.RepeatedScalarFieldContainer[float]
    reprojection_error_px: _containers.RepeatedScalarFieldContainer[float]
    status: _containers.RepeatedScalarFieldContainer[LiftStatus]
    lifted_keypoints_px: _containers.RepeatedScalarFieldContainer[float]
    lifted_confidence: _containers.RepeatedScalarFieldContainer[float]
    intrinsics: _containers.RepeatedScalarFieldContainer[float]
    intrinsics_source: str
    model: str
    ood_score: _containers.RepeatedScalarFieldContainer[float]
    size_source: str
    root_std_m: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, num_poses: _Optional[int] = ..., num_hypotheses: _Optional[int] = ..., skeleton: _Optional[str] = ..., means_m: _Optional[_Iterable[float]] = ..., std_m: _Optional[_Iterable[float]] = ..., view_rotation: _Optional[_Iterable[float]] = ..., mixing_coefficients: _Optional[_Iterable[float]] = ..., root_translation_m: _Optional[_Iterable[float]] = ..., reprojection_error_px: _Optional[_Iterable[float]] = ..., status: _Optional[_Iterable[_Union[LiftStatus, str]]] = ..., lifted_keypoints_px: _Optional[_Iterable[float]] = ..., lifted_confidence: _Optional[_Iterable[float]] = ..., intrinsics: _Optional[_Iterable[float]] = ..., intrinsics_source: _Optional[str] = ..., model: _Optional[str] = ..., ood_score: _Optional[_Iterable[float]] = ..., size_source: _Optional[str] = ..., root_std_m: _Optional[_Iterable[float]] = ...) -> None: ...

class LiftStreamRequest(_message.Message):
    __slots__ = ("settings", "poses")
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    POSES_FIELD_NUMBER: _ClassVar[int]
    settings: LiftStreamSettings
    poses: StreamedPoses
    def __init__(self, settings: _Optional[_Union[LiftStreamSettings, _Mapping]] = ..., poses: _Optional[_Union[StreamedPoses, _Mapping]] = ...) -> None: ...

class LiftStreamSettings(_message.Message):
    __slots__ = ("skeleton", "camera", "model_name", "model_version", "body", "fps", "smoothing", "follow_people")
    SKELETON_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    FPS_FIELD_NUMBER: _ClassVar[int]
    SMOOTHING_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_PEOPLE_FIELD_NUMBER: _ClassVar[int]
    skeleton: str
    camera: _camera_pb2.Camera
    model_name: str
    model_version: str
    body: _body_pb2.KnownBody
    fps: float
    smoothing: Smoothing
    follow_people: bool
    def __init__(self, skeleton: _Optional[str] = ..., camera: _Optional[_Union[_camera_pb2.Camera, _Mapping]] = ..., model_name: _Optional[str] = ..., model_version: _Optional[str] = ..., body: _Optional[_Union[_body_pb2.KnownBody, _Mapping]] = ..., fps: _Optional[float] = ..., smoothing: _Optional[_Union[Smoothing, _Mapping]] = ..., follow_people: _Optional[bool] = ...) -> None: ...

class Smoothing(_message.Message):
    __slots__ = ("lag_frames",)
    LAG_FRAMES_FIELD_NUMBER: _ClassVar[int]
    lag_frames: int
    def __init__(self, lag_frames: _Optional[int] = ...) -> None: ...

class StreamedPoses(_message.Message):
    __slots__ = ("keypoints_px", "confidence", "frame", "person")
    KEYPOINTS_PX_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    keypoints_px: _containers.RepeatedScalarFieldContainer[float]
    confidence: _containers.RepeatedScalarFieldContainer[float]
    frame: _containers.RepeatedScalarFieldContainer[int]
    person: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, keypoints_px: _Optional[_Iterable[float]] = ..., confidence: _Optional[_Iterable[float]] = ..., frame: _Optional[_Iterable[int]] = ..., person: _Optional[_Iterable[int]] = ...) -> None: ...

class LiftStreamResponse(_message.Message):
    __slots__ = ("lift", "frame", "person", "is_rest")
    LIFT_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    IS_REST_FIELD_NUMBER: _ClassVar[int]
    lift: LiftResponse
    frame: _containers.RepeatedScalarFieldContainer[int]
    person: _containers.RepeatedScalarFieldContainer[int]
    is_rest: bool
    def __init__(self, lift: _Optional[_Union[LiftResponse, _Mapping]] = ..., frame: _Optional[_Iterable[int]] = ..., person: _Optional[_Iterable[int]] = ..., is_rest: _Optional[bool] = ...) -> None: ...
