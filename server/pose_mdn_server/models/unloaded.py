"""Which models are not to serve though the repository holds them."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Unloaded:
    """Models that somebody unloaded on purpose.

    Attributes:
        marks: Names of bundles, and versions; an empty version stands for all, those to come included.
    """

    marks: frozenset[tuple[str, str]] = frozenset()

    def covers(self, name: str, version: str) -> bool:
        """Whether this version of this bundle is not to serve."""
        return (name, "") in self.marks or (name, version) in self.marks

    def adding(self, name: str, version: str) -> "Unloaded":
        """These and one more."""
        return Unloaded(self.marks | {(name, version)})

    def without(self, name: str, version: str, known_versions: Collection[str]) -> "Unloaded":
        """These without one version, or without any if it is empty.

        Args:
            name: Of the bundle.
            version: Which may serve again.
            known_versions: All that there are; the others stay unloaded one by one if all were.
        """
        if not version:
            return Unloaded(frozenset(mark for mark in self.marks if mark[0] != name))
        marks = self.marks - {(name, version)}
        if (name, "") in marks:
            marks = marks - {(name, "")} | {(name, other) for other in known_versions if other != version}
        return Unloaded(marks)
