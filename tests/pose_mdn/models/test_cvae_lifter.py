import numpy as np
import pytest
import torch

from pose_mdn.config import CVAELifterConfig, LatentConfig, ModelConfig
from pose_mdn.metrics.bodies import worst_asymmetry_mm
from pose_mdn.models.cvae_lifter import CVAELifter, ranking_energy

CONFIG = CVAELifterConfig(
    condition=ModelConfig(width=16, num_blocks=1),
    train_condition=True,
    model=LatentConfig(latent_dim=4, width=16, num_blocks=1),
    num_samples=6,
)


@pytest.fixture
def model() -> CVAELifter:
    torch.manual_seed(0)
    return CVAELifter(CONFIG).eval()


@pytest.fixture
def views() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    pixels = torch.from_numpy(rng.uniform(200, 800, (7, 17, 2)).astype(np.float32))
    confidence = torch.ones(7, 17)
    confidence[0, 3] = 0.0
    pixels[0, 3] = float("nan")
    intrinsics = torch.tensor([[1000.0, 0.0, 500.0], [0.0, 1000.0, 500.0], [0.0, 0.0, 1.0]]).expand(7, 3, 3)
    return pixels, confidence, intrinsics


def test_each_noise_vector_gives_one_possible_body(model, views):
    lifted = model(*views, torch.randn(7, 6, 4))
    assert lifted.means_m.shape == (7, 6, 17, 3)
    assert worst_asymmetry_mm(lifted.means_m.detach()).max() < 1e-3
    assert torch.isfinite(lifted.means_m).all()
    torch.testing.assert_close(lifted.mixing_coefficients.sum(1), torch.ones(7))


def test_samples_do_not_influence_each_other(model, views):
    noise = torch.randn(7, 6, 4)
    whole, part = model(*views, noise), model(*views, noise[:, 2:4])
    torch.testing.assert_close(whole.means_m[:, 2:4], part.means_m, atol=1e-5, rtol=0)
    ratio = whole.mixing_coefficients[:, 2] / whole.mixing_coefficients[:, 3]
    torch.testing.assert_close(ratio, part.mixing_coefficients[:, 0] / part.mixing_coefficients[:, 1])


def test_a_missing_joint_says_nothing(model, views):
    pixels, confidence, intrinsics = views
    noise = torch.randn(7, 3, 4)
    moved = pixels.clone()
    moved[0, 3] = 123.0
    torch.testing.assert_close(
        model(pixels, confidence, intrinsics, noise).means_m, model(moved, confidence, intrinsics, noise).means_m
    )


def test_what_is_likely_and_explains_the_picture_ranks_first():
    noise = torch.tensor([[[0.0], [1.0], [0.0]]])
    misfit = torch.tensor([[0.1, 0.1, 0.3]])
    assert ranking_energy(noise, misfit, torch.tensor([1.0, 0.4])).argsort().tolist() == [[0, 2, 1]]
    assert ranking_energy(noise, misfit, torch.tensor([0.0, 0.4])).argmax() == 2
