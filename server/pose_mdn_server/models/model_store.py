"""The models of a server: loaded once, warmed up, then only read."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from pose_mdn.errors import InputError, ModelNotFoundError
from pose_mdn.inference import DEFAULT_PRIOR, Lifter, PosePrior
from pose_mdn.inference.bundle import Bundle, list_bundles
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_server.errors import ModelNotReadyError
from pose_mdn_server.models.graph import Graph

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A loaded bundle, seen in two ways.

    Attributes:
        name: Name of the bundle.
        version: Version of the bundle.
        lifter: Keypoints in, hypotheses out; `None` for models that do not lift.
        prior: Poses of nothing; `None` for models that lift.
        graphs: The same model as named tensors: one graph called like the bundle, or one for each part.
    """

    name: str
    version: str
    lifter: Lifter | None
    prior: PosePrior | None
    graphs: tuple[Graph, ...]


class ModelStore:
    """Finds models by name and version. Methods may be called from any thread."""

    def __init__(self, *, repository: Path | None = None, default_model: str = "mdn_lifter", threads: int = 1) -> None:
        self._repository = repository
        self._default_model = default_model
        self._threads = threads
        self._models: dict[tuple[str, str], ServedModel] = {}
        self._graphs: dict[tuple[str, str], Graph] = {}
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
            self._graphs |= {(graph.name, graph.version): graph for graph in model.graphs}
            _LOG.info("loaded %s/%s", model.name, model.version)
        if _newest(self._models, self._default_model, "").lifter is None:
            raise ModelNotFoundError(f"default model: expected one that lifts, got {self._default_model}")
        self._loaded.set()

    def get(self, name: str = "", version: str = "") -> ServedModel:
        """A model by name (empty: the default) and version (empty: the newest).

        Raises:
            ModelNotReadyError: Models are still being loaded.
            ModelNotFoundError: There is none of that name or version.
        """
        self._require_ready()
        return _newest(self._models, name or self._default_model, version)

    def lifter(self, name: str = "", version: str = "") -> Lifter:
        """A model that lifts; as `get`.

        Raises:
            InputError: The model of that name does not lift.
        """
        found = self.get(name, version).lifter
        if found is None:
            lifters = ", ".join(sorted({model.name for model in self._models.values() if model.lifter}))
            raise InputError(f"model_name: expected a model that lifts: {lifters}; got {name}", field="model_name")
        return found

    def prior(self, name: str = "", version: str = "") -> PosePrior:
        """A prior over poses; as `get`, with a default of its own.

        Raises:
            InputError: The model of that name is no prior.
        """
        found = self.get(name or DEFAULT_PRIOR, version).prior
        if found is None:
            priors = ", ".join(sorted({model.name for model in self._models.values() if model.prior}))
            raise InputError(
                f"prior.model_name: expected a prior over poses: {priors or '(none loaded)'}; got {name}",
                field="prior.model_name",
            )
        return found

    def graph(self, name: str, version: str = "") -> Graph:
        """A graph, under its own name; errors as of `get`."""
        self._require_ready()
        return _newest(self._graphs, name or self._default_model, version)

    def all(self) -> list[ServedModel]:
        """Every loaded model, by name, then version."""
        return sorted(self._models.values(), key=lambda model: (model.name, _version_order(model.version)))

    def graphs(self) -> list[Graph]:
        """Every loaded graph, by name, then version."""
        return sorted(self._graphs.values(), key=lambda graph: (graph.name, _version_order(graph.version)))

    def graph_versions(self, name: str) -> list[str]:
        """Versions of a graph, oldest first."""
        return _versions(self._graphs, name)

    def _require_ready(self) -> None:
        if not self.ready:
            raise ModelNotReadyError("models are still being loaded; try again in a moment")

    def _load(self, bundle: Bundle) -> ServedModel:
        graphs = tuple(Graph(bundle, threads=self._threads, part=part) for part in bundle.graph_paths)
        for graph in graphs:
            graph.warm_up()
        lifter, prior = None, None
        if bundle.kind == "pose_prior":
            prior = PosePrior(bundle, threads=self._threads)
            prior.score(prior.sample(1, seed=0), samples=2, label=prior.labels[0] if prior.labels else None)
        else:
            lifter = Lifter(bundle, threads=self._threads)
            upright = np.stack([np.arange(17.0) * 7.0 % 50.0, np.arange(17.0) * 20.0], axis=-1)
            lifter.lift_arrays(upright[None].astype(np.float32), skeleton=HUMAN36M17.name)
        return ServedModel(name=bundle.name, version=bundle.version, lifter=lifter, prior=prior, graphs=graphs)


Loaded = TypeVar("Loaded")


def _versions(loaded: Mapping[tuple[str, str], Loaded], name: str) -> list[str]:
    return sorted((version for known, version in loaded if known == name), key=_version_order)


def _newest(loaded: Mapping[tuple[str, str], Loaded], name: str, version: str) -> Loaded:
    versions = _versions(loaded, name)
    if not versions:
        names = ", ".join(sorted({known for known, _ in loaded}))
        raise ModelNotFoundError(f"model: expected one of {names}, got {name[:64]!r}")
    if version and version not in versions:
        raise ModelNotFoundError(
            f"model {name}: expected version {', '.join(versions)} or none for the newest, got {version[:64]!r}"
        )
    return loaded[name, version or versions[-1]]


def _version_order(version: str) -> tuple[int, str]:
    """Versions that are numbers sort as numbers, after all others."""
    return (int(version) if version.isdecimal() else -1, version)
