"""Elements of tensors, as bytes and as lists."""

import sys
from typing import Any

import numpy as np

from pose_mdn_server.codec.twins import chunks_to_array, packed_twin
from pose_mdn_server.codec.wire import prefix
from pose_mdn_server.models.graph import Array
from pose_mdn_server.rpc import open_inference_pb2 as oip

DATATYPES = {
    np.dtype(np.float16): "FP16",
    np.dtype(np.float32): "FP32",
    np.dtype(np.float64): "FP64",
    np.dtype(np.int32): "INT32",
    np.dtype(np.int64): "INT64",
    np.dtype(np.bool_): "BOOL",
}
"""What the protocol calls the types that graphs have."""

CONTENTS = {
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "BOOL": "bool_contents",
}
"""Field of `InferTensorContents` for each datatype; the protocol has none for FP16."""

_FIXED_WIDTH = ("FP32", "FP64", "BOOL")
"""Datatypes whose packed lists are the memory of an array."""

_ContentsTwin: Any = packed_twin(oip.InferTensorContents, bytes_fields=["bool_contents"])

_FEW_BYTES = 4096
"""Copying so few is quicker than finding out whether they have to be copied."""

Pieces = list[bytes | memoryview]
"""What stands on the wire one after the other."""


def from_raw(buffer: bytes, dtype: np.dtype[np.generic]) -> Array | None:
    """Elements that came as bytes, not copied; `None` if the bytes are no whole number of them."""
    if len(buffer) % dtype.itemsize:
        return None
    return np.frombuffer(buffer, dtype=dtype.newbyteorder("<")).astype(dtype, copy=False)


def to_raw(array: Array) -> bytes | memoryview:
    """The same elements as they lie on the wire: C order, little-endian. Many are copied only if they lie otherwise."""
    if array.nbytes <= _FEW_BYTES and sys.byteorder == "little":
        return array.tobytes()
    if sys.byteorder == "big":
        array = array.astype(array.dtype.newbyteorder("<"))
    return array.data if array.flags.c_contiguous else np.ascontiguousarray(array).data


def from_contents(contents: oip.InferTensorContents, dtype: np.dtype[np.generic]) -> Array | None:
    """Elements that came as a list; `None` if the protocol has no list for their type."""
    datatype = DATATYPES[dtype]
    field = CONTENTS.get(datatype)
    if field is None:
        return None
    if datatype in _FIXED_WIDTH:  # by way of bytes, which is many times faster than number by number
        return chunks_to_array(getattr(_ContentsTwin.FromString(contents.SerializeToString()), field), dtype)
    return np.array(getattr(contents, field), dtype=dtype)


def to_contents(array: Array) -> Pieces:
    """Elements as an `InferTensorContents` on the wire; the protocol must have a list for their type."""
    datatype = DATATYPES[array.dtype]
    field = CONTENTS[datatype]
    if datatype in _FIXED_WIDTH:
        number = oip.InferTensorContents.DESCRIPTOR.fields_by_name[field].number
        return [prefix(number, array.nbytes), to_raw(array)]
    return [oip.InferTensorContents(**{field: array.ravel().tolist()}).SerializeToString()]


def length(pieces: Pieces) -> int:
    """How many bytes these are."""
    return sum([len(piece) if isinstance(piece, bytes) else piece.nbytes for piece in pieces])
