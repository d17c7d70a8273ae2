"""Files of known bodies: TOML with lengths in metres, for everyone and for single people.

    stature_m = 1.75       # for everyone without a table of their own
    knee = 0.43            # the thigh, from hip to knee; left and right have one length
    ankle = 0.41

    [person.3]             # the person 3 of the keypoints file, of whom nothing above holds
    stature_m = 1.12

Bones are named after the joint at their far end, without its side: `BONE_CLASSES` lists them.
"""

from collections.abc import Mapping
from pathlib import Path

from pose_mdn.errors import FormatError, InputError
from pose_mdn.geometry.body import KnownBodies, KnownBody
from pose_mdn.geometry.toml_file import read_toml

_PERSONS = "person"
_STATURE = "stature_m"


def read_bodies(path: str | Path) -> KnownBodies:
    """Read a file of known bodies.

    Raises:
        FormatError: The file cannot be read, is not TOML, or holds no body, or one that makes no sense.
    """
    path = Path(path)
    tables = read_toml(path, expected="a TOML file of lengths in metres")
    persons = tables.pop(_PERSONS, {})
    if not isinstance(persons, dict):
        raise FormatError(f"{path}: expected tables such as [person.3], got person = {persons!r}")
    if not tables and not persons:
        raise FormatError(f"{path}: expected a stature or bone lengths, such as stature_m = 1.82, got none")
    return KnownBodies(
        everyone=_body(path, "", tables) if tables else None,
        persons={_identity(path, key): _body(path, f"person {key}: ", table) for key, table in persons.items()},
    )


def _identity(path: Path, key: str) -> int:
    try:
        return int(key)
    except ValueError:
        raise FormatError(
            f"{path}: expected the number of a person in [person.{key}], as in the keypoints file, got {key!r}"
        ) from None


def _body(path: Path, owner: str, table: object) -> KnownBody:
    if not isinstance(table, Mapping):
        raise FormatError(f"{path}: {owner}expected a table of lengths in metres, got {table!r}")
    for name, length in table.items():
        if isinstance(length, bool) or not isinstance(length, int | float):
            raise FormatError(f"{path}: {owner}expected a number of metres for {name!r}, got {length!r}")
    lengths = {name: float(length) for name, length in table.items()}
    try:
        return KnownBody(stature_m=lengths.pop(_STATURE, None), bone_lengths_m=lengths or None)
    except InputError as error:
        raise FormatError(f"{path}: {owner}{error}") from error
