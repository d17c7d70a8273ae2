"""Whatever is wrong with a folder, a reload says so and what served before serves on."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from pose_mdn.errors import BundleError, ModelNotFoundError
from pose_mdn_server.models import renewal
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.models.report import ModelState
from pose_mdn_server.models.repository import scan_repository

Publish = Callable[..., Path]
Seal = Callable[[Path], Path]


@pytest.fixture
def store(repository: Path, publish: Publish) -> ModelStore:
    publish("mdn_lifter", "1")
    publish("mdn_lifter", "2")
    loaded = ModelStore(repository=repository)
    loaded.load()
    return loaded


def half_copied(folder: Path) -> None:
    content = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(content[: len(content) // 2])
    (folder / "config.json").write_text((folder / "config.json").read_text() + " ")


def config_lost(folder: Path) -> None:
    (folder / "config.json").unlink()


def sums_in_a_circle(folder: Path) -> None:
    (folder / "SHA256SUMS").unlink()
    (folder / "SHA256SUMS").symlink_to(folder / "SHA256SUMS")


def graph_in_a_circle(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").symlink_to("model.onnx")
    (folder / "config.json").write_text((folder / "config.json").read_text() + " ")


def a_pipe_as_sums(folder: Path) -> None:
    (folder / "SHA256SUMS").unlink()
    os.mkfifo(folder / "SHA256SUMS")


def a_folder_as_config(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()


def endless_config(folder: Path) -> None:
    (folder / "config.json").write_bytes(b" " * (2 << 20))


def a_circle_as_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder)


SPOILED = (
    half_copied,
    config_lost,
    sums_in_a_circle,
    graph_in_a_circle,
    a_pipe_as_sums,
    a_folder_as_config,
    endless_config,
    a_circle_as_folder,
)


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
def test_a_spoiled_folder_is_reported_and_the_old_model_serves(
    store: ModelStore, publish: Publish, repository: Path, spoil: Callable[[Path], None]
) -> None:
    before = store.get()
    spoil(repository / "mdn_lifter" / "2")
    for _ in range(2):
        report = store.reload()
        assert list(report.failed) == ["mdn_lifter/2"]
        assert report.unchanged == ("mdn_lifter/1", "mdn_lifter/2")
        assert str(repository) not in str(report)
        assert "\n" not in str(report)
    assert store.get() is before
    assert store.index()[1].state is ModelState.READY
    assert store.index()[1].reason == report.failed["mdn_lifter/2"]
    if (repository / "mdn_lifter" / "2").is_symlink():
        (repository / "mdn_lifter" / "2").unlink()
    publish("mdn_lifter", "2", edition="repaired")
    assert store.reload().failed == {}
    assert store.lifter().bundle.config["edition"] == "repaired"


def test_a_bundle_that_is_still_being_copied_is_taken_by_a_later_reload(
    store: ModelStore, publish: Publish, repository: Path
) -> None:
    whole = publish("other", "1", source="mdn_lifter")
    copy = repository / "late" / "1"
    copy.mkdir(parents=True)
    names = ["SHA256SUMS", "README.md", "config.json", "model.onnx"]
    for name in names:
        shutil.copy(whole / name, copy / name)
        if name != names[-1]:
            assert list(store.reload().failed) == ["late/1"]
            assert [row.state for row in store.index() if row.name == "late"] == [ModelState.UNAVAILABLE]
    shutil.copy(whole / "training.toml", copy / "training.toml")
    shutil.rmtree(whole)
    assert store.reload().added == ()
    assert [model.name for model in store.all()] == ["mdn_lifter", "mdn_lifter", "other"]


@pytest.mark.parametrize("level", ["", "mdn_lifter"])
def test_a_folder_that_cannot_be_listed_removes_nothing(
    store: ModelStore, repository: Path, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked, scandir = str(repository / level), os.scandir

    def refuse(path: os.PathLike[str]) -> object:
        if str(path) == blocked:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = store.reload()
    assert (report.removed, report.unchanged) == ((), ("mdn_lifter/1", "mdn_lifter/2"))
    assert report.failed["mdn_lifter/2"] == "mdn_lifter/2: cannot be read: Permission denied"
    monkeypatch.undo()
    assert store.reload().failed == {}


def test_a_repository_that_is_gone_removes_nothing(store: ModelStore, repository: Path) -> None:
    repository.rename(repository.parent / "moved")
    report = store.reload()
    assert report.failed["repository"] == "cannot be read: No such file or directory"
    assert report.unchanged == ("mdn_lifter/1", "mdn_lifter/2")


def test_a_graph_that_does_not_run_is_refused(store: ModelStore, publish: Publish, reseal: Seal) -> None:
    folder = publish("broken", "1", source="mdn_lifter")
    graph = onnx.load(folder / "model.onnx")
    shape = onnx.numpy_helper.from_array(np.array([7, 7]), "impossible")
    graph.graph.initializer.append(shape)
    renamed = graph.graph.node[-1].output[0]
    graph.graph.node[-1].output[0] = "before"
    graph.graph.node.append(onnx.helper.make_node("Reshape", ["before", "impossible"], [renamed]))
    onnx.save(graph, folder / "model.onnx")
    reseal(folder)
    report = store.reload()
    assert list(report.failed) == ["broken/1"]
    assert "\n" not in report.failed["broken/1"]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"name": "../up"}, "up to 64 letters"),
        ({"name": "mdn_lifter", "version": "1"}, "that of mdn_lifter/1"),
        ({"graphs": {"a\nb": "model.onnx"}}, "up to 64 letters"),
        ({"graphs": {"\ud800": "\ud800"}}, "to list"),
        ({"graph": "../1/model.onnx"}, "to list"),
        ({"kind": "pose_prior"}, "encode"),
        ({"kind": "teapot"}, "teapot"),
    ],
)
def test_configs_that_mislead_are_refused(
    store: ModelStore, publish: Publish, config: dict[str, object], says: str
) -> None:
    publish("odd", "1", source="mdn_lifter", config=config)
    report = store.reload()
    assert list(report.failed) == ["odd/1"]
    assert re.search(says, report.failed["odd/1"])
    # Protocols carry UTF-8.
    assert report.failed["odd/1"].encode()
    assert store.get().version == "2"


def test_whatever_a_bundle_raises_stays_with_it(
    store: ModelStore, publish: Publish, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    load = renewal.load_served_model

    def fail_once(bundle: object, **settings: object) -> object:
        if bundle.name == "odd":  # type: ignore[attr-defined]
            raise MemoryError("a secret")
        return load(bundle, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(renewal, "load_served_model", fail_once)
    publish("odd", "1", source="mdn_lifter")
    publish("zebra", "1", source="mdn_lifter")
    report = store.reload()
    assert report.added == ("zebra/1",)
    assert "MemoryError" in report.failed["odd/1"]
    assert "secret" not in report.failed["odd/1"]
    store.reload()
    assert sum("odd/1 cannot be loaded" in record.message for record in caplog.records) == 1


def test_a_start_leaves_out_what_is_broken(store: ModelStore, repository: Path) -> None:
    half_copied(repository / "mdn_lifter" / "2")
    fresh = ModelStore(repository=repository)
    assert list(fresh.load().failed) == ["mdn_lifter/2"]
    assert fresh.get().version == "1"
    assert [row.state for row in fresh.index()] == [ModelState.READY, ModelState.UNAVAILABLE]


def test_a_start_without_any_default_model_says_why(store: ModelStore, repository: Path, publish: Publish) -> None:
    half_copied(repository / "mdn_lifter" / "1")
    half_copied(repository / "mdn_lifter" / "2")
    with pytest.raises(BundleError, match=r"mdn_lifter/1: .*; mdn_lifter/2: "):
        ModelStore(repository=repository).load()
    with pytest.raises(ModelNotFoundError, match="expected one of the repository that lifts"):
        ModelStore(repository=repository, default_model="teapot").load()
    with pytest.raises(ModelNotFoundError, match=r"holds none.*No such file"):
        ModelStore(repository=repository / "nowhere").load()


def test_links_to_bundles_are_followed_and_counted_once(repository: Path, publish: Publish, tmp_path: Path) -> None:
    publish("mdn_lifter", "1")
    (repository / "mdn_lifter" / "current").symlink_to("1")
    (repository / "alias").symlink_to("mdn_lifter")
    (repository / "mdn_lifter" / "dangling").symlink_to("nowhere")
    (repository / "mdn_lifter" / "notes.txt").write_text("no bundle")
    (repository / "docs" / "pictures").mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    publish("mdn_lifter", "2").rename(elsewhere)
    (repository / "mdn_lifter" / "2").symlink_to(elsewhere)
    scan = scan_repository(repository)
    assert list(scan.folders) == ["mdn_lifter/1", "mdn_lifter/2"]
    assert scan.problems == {}
    store = ModelStore(repository=repository)
    assert store.load().added == ("mdn_lifter/1", "mdn_lifter/2")


def test_a_link_that_is_turned_replaces_the_model(repository: Path, publish: Publish) -> None:
    """As Kubernetes does it with mounted volumes, and `ln -s` with `mv -T` by hand."""
    for edition in "ab":
        publish("mdn_lifter", "1", edition=edition).rename(repository / f".release-{edition}")
    link = repository / "mdn_lifter" / "1"
    link.symlink_to("../.release-a")
    store = ModelStore(repository=repository)
    store.load()
    (repository / ".next").symlink_to("../.release-b")
    (repository / ".next").rename(link)
    assert store.reload().replaced == ("mdn_lifter/1",)
    assert store.lifter().bundle.config["edition"] == "b"


def test_names_that_cannot_be_printed_are_reported(repository: Path, publish: Publish) -> None:
    publish("mdn_lifter", "1")
    os.mkdir(os.fsencode(repository) + b"/mdn_lifter/\xff\n")
    store = ModelStore(repository=repository)
    problems = store.load().failed
    assert list(problems) == ["mdn_lifter/\\udcff\\n"]
    assert "cannot be printed" in str(problems)
