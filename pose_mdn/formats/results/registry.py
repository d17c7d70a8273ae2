"""Formats of results by name, and which one a file is to be written in."""

import difflib
from functools import cache
from pathlib import Path

import pose_mdn.formats.results as package
from pose_mdn.errors import InputError
from pose_mdn.formats.registry import described, discover
from pose_mdn.formats.results.result_format import ResultFormat


@cache
def result_formats() -> dict[str, ResultFormat]:
    """Every format that can be written, by name: the `FORMAT` of each module of this package that has one."""
    return discover(package, ResultFormat)


def result_format(name: str) -> ResultFormat:
    """The format of a name.

    Raises:
        InputError: There is none; the nearest name is suggested.
    """
    formats = result_formats()
    if name in formats:
        return formats[name]
    raise InputError(
        f"format: expected one of {', '.join(formats)}, got {name!r}; {_cure(name, list(formats))}", field="format"
    )


def result_format_of(path: Path) -> ResultFormat:
    """The format that a file's ending stands for, in upper or lower case.

    Raises:
        InputError: None; the nearest ending is suggested.
    """
    formats = result_formats().values()
    fitting = [entry for entry in formats if path.name.lower().endswith(entry.suffix)]
    if fitting:
        # The longest, as one format's ending may be the end of another's.
        return max(fitting, key=lambda entry: len(entry.suffix))
    suffixes = [entry.suffix for entry in formats]
    raise InputError(
        f"{path}: expected a name that ends in {', '.join(suffixes)}, got {path.suffix!r}; "
        f"{_cure(path.suffix, suffixes)}",
        field="path",
    )


def _cure(given: str, known: list[str]) -> str:
    nearest = difflib.get_close_matches(given.lower(), known, n=1, cutoff=0.5)
    return f"did you mean {nearest[0]!r}?" if nearest else f"choose one: {described(result_formats())}"
