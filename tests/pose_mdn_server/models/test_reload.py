"""What reloads promise to those who call meanwhile."""

import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.errors import ModelNotFoundError
from pose_mdn.poses.keypoints import FloatArray
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.models.report import ModelState, ReloadReport

Publish = Callable[..., Path]
Withdraw = Callable[[Path], None]


@pytest.fixture
def store(repository: Path, publish: Publish) -> ModelStore:
    publish("mdn_lifter", "1")
    loaded = ModelStore(repository=repository)
    loaded.load()
    return loaded


def edition(store: ModelStore, name: str = "", version: str = "") -> object:
    return store.lifter(name, version).bundle.config["edition"]


def test_what_did_not_change_stays_the_same_object(store: ModelStore, publish: Publish) -> None:
    before, graph = store.get(), store.graph("mdn_lifter")
    assert store.reload() == ReloadReport(unchanged=("mdn_lifter/1",))
    publish("mdn_lifter", "2")
    report = store.reload()
    assert (report.added, report.unchanged, report.failed) == (("mdn_lifter/2",), ("mdn_lifter/1",), {})
    assert store.get("mdn_lifter", "1") is before
    assert store.graph("mdn_lifter", "1") is graph
    assert store.get().version == "2"
    assert store.graph_versions("mdn_lifter") == ["1", "2"]


def test_other_content_replaces_and_a_missing_folder_removes(
    store: ModelStore, publish: Publish, withdraw: Withdraw
) -> None:
    second = publish("mdn_lifter", "2")
    store.reload()
    publish("mdn_lifter", "1", edition="b")
    withdraw(second)
    report = store.reload()
    assert (report.replaced, report.removed, report.unchanged) == (("mdn_lifter/1",), ("mdn_lifter/2",), ())
    assert edition(store) == "b"
    with pytest.raises(ModelNotFoundError, match="version 1 or none"):
        store.get("mdn_lifter", "2")


def test_a_change_of_the_config_alone_is_a_change(
    store: ModelStore, repository: Path, reseal: Callable[[Path], Path]
) -> None:
    config = repository / "mdn_lifter" / "1" / "config.json"
    config.write_text(config.read_text().replace('"edition": "a"', '"edition": "b"'))
    assert "config.json" in store.reload().failed["mdn_lifter/1"]
    assert edition(store) == "a"
    reseal(config.parent)
    assert store.reload().replaced == ("mdn_lifter/1",)
    assert edition(store) == "b"


def test_a_replaced_model_is_freed_when_its_last_caller_lets_go(
    store: ModelStore, publish: Publish, people: FloatArray
) -> None:
    held = store.get()
    watched = [weakref.ref(held), weakref.ref(held.lifter), weakref.ref(held.graphs[0])]
    session = weakref.ref(held.graphs[0]._session)
    publish("mdn_lifter", "1", edition="b")
    gc.disable()
    try:
        store.reload()
        assert all(reference() is not None for reference in watched)
        assert held.lifter is not None
        assert np.isfinite(held.lifter.lift_arrays(people).mixing_coefficients).all()
        del held
        # No cycles: servers freeze the collector, and a model must not wait for it.
        assert [reference() for reference in (*watched, session)] == [None] * 4
    finally:
        gc.enable()


def test_calls_see_whole_models_while_they_are_replaced(
    store: ModelStore, publish: Publish, people: FloatArray
) -> None:
    expected = store.lifter().lift_arrays(people).means_m
    wrong: list[object] = []
    calls, done = [0], threading.Event()

    def call() -> None:
        while not done.is_set():
            try:
                model = store.get()
                assert model.lifter is not None
                if not np.array_equal(model.lifter.lift_arrays(people).means_m, expected):
                    wrong.append("other numbers")
            except Exception as error:
                wrong.append(error)
            calls[0] += 1

    caller = threading.Thread(target=call)
    caller.start()
    for turn in range(5):
        publish("mdn_lifter", "1", edition=f"turn {turn}")
        assert store.reload().replaced == ("mdn_lifter/1",)
    done.set()
    caller.join()
    assert calls[0] > 0
    assert wrong == []


def test_new_models_are_warm_before_they_are_found(
    store: ModelStore, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, list[tuple[str, ModelState]]]] = []

    def warm_up(graph: object, batch_sizes: object) -> None:
        states = [(row.version, row.state) for row in store.index()]
        seen.append((len(store.all()), states))

    monkeypatch.setattr("pose_mdn_server.models.graph.Graph.warm_up", warm_up)
    publish("mdn_lifter", "2")
    store.reload()
    assert seen == [(1, [("1", ModelState.READY), ("2", ModelState.LOADING)])]
    assert [row.state for row in store.index()] == [ModelState.READY] * 2


def test_nothing_is_ready_before_the_first_load_is_done(
    repository: Path, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("mdn_lifter", "1")
    store = ModelStore(repository=repository)
    seen: list[object] = []
    monkeypatch.setattr(
        "pose_mdn_server.models.graph.Graph.warm_up",
        lambda graph, sizes: seen.append((store.ready, [row.state for row in store.index()], store.graphs())),
    )
    store.load()
    assert seen == [(False, [ModelState.LOADING], [])]
    assert store.ready


def test_reloads_wait_for_each_other(store: ModelStore, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    publish("mdn_lifter", "2")
    inside, go_on = threading.Event(), threading.Event()
    reports: list[ReloadReport] = []

    def warm_up(graph: object, batch_sizes: object) -> None:
        inside.set()
        go_on.wait(10)

    monkeypatch.setattr("pose_mdn_server.models.graph.Graph.warm_up", warm_up)
    first = threading.Thread(target=lambda: reports.append(store.reload()))
    second = threading.Thread(target=lambda: reports.append(store.reload()))
    first.start()
    assert inside.wait(10)
    second.start()
    assert store.get().version == "1"
    go_on.set()
    first.join()
    second.join()
    assert [report.added for report in reports] == [("mdn_lifter/2",), ()]


def test_watchers_hear_of_changes_and_of_nothing_else(store: ModelStore, publish: Publish) -> None:
    heard: list[ReloadReport] = []

    def fail(report: ReloadReport) -> None:
        raise RuntimeError("a watcher that is broken")

    store.watch(fail)
    store.watch(heard.append)
    store.reload()
    assert heard == []
    publish("mdn_lifter", "2")
    store.reload()
    store.reload()
    assert [report.added for report in heard] == [("mdn_lifter/2",)]
    assert str(heard[0]) == "added mdn_lifter/2; 1 unchanged"


@pytest.mark.parametrize("loads", ["the only one", "all but the default"])
def test_the_default_model_cannot_vanish(
    store: ModelStore, repository: Path, publish: Publish, withdraw: Withdraw, loads: str
) -> None:
    if loads == "all but the default":
        publish("other", "1", source="mdn_lifter")
        store.reload()
    before = store.get()
    withdraw(repository / "mdn_lifter" / "1")
    for _ in range(2):
        report = store.reload()
        assert "default model" in report.failed["mdn_lifter/1"]
        assert "mdn_lifter/1" in report.unchanged
        assert store.get() is before
    publish("mdn_lifter", "1", edition="back")
    assert store.reload().failed == {}
    assert edition(store) == "back"


def test_a_default_model_that_no_longer_lifts_is_refused(store: ModelStore, publish: Publish) -> None:
    publish("mdn_lifter", "2", source="pose_vae")
    report = store.reload()
    assert "expected the default model to lift" in report.failed["mdn_lifter/2"]
    assert store.lifter().version == "1"
