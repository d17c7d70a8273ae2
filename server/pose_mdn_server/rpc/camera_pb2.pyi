from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LensModel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LENS_MODEL_UNSPECIFIED: _ClassVar[LensModel]
    LENS_MODEL_BROWN: _ClassVar[LensModel]
    LENS_MODEL_FISHEYE: _ClassVar[LensModel]
LENS_MODEL_UNSPECIFIED: LensModel
LENS_MODEL_BROWN: LensModel
LENS_MODEL_FISHEYE: LensModel

class Camera(_message.Message):
    __slots__ = ("intrinsics", "distortion", "image_width_px", "image_height_px", "lens_model")
    INTRINSICS_FIELD_NUMBER: _ClassVar[int]
    DISTORTION_FIELD_NUMBER: _ClassVar[int]
    IMAGE_WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    IMAGE_HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    LENS_MODEL_FIELD_NUMBER: _ClassVar[int]
    intrinsics: _containers.RepeatedScalarFieldContainer[float]
    distortion: _containers.RepeatedScalarFieldContainer[float]
    image_width_px: int
    image_height_px: int
    lens_model: LensModel
    def __init__(self, intrinsics: _Optional[_Iterable[float]] = ..., distortion: _Optional[_Iterable[float]] = ..., image_width_px: _Optional[int] = ..., image_height_px: _Optional[int] = ..., lens_model: _Optional[_Union[LensModel, str]] = ...) -> None: ...
