from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Camera(_message.Message):
    __slots__ = ("intrinsics", "distortion", "image_width_px", "image_height_px")
    INTRINSICS_FIELD_NUMBER: _ClassVar[int]
    DISTORTION_FIELD_NUMBER: _ClassVar[int]
    IMAGE_WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    IMAGE_HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    intrinsics: _containers.RepeatedScalarFieldContainer[float]
    distortion: _containers.RepeatedScalarFieldContainer[float]
    image_width_px: int
    image_height_px: int
    def __init__(self, intrinsics: _Optional[_Iterable[float]] = ..., distortion: _Optional[_Iterable[float]] = ..., image_width_px: _Optional[int] = ..., image_height_px: _Optional[int] = ...) -> None: ...
