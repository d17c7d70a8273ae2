"""Gathering everything that is wrong with a request before refusing it."""

from collections.abc import Callable
from typing import TypeVar

from pose_mdn.errors import GeometryError, InputError
from pose_mdn_server.errors import FieldViolation, RequestError

Value = TypeVar("Value")
Checked = TypeVar("Checked")


class Violations:
    """Collects field violations, so that a caller learns of all of them at once."""

    def __init__(self) -> None:
        self._found: list[FieldViolation] = []

    def add(self, field: str, description: str) -> None:
        """Note one violation: the path of the field, then expected, got, what to do."""
        self._found.append(FieldViolation(field, description))

    @property
    def found(self) -> bool:
        """Whether anything was noted."""
        return bool(self._found)

    def require(self, condition: bool, field: str, description: str) -> bool:
        """Note a violation unless the condition holds; gives the condition back."""
        if not condition:
            self.add(field, description)
        return condition

    def checked(self, field: str, check: Callable[[Value], Checked], value: Value) -> Checked | None:
        """What the library's check gives for a value; if it refuses, `None`, and its reason becomes a violation."""
        try:
            return check(value)
        except (InputError, GeometryError) as error:
            self.add(field, str(error).partition(": ")[2] or str(error))
            return None

    def raise_if_any(self) -> None:
        """Raise a `RequestError` if anything was noted."""
        if self._found:
            raise RequestError(tuple(self._found))
