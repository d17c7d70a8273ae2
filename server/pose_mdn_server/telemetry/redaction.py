"""What never gets into a log: keypoints, answers, and what callers prove themselves with.

Numbers of a person's pose and tokens may lie in any object that somebody logs. So arguments and extra fields are let
through only if they are plain values, and texts are searched for what looks like either.
"""

import re
from collections.abc import Mapping, Sized
from typing import Any

from pose_mdn.errors import PoseMDNError

REDACTED = "[redacted]"
_SECRET_NAMES = re.compile(
    r"authorization|token|secret|password|passwd|credential|cookie|api[-_]?key|private|metadata|keypoints|confidence",
    re.IGNORECASE,
)
_CREDENTIALS = re.compile(
    r"""(?P<name>\b(?:proxy-)?authorization\b['"]?\s*[:=,]\s*['"]?(?:bearer\s+|basic\s+)?|\bbearer\s+)"""
    r"""(?P<value>[A-Za-z0-9._~+/=:-]{6,})""",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"\bpmdn_[A-Za-z0-9_-]{6,}")
_NUMBER = r"[-+]?(?:\d+\.\d*(?:e[-+]?\d+)?|nan\b)"
_NUMBERS = re.compile(rf"{_NUMBER}(?:[^\d]{{1,40}}?{_NUMBER}){{3,}}", re.IGNORECASE)
"""Four decimal numbers or more in a row are coordinates, however they are punctuated."""


_SHORT_TEXTS = re.compile(r"(pathlib|enum|datetime|uuid|ipaddress|decimal)(\..*)?")
"""Modules of the standard library whose values have short texts."""
_OURS = re.compile(r"pose_mdn(_server)?\b(?!.*_pb2$).*")
"""Our modules, without generated messages, whose text is all that they hold."""

Plain = str | int | float | bool | None


def plain_text(text: str, *, longest: int = 2000) -> str:
    """A text without coordinates and credentials, of which no more than `longest` characters are kept."""
    if text.isalnum() and len(text) <= longest:  # most request ids; one word with nothing in it to search
        return text
    text = _CREDENTIALS.sub(rf"\g<name>{REDACTED}", text)
    text = _TOKEN.sub(REDACTED, text)
    text = _NUMBERS.sub(REDACTED, text)
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"


def plain_value(value: object) -> Plain:
    """A value that may stand in a log; of arrays, messages and containers only the kind and the size."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, PoseMDNError):  # written for callers to read
        return plain_text(str(value))
    if isinstance(value, BaseException):
        return plain_text(f"{type(value).__name__}: {value}")
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        item = getattr(value, "item", None) if shape == () else None
        return plain_value(item()) if item is not None else f"<{type(value).__name__} {shape}>"
    if isinstance(value, str) or _has_text_for_people(type(value)):
        return plain_text(str(value))
    return f"<{type(value).__name__} of {len(value)}>" if isinstance(value, Sized) else f"<{type(value).__name__}>"


def plain_arguments(arguments: Any) -> Any:
    """Arguments of a log message, `record.args`."""
    if isinstance(arguments, Mapping):
        return {name: plain_field(str(name), value) for name, value in arguments.items()}
    return tuple(plain_value(value) for value in arguments)


def plain_field(name: str, value: object) -> Plain:
    """The value of an extra field; one whose name speaks of secrets or keypoints is not told at all."""
    return REDACTED if _SECRET_NAMES.search(name) else plain_value(value)


def _has_text_for_people(kind: type) -> bool:
    """Whether `str` of such a value was written for people, and is not the dump of its fields."""
    if _OURS.fullmatch(kind.__module__):
        return any("__str__" in vars(parent) for parent in kind.__mro__[:-1])
    return _SHORT_TEXTS.fullmatch(kind.__module__) is not None
