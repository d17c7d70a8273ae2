"""From what serves and what the repository holds to what will serve."""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pose_mdn.errors import BundleError, PoseMDNError
from pose_mdn.inference.bundle import BUNDLED_REPOSITORY, Bundle
from pose_mdn_server.models.catalogue import UNLOADED, Catalogue, Entry
from pose_mdn_server.models.repository import Scan, fingerprint
from pose_mdn_server.models.served_model import graph_names, load_served_model

_LOG = logging.getLogger(__name__)

_KEPT = " (kept)"
"""Ends the label of what serves without a folder."""
_LONGEST_REASON = 500


@dataclass(frozen=True, kw_only=True)
class LoadSettings:
    """How models are loaded.

    Attributes:
        repository: Folder of bundles; those inside the package if there is none.
        default_model: Name of a lifter that may not vanish.
        threads: Processor threads of each run.
        batch_sizes: Lengths of the batch axis with which models are run before they serve.
    """

    repository: Path | None
    default_model: str
    threads: int
    batch_sizes: Sequence[int]


class Renewal:
    """One reload. What can be loaded is loaded and warmed up; what cannot is noted, and what served before stays."""

    def __init__(
        self, settings: LoadSettings, old: Catalogue, scan: Scan, is_unloaded: Callable[[str, str], bool]
    ) -> None:
        self._settings = settings
        self._old = old
        self._scan = scan
        self._is_unloaded = is_unloaded
        self._owners = {
            (name, entry.version): label
            for label, entry in old.entries.items()
            if entry.model is not None and (label in scan.folders or scan.problem_of(label))
            for name in (entry.name, *entry.graph_names)
        }

    def to_load(self, chosen: Callable[[str], bool]) -> frozenset[str]:
        """Labels of the folders from which nothing serves yet, and that will be tried."""
        return frozenset(
            label
            for label in filter(chosen, self._scan.folders)
            if (entry := self._old.entries.get(label)) is None
            or (entry.model is None and not self._is_unloaded(entry.name, entry.version))
        )

    def run(self, chosen: Callable[[str], bool]) -> Catalogue:
        """The next catalogue.

        Args:
            chosen: Whether to look at a folder, by its label; what is known of the others stays.
        """
        entries = [entry for label in self._old.entries if (entry := self._without_folder(label, chosen)) is not None]
        for label, folder in self._scan.folders.items():
            previous = self._old.entries.get(label)
            if chosen(label):
                entries.append(self._renewed(label, folder, previous))
            elif previous is not None:
                entries.append(previous)
        return self._with_default(entries)

    def _without_folder(self, label: str, chosen: Callable[[str], bool]) -> Entry | None:
        """What remains of an entry whose folder was not found."""
        entry = self._old.entries[label]
        if label in self._scan.folders:
            return None
        problem = self._scan.problem_of(label)
        if not chosen(label) or self._is_unloaded(entry.name, entry.version):
            return self._unloaded(entry) if chosen(label) else entry
        return replace(entry, reason=f"{label}: {problem}") if problem else None

    def _renewed(self, label: str, folder: Path, previous: Entry | None) -> Entry:
        if previous is not None and self._is_unloaded(previous.name, previous.version):
            return self._unloaded(previous)
        try:
            found = fingerprint(folder)
            if previous is not None and previous.model is not None and previous.fingerprint == found:
                return replace(previous, reason="")
            return self._loaded(label, Bundle.open(folder), found)
        except PoseMDNError as error:
            reason = self._told(error)
        # One bundle, whatever is wrong with it, must not hinder the others; ONNX Runtime raises many kinds.
        except Exception as error:
            reason = f"{label}: expected a model that runs, got {type(error).__name__}; the server's log says more"
            if previous is None or previous.reason != reason:  # not at every look at the repository
                _LOG.exception("%s cannot be loaded", label)
        if previous is not None:
            return replace(previous, reason=reason)
        name, _, version = label.partition("/")
        return Entry(label=label, name=name, version=version, graph_names=(name,), reason=reason)

    def _loaded(self, label: str, bundle: Bundle, found: str) -> Entry:
        entry = Entry(
            label=label,
            name=bundle.name,
            version=bundle.version,
            graph_names=graph_names(bundle),
            fingerprint=found,
        )
        if self._is_unloaded(entry.name, entry.version):
            return self._unloaded(entry)
        if bundle.name == self._settings.default_model and bundle.kind != "lifter":
            raise BundleError(f"{label}: expected the default model to lift, got one of kind {bundle.kind!r}")
        self._claim_names(entry)
        model = load_served_model(bundle, threads=self._settings.threads, batch_sizes=self._settings.batch_sizes)
        _LOG.debug("loaded %s", entry.title)
        return replace(entry, model=model)

    def _claim_names(self, entry: Entry) -> None:
        for name in (entry.name, *entry.graph_names):
            owner = self._owners.setdefault((name, entry.version), entry.label)
            if owner != entry.label:
                raise BundleError(
                    f"{entry.label}: expected a name and a version of its own, got {name}/{entry.version}, which is "
                    f"that of {owner}; change its config"
                )

    def _with_default(self, entries: list[Entry]) -> Catalogue:
        """The catalogue of these entries and, if they lack the default model, of the one that served before."""
        name = self._settings.default_model
        catalogue = Catalogue(entries)
        if catalogue.lifts(name) or not self._old.lifts(name):
            return catalogue
        newest = self._old.models.find(name)
        kept = next(entry for entry in self._old.entries.values() if entry.model is newest)
        reason = f"{kept.title}: gone from the repository; it serves on, since it is the default model"
        return Catalogue([*entries, replace(kept, label=kept.label.removesuffix(_KEPT) + _KEPT, reason=reason)])

    def _unloaded(self, entry: Entry) -> Entry:
        return replace(entry, model=None, reason=UNLOADED)

    def _told(self, error: PoseMDNError) -> str:
        """A reason in one line that any protocol can carry, without the path of the repository.

        The path is nobody's business but the operator's.
        """
        reason = str(error).replace(f"{self._settings.repository or BUNDLED_REPOSITORY}{os.sep}", "")
        line = " ".join(reason.split()).encode("utf-8", "backslashreplace").decode()
        return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}..."
