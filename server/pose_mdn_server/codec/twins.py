"""Twins of messages: the same bytes on the wire, with chosen fields left as bytes.

On the wire a packed list of numbers, a string, a message and `bytes` are written alike: a tag, a length, that many
bytes (https://protobuf.dev/programming-guides/encoding/). A message class in which such a field is declared as
`repeated bytes` therefore reads and writes what the original does, but leaves the content of the field alone. A list of
floats then comes as the memory of an array, and a header that was seen before is recognised without being parsed.

Twins are derived from the descriptors of the originals when this program starts, so that the two cannot drift apart.
"""

import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from numpy.typing import DTypeLike, NDArray

_ALIKE = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_MESSAGE)
_LITTLE_ENDIAN = sys.byteorder == "little"
_REAL = (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE)


def twin(message_class: type[Message], *, bytes_fields: Iterable[str]) -> type[Message]:
    """A message class with the same wire form, in which the fields named are `repeated bytes`.

    Each entry is what stood on the wire once. Of a packed list these are usually one chunk, but a writer may send
    several, to be joined: see `chunks_to_array`. Of a list or map of messages it is one message; of a single message or
    string it is the message or string, and if there are several, joined messages make the whole, and of strings the
    last one counts. Fields that are not named stay as they are; messages in them are of classes of their own, with the
    same fields as the originals.

    Raises:
        ValueError: There is no such field, or it has another wire form than `bytes`.
    """
    key: Any = message_class  # the type stubs of protobuf deny that message classes are
    return _twin(key, tuple(sorted(set(bytes_fields))))


def packed_twin(message_class: type[Message], *, bytes_fields: Iterable[str] = ()) -> type[Message]:
    """A twin in which every packed list of floats or doubles is `repeated bytes`, and so are the fields named."""
    descriptor = message_class.DESCRIPTOR
    numbers = [field.name for field in descriptor.fields if field.is_packed and field.type in _REAL]
    return twin(message_class, bytes_fields=[*numbers, *bytes_fields])


def chunks_to_array(chunks: Sequence[bytes], dtype: DTypeLike) -> NDArray[Any]:
    """The numbers of a packed list; read-only, and of one chunk without a copy.

    Args:
        chunks: What a twin has in the field.
        dtype: Type of the numbers in this machine's byte order; on the wire they are little-endian.

    Raises:
        ValueError: The length of a chunk is not that of whole numbers.
    """
    if _LITTLE_ENDIAN and len(chunks) == 1 and len(chunks[0]) % 8 == 0:  # the usual case: whole numbers of any width
        return np.frombuffer(chunks[0], dtype)
    native = np.dtype(dtype)
    # Each chunk must hold whole numbers: two halves in two chunks are no number.
    if any(len(chunk) % native.itemsize for chunk in chunks):
        lengths = ", ".join(str(len(chunk)) for chunk in chunks[:4])
        raise ValueError(f"expected packed numbers of {native.itemsize} bytes each, got chunks of {lengths} bytes")
    return np.frombuffer(b"".join(chunks), native.newbyteorder("<")).astype(native, copy=False)


def has_unpacked(message: Message) -> bool:
    """Whether a twin's packed list came as single numbers, which is legal and rare.

    They are not in the twin's field then. Parse the same bytes with the original class instead.
    """
    unknown = UnknownFieldSet(message)
    if not len(unknown):
        return False
    known = message.DESCRIPTOR.fields_by_number
    return any(unknown[place].field_number in known for place in range(len(unknown)))


@cache
def _twin(message_class: Any, names: tuple[str, ...]) -> type[Message]:
    descriptor = message_class.DESCRIPTOR
    file = FileDescriptorProto()
    descriptor.file.CopyToProto(file)
    file.ClearField("service")
    changed = _message_in(file, descriptor.full_name)
    fields = {field.name: field for field in changed.field}
    for name in names:
        if name not in fields or not _is_like_bytes(descriptor.fields_by_name[name]):
            raise ValueError(f"{descriptor.full_name}: expected a field with the wire form of bytes, got {name!r}")
        _leave_as_bytes(fields[name])
    # An empty `oneof` is not allowed, and a list cannot be in one.
    _drop_empty_choices(changed)
    # A pool of its own lets it keep the names of the original.
    pool = DescriptorPool()
    for dependency in descriptor.file.dependencies:
        _add(pool, dependency)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(descriptor.full_name))


def _is_like_bytes(field: Any) -> bool:
    return field.type in _ALIKE or field.is_packed


def _leave_as_bytes(field: FieldDescriptorProto) -> None:
    field.type = FieldDescriptorProto.TYPE_BYTES
    field.label = FieldDescriptorProto.LABEL_REPEATED
    for attribute in ("type_name", "options", "oneof_index", "proto3_optional"):
        field.ClearField(attribute)


def _drop_empty_choices(message: DescriptorProto) -> None:
    used = sorted({field.oneof_index for field in message.field if field.HasField("oneof_index")})
    kept = [message.oneof_decl[place] for place in used]
    for field in message.field:
        if field.HasField("oneof_index"):
            field.oneof_index = used.index(field.oneof_index)
    names = [choice.name for choice in kept]
    message.ClearField("oneof_decl")
    for name in names:
        message.oneof_decl.add(name=name)


def _message_in(file: FileDescriptorProto, full_name: str) -> DescriptorProto:
    path = full_name.removeprefix(f"{file.package}.").split(".")
    found = next(message for message in file.message_type if message.name == path[0])
    for name in path[1:]:
        found = next(message for message in found.nested_type if message.name == name)
    return found


def _add(pool: DescriptorPool, file: Any) -> None:
    for dependency in file.dependencies:
        _add(pool, dependency)
    copy = FileDescriptorProto()
    file.CopyToProto(copy)
    pool.Add(copy)
