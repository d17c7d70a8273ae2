"""Which models serve, and how that changes."""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NoReturn

from pose_mdn.errors import BundleError, InputError, ModelNotFoundError
from pose_mdn_server.models.catalogue import UNLOADED, Catalogue, Entry, compare
from pose_mdn_server.models.renewal import LoadSettings, Renewal
from pose_mdn_server.models.report import IndexEntry, ReloadReport
from pose_mdn_server.models.repository import scan_repository
from pose_mdn_server.models.unloaded import Unloaded

_LOG = logging.getLogger(__name__)

Watcher = Callable[[ReloadReport], None]


class ModelKeeper:
    """Loads the models of a repository, and replaces them while they serve.

    Methods may be called from any thread. `load`, `reload`, `load_model` and `unload_model` wait for each other, load
    and warm up models in the thread that calls them, and should not be called from one that answers requests.
    """

    def __init__(
        self,
        *,
        repository: Path | None = None,
        default_model: str = "mdn_lifter",
        threads: int = 1,
        batch_sizes: Sequence[int] = (1,),
        unloaded: Collection[tuple[str, str]] = (),
    ) -> None:
        """Prepare; nothing is loaded yet.

        Args:
            repository: Folder of bundles; those inside the package if there is none.
            default_model: Lifter that is meant where no name is given.
            threads: Processor threads of each run.
            batch_sizes: Lengths of the batch axis with which models are run before they serve.
            unloaded: What `unloaded` of another store said, for a process that takes its place.
        """
        self._settings = LoadSettings(
            repository=repository, default_model=default_model, threads=threads, batch_sizes=tuple(batch_sizes)
        )
        self._default_model = default_model
        self._catalogue = Catalogue()
        self._ready = False
        self._loading: frozenset[str] = frozenset()
        self._unloaded = Unloaded(frozenset(unloaded))
        self._watchers: list[Watcher] = []
        self._changing = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether the models are loaded and warm."""
        return self._ready

    @property
    def unloaded(self) -> frozenset[tuple[str, str]]:
        """Names and versions that were unloaded on purpose; an empty version stands for all."""
        return self._unloaded.marks

    def load(self) -> ReloadReport:
        """Load and warm up every bundle of the repository; those that are broken are left out and reported.

        Raises:
            ModelNotFoundError: The repository lacks the default model.
            BundleError: The default model is broken.
        """
        report = self.reload()
        if not self._ready:
            self._refuse_to_start(report)
        return report

    def reload(self) -> ReloadReport:
        """Let serve what the repository holds now; never raises for what is wrong with a bundle or a folder.

        Only bundles whose checksums or config changed are loaded, before any of them takes a place. One that cannot be
        loaded leaves what served before, and is tried again by the next reload.
        """
        with self._changing:
            return self._change(lambda _: True)

    def load_model(self, name: str, version: str = "") -> ReloadReport:
        """Load one model, or again if it changed; the name of a graph means the bundle that it is part of.

        Args:
            name: Of a bundle or a graph.
            version: Which; all of that name if empty.

        Raises:
            ModelNotFoundError: The repository holds none of that name and version.
            BundleError: It is broken; what served before serves on, and other versions that could be loaded do, too.
        """
        with self._changing:
            bundle = self.bundle_name(name)
            versions = [entry.version for entry in self._entries(bundle, "")]
            self._unloaded = self._unloaded.without(bundle, version, versions)
            labels = {entry.label for entry in self._entries(bundle, version)}
            folder = f"{bundle}/{version}"
            report = self._change(
                lambda label: label in labels or label == folder or (not version and label.startswith(folder))
            )
            found = self._entries(bundle, version)
            reasons = [entry.reason for entry in found if entry.reason]
            if not found:
                self._refuse_unknown(name, version)
            if reasons:
                raise BundleError("; ".join(reasons))
            return report

    def unload_model(self, name: str, version: str = "", *, unload_dependents: bool = False) -> ReloadReport:
        """Let a model serve no longer, until it is loaded again by `load_model`; calls under way keep it.

        Args:
            name: Of a bundle or a graph.
            version: Which; all of that name if empty.
            unload_dependents: Whether the name of one graph of several may stand for the bundle with all of them.

        Raises:
            ModelNotFoundError: There is none of that name and version.
            InputError: It is the default model, or a part of a bundle.
        """
        with self._changing:
            found = self._entries(name, version)
            if not found:
                self._refuse_unknown(name, version)
            bundle, parts = found[0].name, found[0].graph_names
            if name != bundle and len(parts) > 1 and not unload_dependents:
                raise InputError(
                    f"model_name: expected a whole model, got {name}, which goes only together with "
                    f"{', '.join(parts)}; unload {bundle}, or set unload_dependents",
                    field="model_name",
                )
            self._refuse_default(found)
            self._unloaded = self._unloaded.adding(bundle, version)
            labels = {entry.label for entry in found}
            return self._change(lambda label: label in labels)

    def index(self, *, ready_only: bool = False) -> list[IndexEntry]:
        """Every graph of the repository, as far as it is known, with its state."""
        return self._catalogue.index(self._loading, ready_only=ready_only)

    def bundle_name(self, name: str) -> str:
        """The bundle that a graph is part of, whether it is loaded or not; of anything else the name itself."""
        return next((entry.name for entry in self._entries(name, "")), name)

    def watch(self, callback: Watcher) -> None:
        """Have a function called after each change, in the thread that made it; it may not change the store."""
        self._watchers.append(callback)

    def _change(self, chosen: Callable[[str], bool]) -> ReloadReport:
        """Renew the chosen folders, swap, tell; the lock is held."""
        old, scan = self._catalogue, scan_repository(self._settings.repository)
        renewal = Renewal(self._settings, old, scan, self._unloaded.covers)
        self._loading = renewal.to_load(chosen)
        try:
            new = renewal.run(chosen)
        finally:
            self._loading = frozenset()
        self._catalogue = new
        self._ready = self._ready or new.lifts(self._default_model)
        report = compare(old, new, scan.problems)
        if new.entries != old.entries:
            _LOG.info("models: %s", report)
            self._tell(report)
        return report

    def _tell(self, report: ReloadReport) -> None:
        for watcher in tuple(self._watchers):
            try:
                watcher(report)
            except Exception:  # the swap is done, and other watchers want to know
                _LOG.exception("a watcher of the models failed")

    def _entries(self, name: str, version: str) -> list[Entry]:
        return [entry for entry in self._catalogue.entries.values() if entry.is_called(name, version)]

    def _refuse_default(self, leaving: list[Entry]) -> None:
        staying = [entry for entry in self._catalogue.entries.values() if entry not in leaving]
        name = self._default_model
        if any(entry.name == name for entry in leaving) and not Catalogue(staying).lifts(name):
            raise InputError(
                f"model_name: expected another model than {name}, which answers requests that name none and cannot be "
                "unloaded",
                field="model_name",
            )

    def _refuse_unknown(self, name: str, version: str) -> NoReturn:
        names = ", ".join(sorted({entry.title for entry in self._catalogue.entries.values()}))
        wanted = f"{name}/{version}" if version else name
        raise ModelNotFoundError(f"model: expected one of the repository: {names or '(none)'}; got {wanted[:128]!r}")

    def _refuse_to_start(self, report: ReloadReport) -> NoReturn:
        name, entries = self._default_model, self._catalogue.entries.values()
        reasons = [entry.reason for entry in entries if entry.name == name and entry.reason not in ("", UNLOADED)]
        if reasons:
            raise BundleError("; ".join(reasons))
        if not entries:
            problems = "".join(f"; {reason}" for reason in report.failed.values())
            raise ModelNotFoundError(
                f"repository: expected a folder of bundles NAME/VERSION/, got {self._settings.repository}, "
                f"which holds none{problems}"
            )
        names = ", ".join(sorted({entry.name for entry in entries}))
        raise ModelNotFoundError(f"default model: expected one of the repository that lifts ({names}), got {name}")
