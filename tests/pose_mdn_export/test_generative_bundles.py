import numpy as np
import onnxruntime
import pytest
import torch

from pose_mdn.config import CVAELifterConfig, LatentConfig, ModelConfig, PoseVAEConfig
from pose_mdn.data.actions import ACTION_CLASSES
from pose_mdn.geometry.upright import y_up_to_upright
from pose_mdn.inference import Bundle, load_lifter, load_pose_prior
from pose_mdn.models.cvae_lifter import CVAELifter
from pose_mdn.models.pose_vae import PoseVAE
from pose_mdn_export.bundle_writer import BundleDescription
from pose_mdn_export.errors import ExportMismatchError
from pose_mdn_export.generative_bundles import write_cvae_lifter_bundle, write_pose_prior_bundle
from pose_mdn_export.graph_file import compare_with_torch

LATENT = LatentConfig(latent_dim=4, width=16, num_blocks=1)


def _description(name: str) -> BundleDescription:
    return BundleDescription(name=name, version=2, licence="CC0-1.0", training_data="none", card="# small\n")


@pytest.mark.parametrize("num_labels", [0, len(ACTION_CLASSES)])
def test_a_prior_says_in_onnx_what_it_says_in_torch(standing_poses, tmp_path, num_labels):
    torch.manual_seed(0)
    model = PoseVAE(LATENT, num_labels).eval()
    real = y_up_to_upright(standing_poses.astype(np.float64))
    label = np.arange(len(real)) % num_labels if num_labels else None
    folder, differences = write_pose_prior_bundle(
        model, PoseVAEConfig(model=LATENT), 3, _description("tiny"), tmp_path, real_m=real, real_label=label
    )
    assert set(differences) == {"mean", "log_variance", "heading", "pose_m"}
    prior = load_pose_prior(folder, threads=1)
    assert prior.labels == (ACTION_CLASSES if num_labels else ())
    latent = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    weights = torch.eye(num_labels)[:5] if num_labels else None
    with torch.no_grad():
        expected = model.decode(torch.from_numpy(latent), weights).numpy()
    np.testing.assert_allclose(prior.decode(latent, label=np.arange(5) if num_labels else None), expected, atol=1e-5)
    usual = prior.score(real, label=label).usual.mean()
    assert 0.95 < usual < 1.0
    assert Bundle.open(folder).kind == "pose_prior"


def test_a_lifter_that_samples_takes_noise_of_any_number(tmp_path):
    config = CVAELifterConfig(
        condition=ModelConfig(width=16, num_blocks=1), train_condition=True, model=LATENT, num_samples=6
    )
    torch.manual_seed(0)
    model = CVAELifter(config).eval()
    folder, _ = write_cvae_lifter_bundle(model, config, 3, _description("sampler"), tmp_path)
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    assert [node.name for node in session.get_inputs()] == ["keypoints_px", "confidence", "intrinsics", "noise"]
    lifter = load_lifter(folder)
    assert (lifter.num_hypotheses, lifter.latent_dim) == (6, 4)
    people = np.random.default_rng(0).uniform(100, 900, (3, 17, 2))
    assert lifter.sampling(num_hypotheses=11).lift_arrays(people).means_m.shape == (3, 11, 17, 3)


def test_a_graph_that_says_something_else_is_not_shipped(tmp_path):
    model = PoseVAE(LATENT).eval()
    real = np.random.default_rng(0).normal(size=(9, 17, 3)) * 0.3
    folder, _ = write_pose_prior_bundle(
        model, PoseVAEConfig(model=LATENT), 3, _description("tiny"), tmp_path, real_m=real
    )
    torch.manual_seed(5)
    other = PoseVAE(LATENT).eval().decoder
    latent = {"latent": np.ones((2, 4), np.float32)}

    class Decode(torch.nn.Module):
        def forward(self, latent: torch.Tensor) -> torch.Tensor:
            return other(latent, None)

    with pytest.raises(ExportMismatchError, match="pose_m"):
        compare_with_torch(Decode(), folder / "decode.onnx", [latent], ("pose_m",), 1e-4)
