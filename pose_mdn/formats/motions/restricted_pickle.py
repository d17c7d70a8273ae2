"""Arrays of Python objects in `.npz` archives, read without letting the file run anything.

The field's Human3.6M files hold pickled dictionaries of arrays. Pickle runs what a file names; here a file may name
only what arrays are made of, and even those names stand for classes of this module, which check everything before NumPy
sees it.
"""

import math
import pickle
import pickletools
import re
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pose_mdn.errors import FormatError
from pose_mdn.formats.faults import fault, shown, unreadable
from pose_mdn.formats.npz_archive import check_expansion

Array = NDArray[np.generic]

_OPCODES = {
    "PROTO", "FRAME", "STOP", "MARK", "POP", "NONE", "NEWTRUE", "NEWFALSE",
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE",
    "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "LIST", "DICT", "APPEND", "APPENDS", "SETITEM", "SETITEMS",
    "PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE", "GET", "BINGET", "LONG_BINGET",
    "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD",
}  # fmt: skip
"""What a pickle of plain containers and arrays is written with, protocols 0 to 4."""
_DESCRIPTION = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248]|U\d{1,6}|O8?)")
_MAX_DEPTH = 8
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    pickle.UnpicklingError,
    tokenize.TokenError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What zipfile, NumPy's header parser and unpickling raise on damaged bytes."""


def read_object_archive(path: Path, keys: tuple[str, ...]) -> dict[str, object]:
    """Read pickled entries of an `.npz` archive as plain data.

    Args:
        path: The archive.
        keys: Entries to read; one that is absent is left out.

    Returns:
        Key -> tree of dictionaries, lists, texts, numbers, booleans, `None` and arrays of numbers or text. Arrays of
        objects become lists; one of a single object becomes that object.

    Raises:
        FormatError: The file cannot be read, is damaged, or names anything that arrays are not made of.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            present = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            wanted = {key: present[key] for key in keys if key in present}
            check_expansion(path, sum(info.file_size for info in wanted.values()))
            return {key: _read_entry(archive.read(info)) for key, info in wanted.items()}
    except FormatError:
        raise
    except _Forbidden as error:
        raise fault(
            path,
            expected="plain arrays and dictionaries",
            got=f"a pickle that asks for {error}, which could run code",
            cure="do not trust this file; get it from where it was first published",
        ) from error
    except OSError as error:
        raise unreadable(path, error) from error
    except _DAMAGE as error:
        raise fault(
            path,
            expected="a whole .npz archive of arrays and dictionaries",
            got=f"a damaged, truncated or other file ({shown(str(error))})",
            cure="get it or write it again",
        ) from error


class _Forbidden(Exception):
    """The pickle asks for something that is not data."""


def _read_entry(content: bytes) -> object:
    stream = BytesIO(content)
    version = npy.read_magic(stream)
    if version not in {(1, 0), (2, 0)}:
        raise ValueError(f"array format {version}")
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran_order, dtype = read_header(stream)
    payload = content[stream.tell() :]
    if not dtype.hasobject:
        return _array(dtype.str, shape, fortran_order, payload)
    if dtype != np.dtype(object):
        raise _Forbidden("a structure that hides objects")
    _check_opcodes(payload)
    return _plain(_Unpickler(BytesIO(payload), encoding="latin1").load(), {}, 0)


def _check_opcodes(payload: bytes) -> None:
    """Refuse what containers and arrays do not need, before anything is built."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(payload)):
        if opcode.name not in _OPCODES:
            raise _Forbidden(f"the instruction {opcode.name}")
        if opcode.name.endswith("PUT") and not (isinstance(argument, int) and 0 <= argument <= count):
            # The index decides how much memory is taken for the table.
            raise ValueError(f"memo index {argument} after {count} instructions")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> object:
        # NumPy 2 renamed numpy.core; files written by either name both.
        name = f"{module_name.replace('numpy._core', 'numpy.core')}.{global_name}"
        if name not in _STAND_INS:
            raise _Forbidden(shown(f"{module_name}.{global_name}"))
        return _Call(_STAND_INS[name])


