"""A bundle is opened once and is warm for every batch that will come."""

import gc
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from pose_mdn.errors import BundleError
from pose_mdn.inference import Lifter, find_bundle
from pose_mdn.inference.bundle import Bundle
from pose_mdn.poses.keypoints import FloatArray
from pose_mdn_server.models.graph import Graph
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.models.served_model import load_served_model

Publish = Callable[..., Path]


class Counted(onnxruntime.InferenceSession):  # type: ignore[misc]
    """A session that remembers which batches it has run."""

    opened = 0

    def __init__(self, *arguments: object, **settings: object) -> None:
        super().__init__(*arguments, **settings)
        type(self).opened += 1
        self.shapes: list[tuple[int, ...]] = []

    def run(self, outputs: list[str], feed: dict[str, np.ndarray]) -> object:
        self.shapes.append(next(array.shape for name, array in feed.items() if name != "label"))
        return super().run(outputs, feed)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> type[Counted]:
    monkeypatch.setattr(onnxruntime, "InferenceSession", Counted)
    monkeypatch.setattr(Counted, "opened", 0)
    return Counted


@pytest.mark.parametrize(("name", "graphs"), [("mdn_lifter", 1), ("cvae_lifter", 1), ("pose_vae", 2), ("pose_cvae", 2)])
def test_a_bundle_is_opened_once_for_all_its_uses(counted: type[Counted], name: str, graphs: int) -> None:
    model = load_served_model(find_bundle(name), threads=1, batch_sizes=(1,))
    assert counted.opened == graphs
    assert len(model.graphs) == graphs
    assert (model.lifter is None) == (model.prior is not None)


def test_lifter_and_graph_give_the_same_numbers(people: FloatArray) -> None:
    model = load_served_model(find_bundle("mdn_lifter"), threads=1, batch_sizes=(1,))
    assert model.lifter is not None
    lifted = model.lifter.lift_arrays(people)
    feed = {
        "keypoints_px": lifted.keypoints_px,
        "confidence": lifted.confidence,
        "intrinsics": np.asarray(lifted.intrinsics, np.float32),
    }
    (means,) = model.graphs[0].run(feed, ["means_m"])
    np.testing.assert_allclose(means, lifted.means_m, rtol=1e-5, atol=1e-5)


def test_every_batch_size_is_run_before_a_model_serves(counted: type[Counted]) -> None:
    sizes = (1, 2, 8, 64)
    lifter = load_served_model(find_bundle("mdn_lifter"), threads=1, batch_sizes=sizes)
    assert {shape[0] for shape in lifter.graphs[0]._session.shapes} == set(sizes)
    prior = load_served_model(find_bundle("pose_vae"), threads=1, batch_sizes=sizes)
    for graph in prior.graphs:
        assert {shape[0] for shape in graph._session.shapes} >= set(sizes)


def test_lifters_that_sample_are_run_at_their_own_number_of_samples(
    counted: type[Counted], monkeypatch: pytest.MonkeyPatch
) -> None:
    noise: set[tuple[int, ...]] = set()
    run = Counted.run

    def remember(session: Counted, outputs: list[str], feed: dict[str, np.ndarray]) -> object:
        noise.add(feed["noise"].shape[:2])
        return run(session, outputs, feed)

    def remember_bound(lifter: Lifter, feed: dict[str, np.ndarray], columns: dict[str, np.ndarray]) -> object:
        noise.add(feed["noise"].shape[:2])
        return run_into(lifter, feed, columns)

    run_into = Lifter._run_into
    monkeypatch.setattr(Counted, "run", remember)
    monkeypatch.setattr(Lifter, "_run_into", remember_bound)
    model = load_served_model(find_bundle("cvae_lifter"), threads=1, batch_sizes=(1, 4))
    assert model.lifter is not None
    samples = model.lifter.num_hypotheses
    assert noise == {(1, 1), (4, 1), (1, samples), (4, samples)}


def small_graph(folder: Path, shape: list[int | str], kind: int = TensorProto.FLOAT) -> Bundle:
    (folder / "config.json").write_text(json.dumps({}))
    ends = [helper.make_tensor_value_info(name, kind, shape) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", ends[:1], ends[1:])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), folder / "model.onnx"
    )
    return Bundle(name="small", version="1", path=folder, config={})


@pytest.mark.parametrize(
    ("shape", "is_free", "ran"),
    [
        (["batch", 3], True, [(1, 3), (5, 3)]),
        ([2, 3], False, [(2, 3)]),
        ([2, "length"], False, [(2, 1)]),
        ([], False, [()]),
    ],
)
def test_a_fixed_batch_is_run_as_it_is(
    tmp_path: Path, counted: type[Counted], shape: list[int | str], is_free: bool, ran: list[tuple[int, ...]]
) -> None:
    graph = Graph(small_graph(tmp_path, shape))
    assert graph.batch_is_free is is_free
    graph.warm_up((1, 5))
    assert graph._session.shapes == ran


def test_a_graph_of_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"got x of tensor\(string\)"):
        Graph(small_graph(tmp_path, ["batch"], TensorProto.STRING))


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def test_reloads_do_not_pile_up_memory(repository: Path, publish: Publish) -> None:
    publish("mdn_lifter", "1")
    store = ModelStore(repository=repository)
    store.load()

    def turn(edition: str) -> None:
        publish("mdn_lifter", "1", edition=edition)
        assert store.reload().replaced == ("mdn_lifter/1",)

    for edition in "abcd":
        turn(edition * 2)
    gc.collect()
    before = resident_mb()
    for edition in range(12):
        turn(str(edition))
    # A model is 6 MB of weights; twelve that stayed would be more than 70.
    assert resident_mb() - before < 30
