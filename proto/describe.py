"""What the .proto files declare: descriptors, and the comments beside each declaration."""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)
from grpc_tools import protoc

SOURCES = Path(__file__).resolve().parent

_MESSAGES, _ENUMS, _SERVICES, _SYNTAX = 4, 5, 6, 12
"""Numbers of these fields in FileDescriptorProto; source locations are paths of field numbers and indices."""
_FIELDS, _NESTED_MESSAGES, _NESTED_ENUMS = 2, 3, 4
_VALUES = _METHODS = 2

Comment = list[str]
"""Paragraphs."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A service, a message or an enumeration, with what is written above it and above each of its members."""

    name: str
    """In full, without a dot in front: "pose_mdn.v1.LiftRequest"."""
    package: str
    file: str
    what: ServiceDescriptorProto | DescriptorProto | EnumDescriptorProto
    comment: Comment
    members: list[Comment]
    """Of its methods, fields or values, in their order."""

    @property
    def short_name(self) -> str:
        """Its name without the package."""
        return self.name.removeprefix(self.package + ".")


def descriptors(*, with_comments: bool) -> FileDescriptorSet:
    """Every file of the contract, imports before those that import them.

    Args:
        with_comments: Whether to keep the comments and where everything stands.
    """
    well_known_types = resources.files("grpc_tools") / "_proto"
    names = sorted(str(path.relative_to(SOURCES)) for path in SOURCES.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as scratch:
        written = Path(scratch) / "contract.binpb"
        arguments = [f"-I{SOURCES}", f"-I{well_known_types}", f"--descriptor_set_out={written}", "--include_imports"]
        arguments += ["--include_source_info"] if with_comments else []
        if protoc.main(["protoc", *arguments, *names]) != 0:
            sys.exit("protoc failed; its message is above")
        return FileDescriptorSet.FromString(written.read_bytes())


def file_comment(file: FileDescriptorProto) -> Comment:
    """What is written at the head of a file."""
    for location in file.source_code_info.location:
        if list(location.path) == [_SYNTAX]:
            texts = [*location.leading_detached_comments, location.leading_comments]
            return [paragraph for text in texts for paragraph in _paragraphs(text)]
    return []


def declarations(file: FileDescriptorProto) -> Iterator[Declared]:
    """Everything that a file declares, what is nested behind what it is in."""
    comments = {
        tuple(location.path): _paragraphs(location.leading_comments) for location in file.source_code_info.location
    }

    def declared(what: object, path: tuple[int, ...], scope: str, members: int, count: int) -> Declared:
        return Declared(
            name=f"{scope}.{what.name}",
            package=file.package,
            file=file.name,
            what=what,
            comment=comments.get(path, []),
            members=[comments.get((*path, members, index), []) for index in range(count)],
        )

    def messages(found: DescriptorProto, path: tuple[int, ...], scope: str) -> Iterator[Declared]:
        yield declared(found, path, scope, _FIELDS, len(found.field))
        inside = f"{scope}.{found.name}"
        for index, nested in enumerate(found.nested_type):
            yield from messages(nested, (*path, _NESTED_MESSAGES, index), inside)
        for index, nested in enumerate(found.enum_type):
            yield declared(nested, (*path, _NESTED_ENUMS, index), inside, _VALUES, len(nested.value))

    for index, service in enumerate(file.service):
        yield declared(service, (_SERVICES, index), file.package, _METHODS, len(service.method))
    for index, message in enumerate(file.message_type):
        yield from messages(message, (_MESSAGES, index), file.package)
    for index, enum in enumerate(file.enum_type):
        yield declared(enum, (_ENUMS, index), file.package, _VALUES, len(enum.value))


def _paragraphs(text: str) -> Comment:
    lines = [line.strip() for line in text.splitlines()]
    return [paragraph.replace("\n", " ") for paragraph in "\n".join(lines).strip().split("\n\n") if paragraph]
