"""What lifts: a session on this machine, or whatever another package brings (a running server)."""

import hashlib
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, cast

from pose_mdn.batch.settings import LiftSettings
from pose_mdn.errors import InputError

if TYPE_CHECKING:
    from pose_mdn.inference.bundle import Bundle
    from pose_mdn.inference.lifter import Lifter
    from pose_mdn.poses.hypotheses import HypothesisSequence
    from pose_mdn.poses.keypoints import KeypointSequence

BACKEND_GROUP = "pose_mdn.backends"
"""Entry points of backends: callables that take `LiftSettings` and `threads` and give a `Backend`. The one that is
called "server" lifts at `settings.server`."""


@dataclass(frozen=True, kw_only=True)
class ModelIdentity:
    """Which model lifts.

    Attributes:
        name: What it is called, "mdn_lifter".
        version: "1".
        checksum: Of all that its answers depend on; equal only for the same model.
    """

    name: str
    version: str
    checksum: str

    @property
    def label(self) -> str:
        """For people: "mdn_lifter/1"."""
        return f"{self.name}/{self.version}"


class Backend(Protocol):
    """A model that is ready to lift. Safe to use from several threads."""

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def version(self) -> str:
        """The model's version."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model it is."""

    @property
    def gives_ood_score(self) -> bool:
        """Whether the model judges if keypoints are a person."""

    def lift(
        self,
        sequence: "KeypointSequence",
        *,
        min_confidence: float = 0.1,
        on_progress: Callable[[int], None] | None = None,
    ) -> "HypothesisSequence":
        """Lift all rows, as `Lifter.lift` does; `on_progress` gets the number of rows done since the last call."""

    def close(self) -> None:
        """Give back what it holds."""


class LocalBackend:
    """A session of ONNX Runtime in this process.

    Every call of the session works on 512 rows counted from the sequence's first one, with one thread, so that answers
    are the same bits however many slices are lifted at a time.
    """

    def __init__(self, settings: LiftSettings, *, threads: int = 1) -> None:
        """Load the model; `threads` slices are lifted at a time."""
        from pose_mdn.inference.lifter import load_lifter  # noqa: PLC0415

        self.lifter: Lifter = load_lifter(
            settings.model, threads=1, num_hypotheses=settings.num_hypotheses, seed=settings.seed
        )
        self.threads = threads
        self._executor: Executor | None = ThreadPoolExecutor(threads, "lift") if threads > 1 else None

    @property
    def name(self) -> str:
        """The model's name."""
        return self.lifter.name

    @property
    def version(self) -> str:
        """The model's version."""
        return self.lifter.version

    @property
    def identity(self) -> ModelIdentity:
        """Which model it is."""
        return _identity_of_bundle(self.lifter.bundle)

    @property
    def gives_ood_score(self) -> bool:
        """Whether the model judges if keypoints are a person."""
        return self.lifter.gives_ood_score

    def lift(
        self,
        sequence: "KeypointSequence",
        *,
        min_confidence: float = 0.1,
        on_progress: Callable[[int], None] | None = None,
    ) -> "HypothesisSequence":
        """Lift all rows; errors as of `Lifter.lift`."""
        return self.lifter.lift(
            sequence, min_confidence=min_confidence, on_progress=on_progress, executor=self._executor
        )

    def close(self) -> None:
        """End the threads."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)


def open_backend(settings: LiftSettings, *, threads: int = 1) -> Backend:
    """What lifts by these settings: a local session, or the backend "server" if they name one.

    Args:
        settings: Which model, and where.
        threads: How many slices of 512 rows may be lifted at a time.

    Raises:
        InputError: The settings name a server, and no package is installed that can ask one.
        ModelNotFoundError: There is no such model.
        BundleError: The model is broken or is no lifter.
    """
    if settings.server is None:
        return LocalBackend(settings, threads=threads)
    for entry in entry_points(group=BACKEND_GROUP, name="server"):
        return cast("Callable[..., Backend]", entry.load())(settings, threads=threads)
    raise InputError("server: expected an installed package that asks servers, got none", field="server")


def identify_model(settings: LiftSettings) -> ModelIdentity:
    """Which model the settings mean, without loading its graph if it is on this machine; errors as `open_backend`."""
    if settings.server is None:
        from pose_mdn.inference.bundle import find_bundle  # noqa: PLC0415

        return _identity_of_bundle(find_bundle(settings.model))
    backend = open_backend(settings)
    try:
        return backend.identity
    finally:
        backend.close()


def _identity_of_bundle(bundle: "Bundle") -> ModelIdentity:
    """Checksums of the config and of the graphs; the model card may be reworded."""
    named = {"config.json", *bundle.graph_files.values()}
    sums = sorted((name, checksum) for name, checksum in (bundle.sums or {}).items() if name in named)
    checksum = hashlib.sha256(repr(sums).encode()).hexdigest()
    return ModelIdentity(name=bundle.name, version=bundle.version, checksum=checksum)
