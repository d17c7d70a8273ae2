"""Formats by name: every module of a package that has a `FORMAT` is one, so that a new format is one new file."""

import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Protocol, TypeVar

from pose_mdn.errors import InputError


class Format(Protocol):
    """What all formats have."""

    @property
    def name(self) -> str:
        """What users call it."""

    @property
    def description(self) -> str:
        """What it is, in a few words."""


AnyFormat = TypeVar("AnyFormat", bound=Format)


def discover(package: ModuleType, kind: type[AnyFormat]) -> dict[str, AnyFormat]:
    """The formats of a package, by name."""
    modules = [
        importlib.import_module(f"{package.__name__}.{info.name}") for info in pkgutil.iter_modules(package.__path__)
    ]
    found = [getattr(module, "FORMAT", None) for module in modules]
    return {entry.name: entry for entry in found if isinstance(entry, kind)}


def named(formats: Mapping[str, AnyFormat], name: str) -> AnyFormat:
    """The format of a name.

    Raises:
        InputError: There is none; the nearest name is suggested.
    """
    if name in formats:
        return formats[name]
    nearest = difflib.get_close_matches(name, formats, n=1)
    cure = f"did you mean {nearest[0]!r}?" if nearest else "leave it out to have it found"
    raise InputError(f"format: expected one of {', '.join(formats)}, got {name!r}; {cure}", field="format")


def described(formats: Mapping[str, AnyFormat]) -> str:
    """All formats in one line, for messages."""
    return "; ".join(f"{entry.name} ({entry.description})" for entry in formats.values())
