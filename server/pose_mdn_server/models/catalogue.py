"""Everything a server knows of its models at one moment.

A catalogue never changes. A reload makes another and puts it in the place of the first by one assignment, so that
readers need no lock: who has taken a model from a catalogue keeps it for as long as needed, and the last one to let go
of it frees its memory.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, NoReturn, TypeVar

from pose_mdn.errors import ModelNotFoundError
from pose_mdn_server.models.graph import Graph
from pose_mdn_server.models.report import IndexEntry, ModelState, ReloadReport
from pose_mdn_server.models.served_model import ServedModel

UNLOADED = "unloaded"
"""Reason of models that somebody unloaded on purpose; Triton says the same."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One folder of the repository, and what became of it.

    Attributes:
        label: The folder, "NAME/VERSION".
        name: Name that the bundle gives itself; the folder's as long as that is not known.
        version: Likewise.
        graph_names: Names of its graphs.
        fingerprint: Of the bundle that `model` is, or that was unloaded; empty if it was never opened.
        model: What serves; `None` if nothing does.
        reason: Why nothing serves, or why it is not what the folder holds now; empty if all is well.
    """

    label: str
    name: str
    version: str
    graph_names: tuple[str, ...]
    fingerprint: str = ""
    model: ServedModel | None = None
    reason: str = ""

    @property
    def title(self) -> str:
        """What reports call it, "name/version"."""
        return f"{self.name}/{self.version}"

    def is_called(self, name: str, version: str) -> bool:
        """Whether a name of a bundle or a graph, and a version or none, mean this."""
        return name in (self.name, *self.graph_names) and version in ("", self.version)


Loaded = TypeVar("Loaded")


class Versions(Generic[Loaded]):
    """Things that are found by name and version, the newest by name alone."""

    def __init__(self, loaded: Mapping[tuple[str, str], Loaded]) -> None:
        # In the order of versions, so that the newest of each name comes last and stays.
        self._loaded = {key: loaded[key] for key in sorted(loaded, key=_order)}
        self._newest = {name: found for (name, _), found in self._loaded.items()}

    def find(self, name: str, version: str = "") -> Loaded:
        """The thing of that name, of that version or the newest.

        Raises:
            ModelNotFoundError: There is none.
        """
        found = self._loaded.get((name, version)) if version else self._newest.get(name)
        if found is None:
            self._refuse(name, version)
        return found

    def all(self) -> list[Loaded]:
        """Everything, by name, then version."""
        return list(self._loaded.values())

    def of(self, name: str) -> list[str]:
        """Versions of that name, oldest first."""
        return [version for known, version in self._loaded if known == name]

    def _refuse(self, name: str, version: str) -> NoReturn:
        versions = self.of(name)
        if not versions:
            names = ", ".join(sorted(self._newest)) or "(none loaded)"
            raise ModelNotFoundError(f"model: expected one of {names}, got {name[:64]!r}")
        raise ModelNotFoundError(
            f"model {name}: expected version {', '.join(versions)} or none for the newest, got {version[:64]!r}"
        )


class Catalogue:
    """What serves, by name and version, and what does not, with reasons."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries: Mapping[str, Entry] = MappingProxyType({entry.label: entry for entry in entries})
        serving = [entry.model for entry in self.entries.values() if entry.model is not None]
        self.models = Versions({(model.name, model.version): model for model in serving})
        self.graphs: Versions[Graph] = Versions(
            {(graph.name, graph.version): graph for model in serving for graph in model.graphs}
        )

    def lifts(self, name: str) -> bool:
        """Whether there is a model of that name that lifts."""
        return any(model.lifter is not None for model in self.models.all() if model.name == name)

    def index(self, loading: frozenset[str], *, ready_only: bool) -> list[IndexEntry]:
        """Every graph with its state, by name, then version.

        Args:
            loading: Labels of folders that are being loaded at this moment.
            ready_only: Whether to leave out those that cannot be called.
        """
        rows = [row for entry in self.entries.values() for row in _rows(entry, is_loading=entry.label in loading)]
        for label in loading - self.entries.keys():
            name, _, version = label.partition("/")
            rows.append(IndexEntry(name=name, version=version, state=ModelState.LOADING))
        # Where two folders claim one name, the one that serves speaks for it.
        by_name = {(row.name, row.version): row for row in sorted(rows, key=lambda row: row.state is ModelState.READY)}
        chosen = [row for row in by_name.values() if row.state is ModelState.READY or not ready_only]
        return sorted(chosen, key=lambda row: _order((row.name, row.version)))


def compare(old: Catalogue, new: Catalogue, problems: Mapping[str, str]) -> ReloadReport:
    """What changed from one catalogue to the next.

    Args:
        old: What served.
        new: What serves.
        problems: Folders that could not be looked at, as of `Scan`.
    """
    before, after = _serving(old), _serving(new)
    failed = {entry.title: entry.reason for entry in new.entries.values() if entry.reason and entry.reason != UNLOADED}
    unseen = {label or "repository": reason for label, reason in problems.items() if label not in new.entries}
    return ReloadReport(
        added=tuple(title for title in after if title not in before),
        replaced=tuple(title for title in after if before.get(title, after[title]) is not after[title]),
        removed=tuple(title for title in before if title not in after),
        unchanged=tuple(title for title in after if before.get(title) is after[title]),
        failed=unseen | failed,
    )


def _serving(catalogue: Catalogue) -> dict[str, ServedModel]:
    return {f"{model.name}/{model.version}": model for model in catalogue.models.all()}


def _rows(entry: Entry, *, is_loading: bool) -> list[IndexEntry]:
    state, reason = ModelState.READY, entry.reason
    if entry.model is None:
        state, reason = (ModelState.LOADING, "") if is_loading else (ModelState.UNAVAILABLE, entry.reason)
    return [IndexEntry(name=name, version=entry.version, state=state, reason=reason) for name in entry.graph_names]


def _order(key: tuple[str, str]) -> tuple[str, int, str]:
    """By name, then version; versions that are numbers sort as numbers, after all others."""
    name, version = key
    return (name, int(version) if version.isdecimal() and len(version) < 20 else -1, version)
