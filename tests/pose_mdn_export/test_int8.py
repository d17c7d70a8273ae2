import json

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from pose_mdn.config import ModelConfig, TrainingConfig
from pose_mdn.errors import ConfigError
from pose_mdn.inference import Bundle, Lifter, find_bundle, list_bundles
from pose_mdn.inference.session import open_session
from pose_mdn.models.lifting_graph import LiftingGraph
from pose_mdn.models.mdn import MixtureDensityNetwork
from pose_mdn_export import cli, int8
from pose_mdn_export.bundle_writer import BundleDescription, write_bundle
from pose_mdn_export.errors import ExportError, ExportMismatchError
from pose_mdn_export.example_views import example_views
from pose_mdn_export.quantisation import quantise_layers
from pose_mdn_export.smoothing import FeatureRange, quantisable_layers, smoothed

MODEL = ModelConfig(width=32, num_blocks=2, num_hypotheses=2, ood_score=True)


def _graph(model: ModelConfig = MODEL) -> LiftingGraph:
    torch.manual_seed(0)
    graph = LiftingGraph(MixtureDensityNetwork(model), (1.0,) * model.num_hypotheses).eval()
    with torch.no_grad():
        for parameter in graph.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        graph.network.trunk.blocks[0].norm.weight[3] = 40.0  # an outlier, as trained networks have them
    return graph


