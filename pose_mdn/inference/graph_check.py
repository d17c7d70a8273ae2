"""What an ONNX file may not hold if it comes from somebody else.

ONNX Runtime reads further files where a tensor says so, and looks up operators that are not ONNX's own in libraries.
A model that ships as one file with a checksum has no need of either. The file is walked before ONNX Runtime sees it, by
the field numbers of onnx.proto (github.com/onnx/onnx, IR version 13), so that serving needs no onnx package.

The walk is stricter than protobuf: what two readers could understand differently is refused.
"""

from typing import NoReturn

from pose_mdn.errors import BundleError

MAX_GRAPH_BYTES = 1024**3
"""Largest file of a graph; protobuf itself ends at twice that."""
MAX_DEPTH = 64
"""Messages within messages; a subgraph within a node takes three, protobuf itself ends at 100."""
MAX_FIELDS = 1_000_000
"""Fields of a file, so that a made-up one costs a second and not hours; ours have some thousands."""

STANDARD_DOMAINS = frozenset({b"", b"ai.onnx", b"ai.onnx.ml"})
"""Operators that every ONNX runtime has."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}

_MODEL, _GRAPH, _NODE, _ATTRIBUTE, _TENSOR, _SPARSE = range(6)
_INSIDE: tuple[dict[int, int], ...] = (
    {7: _GRAPH},
    {1: _NODE, 5: _TENSOR, 15: _SPARSE},
    {5: _ATTRIBUTE},
    {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE},
    {},
    {1: _TENSOR, 2: _TENSOR},
)
"""For each kind of message: the fields that hold others which matter."""
_TRAINING, _FUNCTIONS, _DOMAIN, _EXTERNAL_DATA, _DATA_LOCATION = 20, 25, 7, 13, 14
_REFUSED: tuple[dict[int, str], ...] = (
    {
        _TRAINING: "a graph to run, got one that brings instructions for training",
        _FUNCTIONS: "operators of ONNX alone, got a graph that defines functions of its own; inline them on export",
    },
    {},
    {},
    {},
    {_EXTERNAL_DATA: "a graph with its weights inside, got one that keeps them in other files"},
    {},
)
"""For each kind of message: the fields that may not be there, and why."""
_WIRES: tuple[dict[int, int], ...] = tuple(
    dict.fromkeys(fields, _BYTES) | {_NODE: {_DOMAIN: _BYTES}, _TENSOR: {_DATA_LOCATION: _VARINT}}.get(kind, {})
    for kind, fields in enumerate(_INSIDE)
)
"""For each kind of message: the wire types of the fields that are looked at."""


def check_graph(content: bytes, source: str) -> None:
    """Refuse what needs more than this one file and ONNX's own operators.

    Args:
        content: The bytes of an `.onnx` file.
        source: What to call it in errors.

    Raises:
        BundleError: It is no ONNX graph, keeps data in other files, or brings operators or functions of its own.
    """
    if len(content) > MAX_GRAPH_BYTES:
        raise BundleError(f"{source}: expected a graph of at most {MAX_GRAPH_BYTES} bytes, got {len(content)}")
    _Walk(content, source).run()


class _MalformedError(Exception):
    """The bytes are no message of the schema."""


class _Walk:
    def __init__(self, content: bytes, source: str) -> None:
        self._content = content
        self._source = source
        self._fields = 0
        self._waiting = [(0, len(content), _MODEL, 0)]

    def run(self) -> None:
        graphs = 0
        try:
            while self._waiting:
                start, end, kind, depth = self._waiting.pop()
                graphs += kind == _GRAPH
                if depth > MAX_DEPTH:
                    self._refuse(f"at most {MAX_DEPTH} levels of subgraphs and attributes, got more")
                self._message(start, end, kind, depth)
        except (_MalformedError, IndexError):
            graphs = 0
        if not graphs:
            self._refuse("an ONNX graph, got something else or a truncated file")

    def _message(self, place: int, end: int, kind: int, depth: int) -> None:
        refused, wires = _REFUSED[kind], _WIRES[kind]
        while place < end:
            tag, place = self._varint(place)
            number, wire = tag >> 3, tag & 7
            if number in refused:
                self._refuse(refused[number])
            # A field of another wire type than the schema's is skipped by one reader and an error to the next.
            if not number or tag >> 32 or wires.get(number, wire) != wire:
                raise _MalformedError
            if wire == _BYTES:
                size, place = self._varint(place)
                self._enter(kind, number, (place, place + size), depth)
                place += size
            elif wire == _VARINT:
                value, place = self._varint(place)
                if value and kind == _TENSOR and number == _DATA_LOCATION:
                    self._refuse(refused[_EXTERNAL_DATA])
            else:
                place += _fixed_size(wire)
            self._fields += 1
            if self._fields > MAX_FIELDS:
                self._refuse(f"at most {MAX_FIELDS} fields, got more")
        if place != end:
            raise _MalformedError

    def _enter(self, kind: int, number: int, span: tuple[int, int], depth: int) -> None:
        """Look into a field of bytes, now or later, if it matters."""
        inside = _INSIDE[kind].get(number)
        if inside is not None:
            self._waiting.append((*span, inside, depth + 1))
        elif kind == _NODE and number == _DOMAIN:
            domain = self._content[slice(*span)]
            if domain not in STANDARD_DOMAINS:
                shown = domain[:64].decode("ascii", errors="replace")
                self._refuse(f"operators of ONNX alone, got one of {shown!r}; export for plain ONNX")

    def _varint(self, place: int) -> tuple[int, int]:
        """The number at a place, and the place after it."""
        byte = self._content[place]
        if byte < 0x80:
            return byte, place + 1
        value = byte & 0x7F
        for shift in range(7, 70, 7):
            place += 1
            byte = self._content[place]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, place + 1
        raise _MalformedError

    def _refuse(self, reason: str) -> NoReturn:
        raise BundleError(f"{self._source}: expected {reason}")


def _fixed_size(wire: int) -> int:
    size = _FIXED_SIZES.get(wire)
    if size is None:
        raise _MalformedError
    return size
