"""The models of a server, found by name and version."""

from pose_mdn.errors import InputError
from pose_mdn.inference import DEFAULT_PRIOR, Lifter, PosePrior
from pose_mdn_server.errors import ModelNotReadyError
from pose_mdn_server.models.graph import Graph
from pose_mdn_server.models.keeper import ModelKeeper
from pose_mdn_server.models.served_model import ServedModel

__all__ = ["ModelStore", "ServedModel"]


class ModelStore(ModelKeeper):
    """Finds models, of which the keeper sees to it that they are there.

    Methods may be called from any thread and never wait for a reload. A caller who has found a model may use it as long
    as it likes, whatever becomes of the store.
    """

    def get(self, name: str = "", version: str = "") -> ServedModel:
        """A model by name (empty: the default) and version (empty: the newest).

        Raises:
            ModelNotReadyError: Models are still being loaded.
            ModelNotFoundError: There is none of that name or version.
        """
        self._require_ready()
        return self._catalogue.models.find(name or self._default_model, version)

    def lifter(self, name: str = "", version: str = "") -> Lifter:
        """A model that lifts; as `get`.

        Raises:
            InputError: The model of that name does not lift.
        """
        found = self.get(name, version).lifter
        if found is None:
            lifters = ", ".join(sorted({model.name for model in self.all() if model.lifter}))
            raise InputError(f"model_name: expected a model that lifts: {lifters}; got {name}", field="model_name")
        return found

    def prior(self, name: str = "", version: str = "") -> PosePrior:
        """A prior over poses; as `get`, with a default of its own.

        Raises:
            InputError: The model of that name is no prior.
        """
        found = self.get(name or DEFAULT_PRIOR, version).prior
        if found is None:
            priors = ", ".join(sorted({model.name for model in self.all() if model.prior}))
            raise InputError(
                f"prior.model_name: expected a prior over poses: {priors or '(none loaded)'}; got {name}",
                field="prior.model_name",
            )
        return found

    def graph(self, name: str, version: str = "") -> Graph:
        """A graph, under its own name; errors as of `get`."""
        self._require_ready()
        return self._catalogue.graphs.find(name or self._default_model, version)

    def all(self) -> list[ServedModel]:
        """Every loaded model, by name, then version."""
        return self._catalogue.models.all()

    def graphs(self) -> list[Graph]:
        """Every loaded graph, by name, then version."""
        return self._catalogue.graphs.all()

    def graph_versions(self, name: str) -> list[str]:
        """Versions of a graph, oldest first."""
        return self._catalogue.graphs.of(name)

    def _require_ready(self) -> None:
        if not self._ready:
            raise ModelNotReadyError("models are still being loaded; try again in a moment")
