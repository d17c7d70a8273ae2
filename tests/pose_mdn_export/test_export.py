import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from pose_mdn.config import ModelConfig, TrainingConfig
from pose_mdn.inference import Bundle
from pose_mdn.models.lifting_graph import LiftedPoses, LiftingGraph
from pose_mdn.models.mdn import MixtureDensityNetwork
from pose_mdn_export import parity
from pose_mdn_export.bundle_writer import BundleDescription, write_bundle, write_card
from pose_mdn_export.errors import ExportMismatchError
from pose_mdn_export.example_views import example_views
from pose_mdn_export.signature import INPUT_NAMES, OUTPUT_NAMES, TOLERANCES, output_names

CONFIGS = {
    "default": ModelConfig(width=32, num_blocks=1, ood_score=True),
    "li_lee_2019": ModelConfig(
        width=32,
        num_blocks=1,
        view="camera",
        trunk="martinez_2017",
        head="free",
        covariance="isotropic",
        max_norm=1.0,
        ood_score=False,
    ),
}


def _graph(config: ModelConfig) -> LiftingGraph:
    torch.manual_seed(0)
    return LiftingGraph(MixtureDensityNetwork(config), (2.0,) * config.num_hypotheses).eval()


def _description() -> BundleDescription:
    return BundleDescription(name="small", version=2, licence="CC0-1.0", training_data="none", card="# small\n")


@pytest.fixture(scope="module", params=CONFIGS)
def exported(request, tmp_path_factory) -> tuple[LiftingGraph, Path, dict[str, float]]:
    graph = _graph(CONFIGS[request.param])
    config = TrainingConfig(model=CONFIGS[request.param])
    folder, differences = write_bundle(graph, config, 7, _description(), tmp_path_factory.mktemp("repository"))
    return graph, folder, differences


def test_onnx_runtime_agrees_with_torch_for_any_batch(exported):
    graph, folder, differences = exported
    names = output_names(graph)
    assert set(differences) == set(names)
    assert set(TOLERANCES) == {*OUTPUT_NAMES, "ood_score"} == set(LiftedPoses._fields)
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    for batch in (1, 2, 33, 300):
        views = example_views(batch=batch, seed=batch)
        with torch.no_grad():
            expected = graph(*map(torch.from_numpy, views.values()))
        for name, left, right in zip(names, expected, session.run(None, views), strict=False):
            assert right.dtype == np.float32
            tolerance = TOLERANCES[name]
            np.testing.assert_allclose(
                right, left.numpy(), atol=tolerance.absolute, rtol=tolerance.relative, err_msg=name
            )


@pytest.mark.parametrize("visible", [0, 1, 2])
def test_nothing_is_divided_by_zero_when_pixels_coincide(exported, visible):
    # The exporter once took additions of 1e-9 for additions of nothing.
    graph, folder, _ = exported
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    views = example_views(batch=2, seed=0)
    views["keypoints_px"][:] = 960.0
    views["confidence"][:] = np.arange(17) < visible
    with torch.no_grad():
        expected = graph(*map(torch.from_numpy, views.values()))
    got = session.run(None, views)
    assert all(np.isfinite(array).all() for array in got)
    np.testing.assert_allclose(got[OUTPUT_NAMES.index("view_rotation")], expected.view_rotation, atol=1e-6)


def test_file_is_plain_onnx_with_the_documented_signature(exported):
    graph, folder, _ = exported
    model = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert {opset.domain for opset in model.opset_import} <= {"", "ai.onnx"}
    assert [value.name for value in model.graph.input] == list(INPUT_NAMES)
    assert [value.name for value in model.graph.output] == list(output_names(graph))
    shapes = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    batch = shapes["keypoints_px"][0]
    assert isinstance(batch, str)
    assert shapes == {
        "keypoints_px": [batch, 17, 2],
        "confidence": [batch, 17],
        "intrinsics": [batch, 3, 3],
        "means_m": [batch, 5, 17, 3],
        "std_m": [batch, 5, 17, 2],
        "view_rotation": [batch, 3, 3],
        "mixing_coefficients": [batch, 5],
        "root_translation_m": [batch, 5, 3],
        "reprojection_error_px": [batch, 5],
        **({"ood_score": [batch]} if graph.network.ood is not None else {}),
    }


def test_file_says_what_it_is(exported):
    _, folder, _ = exported
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata["skeleton"] == "human36m17"
    assert json.loads(metadata["joint_names"])[0] == "pelvis"
    assert metadata["licence"] == "CC0-1.0"
    assert metadata["training_data"] == "none"
    assert str(Path(__file__).parents[2]) not in (folder / "model.onnx").read_bytes().decode("latin-1")


def test_bundle_verifies_and_notices_a_changed_card(exported):
    _, folder, _ = exported
    assert Bundle.open(folder).version == "2"
    write_card(folder, "# another card\n")
    assert Bundle.open(folder).name == "small"
    listed = dict(line.split("  ")[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert listed["README.md"] == hashlib.sha256(b"# another card\n").hexdigest()


def test_a_graph_that_differs_is_refused(exported):
    graph, folder, _ = exported
    changed = _graph(graph.network.config)
    changed.load_state_dict(graph.state_dict())
    changed.calibration.std_scale.fill_(1.5)
    with pytest.raises(ExportMismatchError, match="std_m: expected ONNX Runtime to agree"):
        parity.check_parity(changed, folder / "model.onnx")


def test_nothing_is_left_behind_when_the_comparison_fails(tmp_path, monkeypatch):
    def differ(*_: object) -> dict[str, float]:
        raise ExportMismatchError("no", output="means_m", max_abs_error=1.0, tolerance=1e-4)

    monkeypatch.setattr("pose_mdn_export.bundle_writer.check_parity", differ)
    with pytest.raises(ExportMismatchError):
        write_bundle(_graph(CONFIGS["default"]), TrainingConfig(), 1, _description(), tmp_path)
    assert list((tmp_path / "small").iterdir()) == []
