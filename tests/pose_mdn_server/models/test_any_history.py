"""Whatever happens to a repository and in whatever order, what serves is what a simple account of it says."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import PoseMDNError
from pose_mdn.inference.bundle import Bundle
from pose_mdn_server.models import renewal
from pose_mdn_server.models.model_store import ModelStore, ServedModel
from pose_mdn_server.models.report import ModelState
from pose_mdn_server.models.unloaded import Unloaded

DEFAULT = "mdn_lifter"
MODELS = [(name, version) for name in (DEFAULT, "other") for version in ("1", "2")]
Model = tuple[str, str]


class Account:
    """The rules of docs/model_repository.md, on dictionaries."""

    def __init__(self) -> None:
        self.disk: dict[Model, int | None] = {}
        self.serving: dict[Model, int] = {}
        self.unloaded = Unloaded()

    def look_at(self, chosen: Callable[[Model], bool]) -> None:
        before = dict(self.serving)
        for model in filter(chosen, MODELS):
            edition = self.disk.get(model, -1)
            if edition == -1 or self.unloaded.covers(*model):
                self.serving.pop(model, None)
            elif edition is not None:
                self.serving[model] = edition
        defaults = [model for model in before if model[0] == DEFAULT]
        if defaults and not any(name == DEFAULT for name, _ in self.serving):
            self.serving[max(defaults)] = before[max(defaults)]

    def can_unload(self, name: str, version: str) -> bool:
        stays = [model for model in self.serving if not (model[0] == name and version in ("", model[1]))]
        return name != DEFAULT or any(model[0] == DEFAULT for model in stays)


class History:
    """A repository and a store, with the account of what should serve."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.account = Account()
        self.write((DEFAULT, "1"), 0)
        self.store = ModelStore(repository=root)
        self.store.load()
        self.account.look_at(lambda _: True)

    def write(self, model: Model, edition: int | None) -> None:
        """Put a bundle into the repository; one without an edition does not fit its checksums."""
        folder = self.root / "/".join(model)
        folder.mkdir(parents=True, exist_ok=True)
        files = {
            "config.json": json.dumps({"name": model[0], "version": model[1], "edition": edition}),
            "model.onnx": "-",
        }
        sums = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in files.items()]
        for name, text in files.items():
            (folder / name).write_text(text if edition is not None else text + "altered")
        (folder / "SHA256SUMS").write_text("".join(sums))
        self.account.disk[model] = edition

    def withdraw(self, model: Model) -> None:
        shutil.rmtree(self.root / "/".join(model), ignore_errors=True)
        self.account.disk.pop(model, None)

    def reload(self) -> None:
        self.store.reload()
        self.account.look_at(lambda _: True)

    def load(self, name: str, version: str) -> None:
        # Whether it succeeds is for other tests; what serves afterwards is for this one.
        with suppress(PoseMDNError):
            self.store.load_model(name, version)
        known = [entry[1] for entry in MODELS if entry[0] == name and self.is_known(entry)]
        self.account.unloaded = self.account.unloaded.without(name, version, known)
        self.account.look_at(lambda model: model[0] == name and version in ("", model[1]))

    def is_known(self, model: Model) -> bool:
        return any((row.name, row.version) == model for row in self.store.index())

    def unload(self, name: str, version: str) -> None:
        known = any(self.is_known(model) for model in MODELS if model[0] == name and version in ("", model[1]))
        allowed = known and self.account.can_unload(name, version)
        try:
            self.store.unload_model(name, version)
        except PoseMDNError:
            assert not allowed
            return
        assert allowed
        self.account.unloaded = self.account.unloaded.adding(name, version)
        for model in list(self.account.serving):
            if self.account.unloaded.covers(*model):
                del self.account.serving[model]

    def check(self) -> None:
        serving = {(model.name, model.version): model.lifter.edition for model in self.store.all()}
        assert serving == self.account.serving
        ready = {(row.name, row.version) for row in self.store.index(ready_only=True)}
        assert ready == set(serving)
        assert self.store.get().name == DEFAULT
        assert all(row.reason for row in self.store.index() if row.state is ModelState.UNAVAILABLE)


def pretend_to_load(bundle: Bundle, **_: object) -> ServedModel:
    lifter = SimpleNamespace(edition=bundle.config["edition"])
    graph = SimpleNamespace(name=bundle.name, version=bundle.version)
    return ServedModel(name=bundle.name, version=bundle.version, lifter=lifter, prior=None, graphs=(graph,))


NAMES = st.sampled_from([DEFAULT, "other"])
VERSIONS = st.sampled_from(["", "1", "2"])
STEPS = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(MODELS), st.integers(0, 2)),
    st.tuples(st.just("write"), st.sampled_from(MODELS), st.none()),
    st.tuples(st.just("withdraw"), st.sampled_from(MODELS)),
    st.tuples(st.just("load"), NAMES, VERSIONS),
    st.tuples(st.just("unload"), NAMES, VERSIONS),
    st.just(("reload",)),
    st.just(("reload",)),
)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEPS, max_size=14))
def test_what_serves_follows_from_the_history(steps: list[tuple[object, ...]]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(renewal, "load_served_model", pretend_to_load),
    ):
        history = History(Path(folder))
        for action, *arguments in steps:
            getattr(history, str(action))(*arguments)
            history.check()
