"""The repository as the Open Inference Protocol sees it: index, load, unload."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pose_mdn.errors import BundleError, InputError, ModelNotFoundError
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.models.unloaded import Unloaded

Publish = Callable[..., Path]


@pytest.fixture
def store(repository: Path, publish: Publish) -> ModelStore:
    publish("mdn_lifter", "1")
    publish("other", "1", source="mdn_lifter")
    publish("other", "2", source="mdn_lifter")
    publish("pose_vae", "1")
    loaded = ModelStore(repository=repository)
    loaded.load()
    return loaded


def rows(store: ModelStore, *, ready_only: bool = False) -> dict[str, tuple[str, str]]:
    return {f"{row.name}/{row.version}": (row.state.value, row.reason) for row in store.index(ready_only=ready_only)}


def test_the_index_lists_every_graph(store: ModelStore) -> None:
    assert list(rows(store)) == ["mdn_lifter/1", "other/1", "other/2", "pose_vae_decode/1", "pose_vae_encode/1"]
    assert set(rows(store).values()) == {("READY", "")}


def test_an_unloaded_model_stays_unloaded_until_it_is_loaded_again(store: ModelStore, publish: Publish) -> None:
    assert store.unload_model("other").removed == ("other/1", "other/2")
    publish("other", "2", edition="b", source="mdn_lifter")
    publish("other", "3", source="mdn_lifter")
    store.reload()
    for version in "123":
        assert rows(store)[f"other/{version}"] == ("UNAVAILABLE", "unloaded")
    assert list(rows(store, ready_only=True)) == ["mdn_lifter/1", "pose_vae_decode/1", "pose_vae_encode/1"]
    with pytest.raises(ModelNotFoundError):
        store.get("other")
    assert store.load_model("other").added == ("other/1", "other/2", "other/3")
    assert store.lifter("other", "2").bundle.config["edition"] == "b"
    assert store.unloaded == frozenset()


def test_one_version_of_several_is_unloaded_and_loaded(store: ModelStore) -> None:
    store.unload_model("other", "2")
    assert store.get("other").version == "1"
    store.unload_model("other")
    store.load_model("other", "2")
    store.reload()
    assert [model.version for model in store.all() if model.name == "other"] == ["2"]
    assert rows(store)["other/1"] == ("UNAVAILABLE", "unloaded")


def test_loading_takes_what_is_new_and_leaves_the_others(store: ModelStore, publish: Publish) -> None:
    publish("fresh", "1", source="mdn_lifter")
    publish("other", "1", edition="b", source="mdn_lifter")
    assert store.load_model("fresh").added == ("fresh/1",)
    assert store.lifter("other", "1").bundle.config["edition"] == "a"
    assert store.load_model("other", "1").replaced == ("other/1",)
    assert store.load_model("other", "1").unchanged == tuple(f"{model.name}/{model.version}" for model in store.all())


def test_the_default_model_cannot_be_unloaded(store: ModelStore, publish: Publish) -> None:
    with pytest.raises(InputError, match="cannot be unloaded"):
        store.unload_model("mdn_lifter")
    publish("mdn_lifter", "2")
    store.reload()
    store.unload_model("mdn_lifter", "2")
    assert store.get().version == "1"
    with pytest.raises(InputError, match="cannot be unloaded"):
        store.unload_model("mdn_lifter", "1")
    assert store.unloaded == {("mdn_lifter", "2")}


def test_a_part_of_a_bundle_goes_only_with_the_others(store: ModelStore) -> None:
    with pytest.raises(InputError, match="unload pose_vae, or set unload_dependents"):
        store.unload_model("pose_vae_encode")
    store.unload_model("pose_vae_encode", unload_dependents=True)
    assert rows(store)["pose_vae_decode/1"] == ("UNAVAILABLE", "unloaded")
    with pytest.raises(ModelNotFoundError):
        store.prior()
    assert [store.bundle_name(name) for name in ("pose_vae_decode", "pose_vae", "teapot")] == ["pose_vae"] * 2 + [
        "teapot"
    ]
    store.load_model("pose_vae_decode")
    assert store.prior().name == "pose_vae"


def test_unknown_models_are_neither_loaded_nor_unloaded(store: ModelStore) -> None:
    for change in (store.load_model, store.unload_model):
        for name, version in (("nothing", ""), ("other", "9")):
            with pytest.raises(ModelNotFoundError, match=r"other/1, other/2.*got"):
                change(name, version)


def test_a_broken_model_is_not_loaded_and_the_old_one_serves(store: ModelStore, publish: Publish) -> None:
    before = store.get("other", "2")
    folder = publish("other", "2", edition="b", source="mdn_lifter")
    (folder / "model.onnx").write_bytes(b"half")
    with pytest.raises(BundleError, match=r"^other/2: model\.onnx is not the file"):
        store.load_model("other")
    assert store.get("other", "2") is before
    state, reason = rows(store)["other/2"]
    assert state == "READY"
    assert "model.onnx" in reason


def test_a_broken_model_that_was_unloaded_is_unavailable(store: ModelStore, repository: Path) -> None:
    store.unload_model("other", "2")
    (repository / "other" / "2" / "model.onnx").write_bytes(b"half")
    with pytest.raises(BundleError):
        store.load_model("other", "2")
    state, reason = rows(store)["other/2"]
    assert state == "UNAVAILABLE"
    assert "model.onnx" in reason


def test_a_process_that_takes_over_knows_what_was_unloaded(store: ModelStore, repository: Path) -> None:
    store.unload_model("other", "1")
    store.unload_model("pose_vae")
    heir = ModelStore(repository=repository, unloaded=store.unloaded)
    heir.load()
    assert rows(heir) == rows(store)
    heir.load_model("pose_vae_encode")
    assert heir.prior().name == "pose_vae"


def test_what_is_unloaded_by_name_covers_versions_to_come() -> None:
    marks = Unloaded().adding("a", "").adding("b", "1")
    assert [marks.covers(*model) for model in (("a", "7"), ("b", "1"), ("b", "2"))] == [True, True, False]
    assert marks.without("a", "2", ["1", "2", "3"]).marks == {("a", "1"), ("a", "3"), ("b", "1")}
    assert marks.without("a", "", []).marks == {("b", "1")}
