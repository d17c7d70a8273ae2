"""The models of a server: loaded once, warmed up, then only read."""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose_mdn.errors import ModelNotFoundError
from pose_mdn.inference import Lifter
from pose_mdn.inference.bundle import Bundle, list_bundles
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_server.errors import ModelNotReadyError
from pose_mdn_server.graph import Graph

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A loaded bundle, seen in two ways.

    Attributes:
        lifter: Keypoints in, hypotheses out.
        graph: The same model as named tensors.
    """

    lifter: Lifter
    graph: Graph

    @property
    def name(self) -> str:
        """Name of the bundle."""
        return self.graph.name

    @property
    def version(self) -> str:
        """Version of the bundle."""
        return self.graph.version


class ModelStore:
    """Finds models by name and version. Methods may be called from any thread."""

    def __init__(self, *, repository: Path | None = None, default_model: str = "mdn_lifter", threads: int = 1) -> None:
        self._repository = repository
        self._default_model = default_model
        self._threads = threads
        self._models: dict[tuple[str, str], ServedModel] = {}
        self._loaded = threading.Event()

    @property
    def ready(self) -> bool:
        """Whether every model is loaded and warm."""
        return self._loaded.is_set()

    def load(self) -> None:
        """Load and warm up every bundle of the repository.

        Raises:
            ModelNotFoundError: The repository lacks the default model.
            BundleError: A bundle is incomplete or altered.
        """
        bundles = list_bundles(self._repository)
        if not bundles:
            raise ModelNotFoundError(
                f"repository: expected a folder of bundles NAME/VERSION/, got {self._repository}, which holds none"
            )
        for bundle in bundles:
            model = self._load(bundle)
            self._models[model.name, model.version] = model
            _LOG.info("loaded %s/%s", model.name, model.version)
        self._find(self._default_model, "")
        self._loaded.set()

    def get(self, name: str = "", version: str = "") -> ServedModel:
        """A model by name (empty: the default) and version (empty: the newest).

        Raises:
            ModelNotReadyError: Models are still being loaded.
            ModelNotFoundError: There is none of that name or version.
        """
        if not self.ready:
            raise ModelNotReadyError("models are still being loaded; try again in a moment")
        return self._find(name or self._default_model, version)

    def all(self) -> list[ServedModel]:
        """Every loaded model, by name, then version."""
        return sorted(self._models.values(), key=lambda model: (model.name, _version_order(model.version)))

    def versions(self, name: str) -> list[str]:
        """Versions of a model, oldest first."""
        return sorted((version for known, version in self._models if known == name), key=_version_order)

    def _find(self, name: str, version: str) -> ServedModel:
        versions = self.versions(name)
        if not versions:
            names = ", ".join(sorted({known for known, _ in self._models}))
            raise ModelNotFoundError(f"model: expected one of {names}, got {name[:64]!r}")
        if version and version not in versions:
            raise ModelNotFoundError(
                f"model {name}: expected version {', '.join(versions)} or none for the newest, got {version[:64]!r}"
            )
        return self._models[name, version or versions[-1]]

    def _load(self, bundle: Bundle) -> ServedModel:
        lifter = Lifter(bundle, threads=self._threads)
        upright = np.stack([np.arange(17.0) * 7.0 % 50.0, np.arange(17.0) * 20.0], axis=-1)
        lifter.lift_arrays(upright[None].astype(np.float32), skeleton=HUMAN36M17.name)
        graph = Graph(bundle, threads=self._threads)
        graph.warm_up()
        return ServedModel(lifter=lifter, graph=graph)


def _version_order(version: str) -> tuple[int, str]:
    """Versions that are numbers sort as numbers, after all others."""
    return (int(version) if version.isdecimal() else -1, version)
