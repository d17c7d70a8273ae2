"""What is said of models to those who look after a server."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class ModelState(enum.StrEnum):
    """States of the Open Inference Protocol's repository, as Triton names them."""

    READY = "READY"
    LOADING = "LOADING"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, kw_only=True)
class IndexEntry:
    """One graph of the repository.

    Attributes:
        name: Under which it is called.
        version: Its version.
        state: Whether it can be called.
        reason: Why not; or, of one that serves, why what the repository holds now does not.
    """

    name: str
    version: str
    state: ModelState
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ReloadReport:
    """What became of the models; bundles are called "name/version".

    Attributes:
        added: Serve now and did not before.
        replaced: Serve with other content than before.
        removed: Serve no longer: gone from the repository, or unloaded.
        unchanged: Serve as before.
        failed: Were refused, and why. One that served before serves on and is in `unchanged`, too.
    """

    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether anything serves that did not, or the other way round."""
        return bool(self.added or self.replaced or self.removed)

    def __str__(self) -> str:
        parts = [
            f"{verb} {', '.join(models)}"
            for verb, models in (("added", self.added), ("replaced", self.replaced), ("removed", self.removed))
            if models
        ]
        parts += [f"refused {model} ({reason})" for model, reason in self.failed.items()]
        return "; ".join([*parts, f"{len(self.unchanged)} unchanged"])
