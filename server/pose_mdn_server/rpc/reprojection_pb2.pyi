from pose_mdn_server.rpc import camera_pb2 as _camera_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReprojectionFault(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPROJECTION_FAULT_UNSPECIFIED: _ClassVar[ReprojectionFault]
    REPROJECTION_FAULT_NONE: _ClassVar[ReprojectionFault]
    REPROJECTION_FAULT_SIDES: _ClassVar[ReprojectionFault]
    REPROJECTION_FAULT_MIRRORED: _ClassVar[ReprojectionFault]
    REPROJECTION_FAULT_CAMERA: _ClassVar[ReprojectionFault]
    REPROJECTION_FAULT_UNKNOWN: _ClassVar[ReprojectionFault]
    REPROJECTION_FAULT_TURNED: _ClassVar[ReprojectionFault]
REPROJECTION_FAULT_UNSPECIFIED: ReprojectionFault
REPROJECTION_FAULT_NONE: ReprojectionFault
REPROJECTION_FAULT_SIDES: ReprojectionFault
REPROJECTION_FAULT_MIRRORED: ReprojectionFault
REPROJECTION_FAULT_CAMERA: ReprojectionFault
REPROJECTION_FAULT_UNKNOWN: ReprojectionFault
REPROJECTION_FAULT_TURNED: ReprojectionFault

class Hypotheses(_message.Message):
    __slots__ = ("num_hypotheses", "means_m", "std_m", "view_rotation", "mixing_coefficients", "root_translation_m")
    NUM_HYPOTHESES_FIELD_NUMBER: _ClassVar[int]
    MEANS_M_FIELD_NUMBER: _ClassVar[int]
    STD_M_FIELD_NUMBER: _ClassVar[int]
    VIEW_ROTATION_FIELD_NUMBER: _ClassVar[int]
    MIXING_COEFFICIENTS_FIELD_NUMBER: _ClassVar[int]
    ROOT_TRANSLATION_M_FIELD_NUMBER: _ClassVar[int]
    num_hypotheses: int
    means_m: _containers.RepeatedScalarFieldContainer[float]
    std_m: _containers.RepeatedScalarFieldContainer[float]
    view_rotation: _containers.RepeatedScalarFieldContainer[float]
    mixing_coefficients: _containers.RepeatedScalarFieldContainer[float]
    root_translation_m: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, num_hypotheses: _Optional[int] = ..., means_m: _Optional[_Iterable[float]] = ..., std_m: _Optional[_Iterable[float]] = ..., view_rotation: _Optional[_Iterable[float]] = ..., mixing_coefficients: _Optional[_Iterable[float]] = ..., root_translation_m: _Optional[_Iterable[float]] = ...) -> None: ...

class Extrinsics(_message.Message):
    __slots__ = ("rotation", "translation_m")
    ROTATION_FIELD_NUMBER: _ClassVar[int]
    TRANSLATION_M_FIELD_NUMBER: _ClassVar[int]
    rotation: _containers.RepeatedScalarFieldContainer[float]
    translation_m: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, rotation: _Optional[_Iterable[float]] = ..., translation_m: _Optional[_Iterable[float]] = ...) -> None: ...

class CheckSettings(_message.Message):
    __slots__ = ("level", "noise_of_size", "tolerance_of_size", "estimate_root")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    NOISE_OF_SIZE_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_OF_SIZE_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_ROOT_FIELD_NUMBER: _ClassVar[int]
    level: float
    noise_of_size: float
    tolerance_of_size: float
    estimate_root: bool
    def __init__(self, level: _Optional[float] = ..., noise_of_size: _Optional[float] = ..., tolerance_of_size: _Optional[float] = ..., estimate_root: _Optional[bool] = ...) -> None: ...

class CheckReprojectionRequest(_message.Message):
    __slots__ = ("hypotheses", "keypoints_px", "confidence", "skeleton", "camera", "extrinsics", "settings")
    HYPOTHESES_FIELD_NUMBER: _ClassVar[int]
    KEYPOINTS_PX_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SKELETON_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    EXTRINSICS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    hypotheses: Hypotheses
    keypoints_px: _containers.RepeatedScalarFieldContainer[float]
    confidence: _containers.RepeatedScalarFieldContainer[float]
    skeleton: str
    camera: _camera_pb2.Camera
    extrinsics: Extrinsics
    settings: CheckSettings
    def __init__(self, hypotheses: _Optional[_Union[Hypotheses, _Mapping]] = ..., keypoints_px: _Optional[_Iterable[float]] = ..., confidence: _Optional[_Iterable[float]] = ..., skeleton: _Optional[str] = ..., camera: _Optional[_Union[_camera_pb2.Camera, _Mapping]] = ..., extrinsics: _Optional[_Union[Extrinsics, _Mapping]] = ..., settings: _Optional[_Union[CheckSettings, _Mapping]] = ...) -> None: ...