def _views(batch: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    keypoints, confidence, intrinsics = map(torch.from_numpy, example_views(batch=batch, seed=5).values())
    return keypoints, confidence, intrinsics


def test_smoothing_changes_nothing_but_the_spread_of_features():
    graph = _graph()
    smooth, ranges = smoothed(graph, _views(64))
    with torch.no_grad():
        for left, right in zip(graph(*_views(9)), smooth(*_views(9)), strict=True):
            torch.testing.assert_close(right, left, atol=1e-4, rtol=1e-4)
    assert set(ranges) == set(quantisable_layers(graph))
    scale = smooth.network.trunk.blocks[0].norm.weight.detach()
    assert scale.abs().max() / scale.abs().median() < 20.0
    assert graph.network.trunk.blocks[0].norm.weight[3] == 40.0


def test_the_last_block_keeps_its_second_layer():
    assert set(quantisable_layers(_graph())) == {
        "network.trunk.blocks.0.first",
        "network.trunk.blocks.0.second",
        "network.trunk.blocks.1.first",
    }


def test_networks_without_layer_norm_blocks_are_refused():
    with pytest.raises(ExportError, match="without --int8"):
        quantisable_layers(_graph_without_blocks())


def _graph_without_blocks() -> LiftingGraph:
    return LiftingGraph(MixtureDensityNetwork(ModelConfig(width=8, num_blocks=0)), (1.0,) * 5)


def _product(weight: np.ndarray, bias: np.ndarray) -> onnx.ModelProto:
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "net.layer.weight", "net.layer.bias"], ["y"], transB=1)],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", weight.shape[1]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", weight.shape[0]])],
        [numpy_helper.from_array(weight, "net.layer.weight"), numpy_helper.from_array(bias, "net.layer.bias")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


@pytest.mark.parametrize("seed", range(4))
def test_quantised_products_differ_by_rounding_alone(seed, tmp_path):
    rng = np.random.default_rng(seed)
    weight, bias = rng.normal(size=(24, 16)).astype(np.float32), rng.normal(size=24).astype(np.float32)
    weight[2:4] = 0.0
    bias[3] = 0.0
    features = rng.uniform(-1.0, 3.0, size=(50, 16)).astype(np.float32)
    model = _product(weight, bias)
    limits = FeatureRange(scale=4.0 / 255, zero_point=64)
    quantise_layers(model, {"layer": limits})
    onnx.checker.check_model(model, full_check=True)
    assert {node.op_type for node in model.graph.node} == {"QuantizeLinear", "DequantizeLinear", "Gemm"}
    onnx.save(model, tmp_path / "product.onnx")
    (got,) = open_session(tmp_path / "product.onnx").run(None, {"x": features})
    # Half a step of each factor, times the other factor, summed over inputs.
    step = np.abs(weight).max(axis=1) / 63
    bound = 0.5 * limits.scale * np.abs(weight).sum(axis=1) + 0.5 * step * (np.abs(features).sum(axis=1)[:, None] + 1.0)
    assert (np.abs(got - (features @ weight.T + bias)) <= bound + 1e-4).all()


def test_a_layer_that_is_not_in_the_graph_is_an_error():
    model = _product(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
    with pytest.raises(ExportError, match="none for other"):
        quantise_layers(model, {"other": FeatureRange(scale=1.0, zero_point=0)})


@pytest.fixture(scope="module")
def exported(motion_file, tmp_path_factory):
    config, graph = TrainingConfig(model=MODEL), _graph()
    with torch.no_grad():
        graph.network.means.mean_lengths_m.fill_(0.2)
    description = BundleDescription(name="small", version=1, licence="CC0-1.0", training_data="none", card="# small\n")
    fp32, _ = write_bundle(graph, config, 1, description, tmp_path_factory.mktemp("repository"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(int8, "_CALIBRATION_VIEWS", 256)
        patch.setattr(int8, "LARGEST_LOSS_MM", 30.0)  # an untrained network of 32 features loses more
        folder, changes = int8.write_int8_bundle(graph, config, fp32, motion_file, views_per_row=20)
    return graph, config, fp32, folder, changes


def test_the_bundle_stands_beside_the_other_and_says_what_it_is(exported):
    _, _, fp32, folder, changes = exported
    assert folder == fp32.parent / "1-int8"
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in fp32.iterdir())
    bundle = Bundle.open(folder)
    assert (bundle.name, bundle.version, bundle.config["precision"]) == ("small", "1-int8", "int8")
    assert Bundle.open(fp32).config["precision"] == "fp32"
    assert bundle.config["quantised_from"] == "small/1"
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert all(f"| {row} |" in card for row in changes)
    metadata = {entry.key: entry.value for entry in onnx.load(bundle.graph_path).metadata_props}
    assert json.loads(json.dumps(dict(bundle.config)))["precision"] == metadata["precision"]


def test_it_is_found_by_its_version_and_never_taken_for_the_default(exported):
    _, _, fp32, _, _ = exported
    repository = fp32.parents[1]
    assert [bundle.version for bundle in list_bundles(repository)] == ["1-int8", "1"]
    assert find_bundle("small", repository).version == "1"
    assert find_bundle("small/1-int8", repository).version == "1-int8"


def test_it_is_plain_onnx_with_eight_bit_weights_and_smaller(exported):
    graph, _, fp32, folder, _ = exported
    model = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
    weights = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    for name in quantisable_layers(graph):
        assert weights[f"{name}.weight_quantised"] == TensorProto.INT8
        assert not any(key.endswith(f"{name}.weight") for key in weights)
    assert [value.name for value in model.graph.output] == [v.name for v in onnx.load(fp32 / "model.onnx").graph.output]


def test_it_lifts_and_answers_for_a_person_whoever_else_is_in_the_batch(exported):
    _, _, fp32, folder, _ = exported
    views = example_views(batch=20, seed=1)
    session = open_session(folder / "model.onnx")
    together = session.run(None, views)
    alone = session.run(None, {name: array[3:4] for name, array in views.items()})
    for left, right in zip(together, alone, strict=True):
        np.testing.assert_allclose(right[0], left[3], atol=1e-4, rtol=1e-4)
    lifted = [
        Lifter(Bundle.open(path), threads=1).lift_arrays(
            views["keypoints_px"], intrinsics=views["intrinsics"][0], skeleton="human36m17"
        )
        for path in (fp32, folder)
    ]
    assert np.isfinite(lifted[1].means_m).any()
    assert 0 < np.nanmax(np.abs(lifted[0].means_m - lifted[1].means_m)) < 0.2


def test_a_loss_that_is_too_large_leaves_nothing_behind(exported, motion_file, monkeypatch):
    graph, config, fp32, folder, _ = exported
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(int8, "_CALIBRATION_VIEWS", 256)
    monkeypatch.setattr(int8, "LARGEST_LOSS_MM", -1000.0)
    with pytest.raises(ExportMismatchError, match="ship the fp32 bundle"):
        int8.write_int8_bundle(graph, config, fp32, motion_file, views_per_row=20)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert sorted(path.name for path in fp32.parent.iterdir()) == ["1", "1-int8"]


def test_the_command_says_that_int8_needs_motion_data(tmp_path):
    with pytest.raises(ConfigError, match="expected --data"):
        cli.export(tmp_path, tmp_path / "models", int8=True)


def test_ranges_come_from_training_views(motion_file):
    config = TrainingConfig(model=MODEL)
    keypoints, confidence, intrinsics = int8._calibration_views(config, motion_file)
    assert keypoints.shape[1:] == (17, 2)
    assert torch.equal(intrinsics[0], torch.eye(3))
    assert ((confidence > 0).sum(dim=1) > 0).any()
