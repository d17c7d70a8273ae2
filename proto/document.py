"""Write docs/api.md: every service, call, message and field of the wire contract, in the words of the .proto files.

python proto/document.py            write the page
python proto/document.py --check    write nothing; fail if the page is out of date
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from describe import Comment, Declared, declarations, descriptors, file_comment
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, MethodDescriptorProto

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.md"
FIRST = "pose_mdn.v1.PoseLiftingService"

HEAD = """\
# The API, call by call and field by field

<!-- Written by proto/document.py from the .proto files in proto/. Do not edit. -->

How to call the server, with examples, limits and errors: [protocol.md](protocol.md). The files themselves:
[proto/](../proto).

`repeated` numbers are flat lists in C order, the last axis fastest; the column *shape* says which axes. A field that is
not sent is 0, empty or false; one that is `optional` can be told from 0. Fields keep their numbers and meanings.
"""

_SHAPE = re.compile(r", shape (?P<in_sentence>\([^()]*\))| Shape (?P<alone>\([^()]*\))\.")
"""How comments state shapes: in a sentence, or as one."""


class Page:
    """The contract as Markdown; each message stands below the one service that uses it, or among the shared ones."""

    def __init__(self) -> None:
        files = descriptors(with_comments=True).file
        self.declared = {found.name: found for file in files for found in declarations(file)}
        self.heads = {file.name: file_comment(file) for file in files}
        services = [found for found in self.declared.values() if hasattr(found.what, "method")]
        self.services = sorted(services, key=lambda s: (s.name != FIRST, s.package == "inference", s.file, s.name))
        self.used = {service.name: self._reached(service) for service in self.services}
        uses = Counter(name for names in self.used.values() for name in names)
        self.shared = [
            name for name in dict.fromkeys(n for names in self.used.values() for n in names) if uses[name] > 1
        ]

    def text(self) -> str:
        """The whole page."""
        return HEAD + "\n" + "\n".join(self._lines()).rstrip() + "\n"

    def _lines(self) -> Iterator[str]:
        for service in self.services:
            calls = ", ".join(f"[{method.name}](#{_anchor(_call(method))})" for method in service.what.method)
            yield f"- [{service.short_name}](#{_anchor(service.short_name)}): {calls}"
        if self.shared:
            yield "- [Shared messages](#shared-messages)"
        yield ""
        for service in self.services:
            yield from self._service(service)
        if self.shared:
            yield from ("## Shared messages", "", "More than one service uses these.", "")
            for name in self.shared:
                yield from self._type(self.declared[name])

    def _service(self, service: Declared) -> Iterator[str]:
        yield from (f"## {service.short_name}", "")
        yield from (
            f"`{service.name}`, in [{service.file}](../proto/{service.file}). {' '.join(service.comment[:1])}",
            "",
        )
        for paragraph in (*service.comment[1:], *self.heads[service.file]):
            yield from (paragraph, "")
        for method, comment in zip(service.what.method, service.members, strict=True):
            yield from (f"### {_call(method)}", "", self._signature(method), "")
            for paragraph in comment:
                yield from (paragraph, "")
        for name in self.used[service.name]:
            if name not in self.shared:
                yield from self._type(self.declared[name])

    def _signature(self, method: MethodDescriptorProto) -> str:
        taken, given = (
            ("a stream of " if streams else "") + self._link(name)
            for streams, name in (
                (method.client_streaming, method.input_type),
                (method.server_streaming, method.output_type),
            )
        )
        return f"Takes {taken}, gives {given}."

    def _type(self, found: Declared) -> Iterator[str]:
        yield from (f"### {found.short_name}", "")
        for paragraph in found.comment:
            yield from (paragraph, "")
        if hasattr(found.what, "value"):
            yield from self._values(found)
        elif found.what.field:
            yield from self._fields(found)
        else:
            yield from ("No fields.", "")

    def _values(self, found: Declared) -> Iterator[str]:
        yield from ("| value | number | meaning |", "|---|---|---|")
        for value, comment in zip(found.what.value, found.members, strict=True):
            yield f"| `{value.name}` | {value.number} | {_cell(comment)} |"
        yield ""

    def _fields(self, found: Declared) -> Iterator[str]:
        shapes = [_shape(comment) for comment in found.members]
        with_shapes = any(shapes)
        yield "| field | number | type | shape | meaning |" if with_shapes else "| field | number | type | meaning |"
        yield "|---|---|---|---|---|" if with_shapes else "|---|---|---|---|"
        for field, comment, shape in zip(found.what.field, found.members, shapes, strict=True):
            column = f" {shape} |" if with_shapes else ""
            meaning = _SHAPE.sub("", _cell(comment)) or self._meaning_of_type(field)
            yield f"| `{field.name}` | {field.number} | {self._field_type(found, field)} |{column} {meaning} |"
        yield ""

    def _meaning_of_type(self, field: FieldDescriptorProto) -> str:
        """For a field without a comment: what its message says of itself, or that it goes with the field above."""
        named = self.declared.get(field.type_name.lstrip("."))
        return _cell(named.comment[:1]) if named and named.comment else "As above."

    def _field_type(self, owner: Declared, field: FieldDescriptorProto) -> str:
        entry = self.declared.get(field.type_name.lstrip("."))
        if entry is not None and _is_map_entry(entry):
            key, value = entry.what.field
            return f"map from {self._scalar(key)} to {self._scalar(value)}"
        text = self._scalar(field)
        if field.label == FieldDescriptorProto.LABEL_REPEATED:
            return f"repeated {text}"
        if field.proto3_optional:
            return f"optional {text}"
        if field.HasField("oneof_index"):
            return f"{text}, one of `{owner.what.oneof_decl[field.oneof_index].name}`"
        return text

    def _scalar(self, field: FieldDescriptorProto) -> str:
        if field.type_name:
            return self._link(field.type_name)
        return FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()

    def _link(self, type_name: str) -> str:
        name = self.declared[type_name.lstrip(".")].short_name
        return f"[{name}](#{_anchor(name)})"

    def _reached(self, service: Declared) -> list[str]:
        """Names of all types that a service's calls need, in the order in which a reader meets them."""
        found: dict[str, None] = {}

        def reach(type_name: str) -> None:
            name = type_name.lstrip(".")
            if name and name not in found:
                if not _is_map_entry(self.declared[name]):
                    found[name] = None
                for field in getattr(self.declared[name].what, "field", ()):
                    reach(field.type_name)

        for method in service.what.method:
            reach(method.input_type)
            reach(method.output_type)
        return list(found)


def _is_map_entry(found: Declared) -> bool:
    return hasattr(found.what, "field") and found.what.options.map_entry


def _call(method: MethodDescriptorProto) -> str:
    """Heading of a call, which a message of the same name would not have."""
    return f"Call {method.name}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _shape(comment: Comment) -> str:
    found = _SHAPE.search(_cell(comment))
    return (found["in_sentence"] or found["alone"]) if found else ""


def _cell(comment: Comment) -> str:
    return "<br>".join(comment).replace("|", "\\|")


def main() -> None:
    """Command line; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is out of date")
    text = Page().text()
    if not parser.parse_args().check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit(f"docs/{PAGE.name} is out of date; run: python proto/document.py")


if __name__ == "__main__":
    main()
