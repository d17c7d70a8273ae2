"""What never gets into a log: keypoints, answers, and what callers prove themselves with.

Numbers of a person's pose and tokens may lie in any object that somebody logs. So arguments and extra fields are let
through only if they are plain values, and texts are searched for what looks like either.
"""

import re
from collections.abc import Mapping, Sized
from typing import Any

from pose_mdn.errors import PoseMDNError

REDACTED = "[redacted]"
_MAX_TEXT = 2000
_SECRET_NAMES = re.compile(
    r"authorization|token|secret|password|passwd|credential|cookie|api[-_]?key|private|metadata|keypoints|confidence",
    re.IGNORECASE,
)
_CREDENTIALS = re.compile(
    r"""(?P<name>\b(?:proxy-)?authorization\b['"]?\s*[:=,]\s*['"]?(?:bearer\s+|basic\s+)?|\b(?:bearer|basic)\s+)"""
    r"""(?P<value>[A-Za-z0-9._~+/=:-]{6,})""",
    re.IGNORECASE,
)
_NUMBER = r"[-+]?(?:\d+\.\d*(?:e[-+]?\d+)?|nan\b)"
_NUMBERS = re.compile(rf"{_NUMBER}(?:[^\d]{{1,40}}?{_NUMBER}){{3,}}", re.IGNORECASE)
"""Four decimal numbers or more in a row are coordinates, however they are punctuated."""


_MODULES_TRUSTED = re.compile(r"(pathlib|enum|datetime|uuid|ipaddress|decimal)(\..*)?")
"""Of the standard library, whose values have short texts."""


def plain_text(text: str) -> str:
    """A text without coordinates and credentials, and not endlessly long."""
    if text.isalnum() and len(text) <= _MAX_TEXT:  # most request ids; one word with nothing in it to search
        return text
    text = _CREDENTIALS.sub(rf"\g<name>{REDACTED}", text)
    text = _NUMBERS.sub(REDACTED, text)
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}... ({len(text)} characters)"


def plain_value(value: object) -> str | int | float | bool | None:
    """A value that may stand in a log; of arrays, messages and containers only the kind and the size."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, PoseMDNError):  # written for callers to read
        return plain_text(str(value))
    if isinstance(value, BaseException):
        return plain_text(f"{type(value).__name__}: {value}")
    if isinstance(value, str) or _MODULES_TRUSTED.fullmatch(type(value).__module__):
        return plain_text(str(value))
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"<{type(value).__name__} {shape}>"
    return f"<{type(value).__name__} of {len(value)}>" if isinstance(value, Sized) else f"<{type(value).__name__}>"


def plain_arguments(arguments: Any) -> Any:
    """Arguments of a log message, `record.args`."""
    if isinstance(arguments, Mapping):
        return {name: plain_field(str(name), value) for name, value in arguments.items()}
    return tuple(plain_value(value) for value in arguments)


def plain_field(name: str, value: object) -> str | int | float | bool | None:
    """The value of an extra field; one whose name speaks of secrets or keypoints is not told at all."""
    return REDACTED if _SECRET_NAMES.search(name) else plain_value(value)