class _Call:
    """A function that a pickle may call and cannot change."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def __call__(self, *arguments: object) -> object:
        return self._function(*arguments)

    def __setstate__(self, _: object) -> None:
        raise _Forbidden("a change of a function")


class _Type:
    """A dtype as pickled: a description, and the byte order by its state."""

    __slots__ = ("description",)

    def __init__(self, description: object, *_: object) -> None:
        if not (isinstance(description, str) and _DESCRIPTION.fullmatch(description)):
            raise _Forbidden(f"the array type {shown(description)}")
        self.description = description

    def __setstate__(self, state: object) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if order not in {"<", ">", "=", "|"}:
            raise ValueError(f"byte order {shown(order)}")
        self.description = order + self.description.lstrip("<>=|")


class _ArrayState:
    """An array as pickled; it is filled by its state."""

    __slots__ = ("value",)

    def __init__(self, *_: object) -> None:
        self.value: object = None

    def __setstate__(self, state: object) -> None:
        if not (isinstance(state, tuple) and len(state) == 5):
            raise ValueError("an array without its five parts")
        _, shape, kind, fortran_order, content = state
        if not isinstance(kind, _Type) or not isinstance(shape, tuple):
            raise ValueError("an array without type or shape")
        if kind.description.lstrip("<>=|").startswith("O"):
            if not isinstance(content, list):
                raise ValueError("an array of objects that are not listed")
            self.value = content[0] if shape == () and content else content
        else:
            self.value = _array(kind.description, shape, bool(fortran_order), content)


def _array(description: str, shape: tuple[object, ...], fortran_order: bool, content: object) -> Array:
    if isinstance(content, str):  # Python 2 wrote bytes as text
        content = content.encode("latin1")
    if not isinstance(content, bytes) or not _DESCRIPTION.fullmatch(description):
        raise ValueError("an array without content")
    sizes = [size for size in shape if isinstance(size, int) and size >= 0]
    dtype = np.dtype(description)
    if len(sizes) != len(shape) or dtype.itemsize * math.prod(sizes) != len(content) or not dtype.itemsize:
        raise ValueError(f"{len(content)} bytes for an array of shape {shown(shape)}")
    array = np.frombuffer(content, dtype).reshape(sizes, order="F" if fortran_order else "C")
    return array.astype(dtype.newbyteorder("="), copy=False)


def _scalar(kind: object, content: object) -> object:
    if not isinstance(kind, _Type):
        raise ValueError("a number without its type")
    return _array(kind.description, (), False, content).item()


def _encode(text: object, encoding: object = "latin1") -> bytes:
    """Protocols before 3 write bytes as text and this call."""
    if not isinstance(text, str) or encoding != "latin1":
        raise _Forbidden(f"the encoding {shown(encoding)}")
    return text.encode("latin1")


_STAND_INS: dict[str, Callable[..., object]] = {
    "numpy.core.multiarray._reconstruct": _ArrayState,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.ndarray": _ArrayState,
    "numpy.dtype": _Type,
    "_codecs.encode": _encode,
    "collections.OrderedDict": dict,
}


def _plain(value: object, done: dict[int, object], depth: int) -> object:
    """The tree without stand-ins. Shared parts are converted once, so that a small file cannot ask for endless work."""
    if id(value) in done:
        return done[id(value)]
    if depth > _MAX_DEPTH:
        raise ValueError(f"containers nested deeper than {_MAX_DEPTH}")
    plain: object
    if isinstance(value, _ArrayState):
        plain = _plain(value.value, done, depth + 1)
    elif isinstance(value, dict):
        plain = {key: _plain(entry, done, depth + 1) for key, entry in value.items()}
    elif isinstance(value, list | tuple):
        plain = [_plain(entry, done, depth + 1) for entry in value]
    elif value is None or isinstance(value, str | bytes | int | float | np.ndarray):
        return value
    else:
        raise ValueError(f"a {type(value).__name__} among the data")
    done[id(value)] = plain
    return plain
