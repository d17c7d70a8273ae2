"""The container of binary glTF: arrays, what describes them, and the JSON that refers to both.

Khronos Group, "glTF 2.0 Specification", sections 3.6 (binary data) and 4 (GLB).
"""

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError

_COMPONENTS = {"float32": 5126, "uint8": 5121}
_SHAPES = {(): "SCALAR", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
VERTICES = 34962
"""The use of a buffer that holds vertices."""

_MAGIC, _VERSION = 0x46546C67, 2
_JSON, _BINARY = 0x4E4F534A, 0x004E4942
_LARGEST_BYTES = 2**32 - 1


@dataclass(kw_only=True)
class GlbBuffers:
    """Arrays that become the binary part of a file, and their descriptions."""

    accessors: list[dict[str, Any]] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    _chunks: list[bytes] = field(default_factory=list)
    _length: int = 0

    def add(
        self, array: NDArray[Any], *, limits: bool = False, normalized: bool = False, target: int | None = None
    ) -> int:
        """Append an array; returns the index of its accessor.

        Args:
            array: (N,), (N, 3), (N, 4), or (N, 4, 4) whose matrices stand column after column; float32 or uint8.
            limits: Whether to state the smallest and largest values, as times and vertices must.
            normalized: Whether 255 means 1.
            target: What the buffer is for, if it is vertices.
        """
        content = np.ascontiguousarray(array).tobytes()
        view: dict[str, Any] = {"buffer": 0, "byteOffset": self._length, "byteLength": len(content)}
        self.views.append(view if target is None else {**view, "target": target})
        accessor: dict[str, Any] = {
            "bufferView": len(self.views) - 1,
            "componentType": _COMPONENTS[array.dtype.name],
            "count": len(array),
            "type": _SHAPES[array.shape[1:]],
        }
        if normalized:
            accessor["normalized"] = True
        if limits:
            least, most = (np.atleast_1d(values).tolist() for values in (array.min(axis=0), array.max(axis=0)))
            accessor |= {"min": least, "max": most}
        self.accessors.append(accessor)
        padded = content + b"\0" * (-len(content) % 4)
        self._chunks.append(padded)
        self._length += len(padded)
        return len(self.accessors) - 1

    def file(self, document: Mapping[str, Any]) -> Iterator[bytes]:
        """The parts of the whole file.

        Args:
            document: What the file holds beside arrays.

        Raises:
            InputError: It would be larger than the format allows.
        """
        whole = {
            **document,
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": self._length}],
        }
        text = json.dumps(whole, separators=(",", ":"), allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        total = 12 + 8 + len(text) + 8 + self._length
        if total > _LARGEST_BYTES:
            raise InputError(
                f"poses: expected at most 4 GiB of binary glTF, which is its limit, got {total} bytes; cut the film",
                field="positions_m",
            )
        yield struct.pack("<3I", _MAGIC, _VERSION, total)
        yield struct.pack("<2I", len(text), _JSON)
        yield text
        yield struct.pack("<2I", self._length, _BINARY)
        yield from self._chunks