class CheckReprojectionResponse(_message.Message):
    __slots__ = ("num_poses", "num_hypotheses", "verdict_text", "verdict", "fault", "passes", "reasons", "in_front", "human_bones", "human_joints", "rms_px", "rms_of_size", "error_px", "distance", "within", "projected_px", "covariance_px2", "depth_m", "root_translation_m", "explained_rms_of_size", "scale", "shift_of_size", "turn_rad", "allowed_of_size")
    NUM_POSES_FIELD_NUMBER: _ClassVar[int]
    NUM_HYPOTHESES_FIELD_NUMBER: _ClassVar[int]
    VERDICT_TEXT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    PASSES_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    IN_FRONT_FIELD_NUMBER: _ClassVar[int]
    HUMAN_BONES_FIELD_NUMBER: _ClassVar[int]
    HUMAN_JOINTS_FIELD_NUMBER: _ClassVar[int]
    RMS_PX_FIELD_NUMBER: _ClassVar[int]
    RMS_OF_SIZE_FIELD_NUMBER: _ClassVar[int]
    ERROR_PX_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    PROJECTED_PX_FIELD_NUMBER: _ClassVar[int]
    COVARIANCE_PX2_FIELD_NUMBER: _ClassVar[int]
    DEPTH_M_FIELD_NUMBER: _ClassVar[int]
    ROOT_TRANSLATION_M_FIELD_NUMBER: _ClassVar[int]
    EXPLAINED_RMS_OF_SIZE_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    SHIFT_OF_SIZE_FIELD_NUMBER: _ClassVar[int]
    TURN_RAD_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_OF_SIZE_FIELD_NUMBER: _ClassVar[int]
    num_poses: int
    num_hypotheses: int
    verdict_text: str
    verdict: ReprojectionFault
    fault: _containers.RepeatedScalarFieldContainer[ReprojectionFault]
    passes: _containers.RepeatedScalarFieldContainer[bool]
    reasons: _containers.RepeatedScalarFieldContainer[str]
    in_front: _containers.RepeatedScalarFieldContainer[bool]
    human_bones: _containers.RepeatedScalarFieldContainer[bool]
    human_joints: _containers.RepeatedScalarFieldContainer[bool]
    rms_px: _containers.RepeatedScalarFieldContainer[float]
    rms_of_size: _containers.RepeatedScalarFieldContainer[float]
    error_px: _containers.RepeatedScalarFieldContainer[float]
    distance: _containers.RepeatedScalarFieldContainer[float]
    within: _containers.RepeatedScalarFieldContainer[bool]
    projected_px: _containers.RepeatedScalarFieldContainer[float]
    covariance_px2: _containers.RepeatedScalarFieldContainer[float]
    depth_m: _containers.RepeatedScalarFieldContainer[float]
    root_translation_m: _containers.RepeatedScalarFieldContainer[float]
    explained_rms_of_size: _containers.RepeatedScalarFieldContainer[float]
    scale: _containers.RepeatedScalarFieldContainer[float]
    shift_of_size: _containers.RepeatedScalarFieldContainer[float]
    turn_rad: _containers.RepeatedScalarFieldContainer[float]
    allowed_of_size: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, num_poses: _Optional[int] = ..., num_hypotheses: _Optional[int] = ..., verdict_text: _Optional[str] = ..., verdict: _Optional[_Union[ReprojectionFault, str]] = ..., fault: _Optional[_Iterable[_Union[ReprojectionFault, str]]] = ..., passes: _Optional[_Iterable[bool]] = ..., reasons: _Optional[_Iterable[str]] = ..., in_front: _Optional[_Iterable[bool]] = ..., human_bones: _Optional[_Iterable[bool]] = ..., human_joints: _Optional[_Iterable[bool]] = ..., rms_px: _Optional[_Iterable[float]] = ..., rms_of_size: _Optional[_Iterable[float]] = ..., error_px: _Optional[_Iterable[float]] = ..., distance: _Optional[_Iterable[float]] = ..., within: _Optional[_Iterable[bool]] = ..., projected_px: _Optional[_Iterable[float]] = ..., covariance_px2: _Optional[_Iterable[float]] = ..., depth_m: _Optional[_Iterable[float]] = ..., root_translation_m: _Optional[_Iterable[float]] = ..., explained_rms_of_size: _Optional[_Iterable[float]] = ..., scale: _Optional[_Iterable[float]] = ..., shift_of_size: _Optional[_Iterable[float]] = ..., turn_rad: _Optional[_Iterable[float]] = ..., allowed_of_size: _Optional[_Iterable[float]] = ...) -> None: ...
