"""Pickled lists, tuples, numbers and texts, read without unpickling.

PyTables keeps the names of a table's columns as a pickle in an attribute. Only the few instructions that such lists are
written with are followed here; none of them can name, build or call anything.
"""

import pickletools
from collections.abc import Callable

_PUSHED = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE",
}  # fmt: skip
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_IGNORED = frozenset({"PROTO", "FRAME"})
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Mark:
    """Where a list or tuple begins on the stack."""


def read_plain_pickle(content: bytes) -> object:
    """The value that a pickle of plain data stands for.

    Raises:
        ValueError: It is damaged, or holds anything but lists, tuples, numbers and texts.
    """
    stack: list[object] = []
    memo: dict[int, object] = {}
    try:
        for opcode, argument, _ in pickletools.genops(content):
            if opcode.name == "STOP":
                return stack.pop()
            _follow(opcode.name, argument, stack, memo)
    except (IndexError, KeyError, TypeError) as error:
        raise ValueError(f"a damaged pickle ({error})") from error
    raise ValueError("a pickle without an end")


def _follow(name: str, argument: object, stack: list[object], memo: dict[int, object]) -> None:
    """One instruction."""
    if name in _PUSHED:
        stack.append(argument)
    elif name in _CONSTANTS:
        stack.append(_CONSTANTS[name])
    elif name in _TUPLES:
        count = _TUPLES[name]
        if len(stack) < count:
            raise IndexError("an empty stack")
        stack[len(stack) - count :] = [tuple(stack[len(stack) - count :])]
    elif name in _STRUCTURES:
        _STRUCTURES[name](stack)
    elif name in {"PUT", "BINPUT", "LONG_BINPUT"} and isinstance(argument, int):
        memo[argument] = stack[-1]
    elif name == "MEMOIZE":
        memo[len(memo)] = stack[-1]
    elif name in {"GET", "BINGET", "LONG_BINGET"} and isinstance(argument, int):
        stack.append(memo[argument])
    elif name not in _IGNORED:
        raise ValueError(f"a pickle with the instruction {name}")


def _since_mark(stack: list[object]) -> list[object]:
    place = max(index for index, value in enumerate(stack) if isinstance(value, _Mark))
    values = stack[place + 1 :]
    del stack[place:]
    return values


def _append(stack: list[object]) -> None:
    value = stack.pop()
    _target(stack).append(value)


def _appends(stack: list[object]) -> None:
    values = _since_mark(stack)
    _target(stack).extend(values)


def _target(stack: list[object]) -> list[object]:
    target = stack[-1]
    if not isinstance(target, list):
        raise TypeError("values appended to no list")
    return target


_STRUCTURES: dict[str, Callable[[list[object]], None]] = {
    "MARK": lambda stack: stack.append(_Mark()),
    "EMPTY_LIST": lambda stack: stack.append([]),
    "LIST": lambda stack: stack.append(_since_mark(stack)),
    "TUPLE": lambda stack: stack.append(tuple(_since_mark(stack))),
    "APPEND": _append,
    "APPENDS": _appends,
}
