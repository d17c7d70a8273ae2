from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class KnownBody(_message.Message):
    __slots__ = ("stature_m", "bone_lengths_m")
    class BoneLengthsMEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    STATURE_M_FIELD_NUMBER: _ClassVar[int]
    BONE_LENGTHS_M_FIELD_NUMBER: _ClassVar[int]
    stature_m: float
    bone_lengths_m: _containers.ScalarMap[str, float]
    def __init__(self, stature_m: _Optional[float] = ..., bone_lengths_m: _Optional[_Mapping[str, float]] = ...) -> None: ...

class KnownDistance(_message.Message):
    __slots__ = ("joint", "other_joint", "distance_m", "pose")
    JOINT_FIELD_NUMBER: _ClassVar[int]
    OTHER_JOINT_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_M_FIELD_NUMBER: _ClassVar[int]
    POSE_FIELD_NUMBER: _ClassVar[int]
    joint: str
    other_joint: str
    distance_m: float
    pose: int
    def __init__(self, joint: _Optional[str] = ..., other_joint: _Optional[str] = ..., distance_m: _Optional[float] = ..., pose: _Optional[int] = ...) -> None: ...

class GroundPlane(_message.Message):
    __slots__ = ("normal", "offset_m")
    NORMAL_FIELD_NUMBER: _ClassVar[int]
    OFFSET_M_FIELD_NUMBER: _ClassVar[int]
    normal: _containers.RepeatedScalarFieldContainer[float]
    offset_m: float
    def __init__(self, normal: _Optional[_Iterable[float]] = ..., offset_m: _Optional[float] = ...) -> None: ...
