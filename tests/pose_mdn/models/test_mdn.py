import pytest
import torch

from pose_mdn.config import ModelConfig, load_preset
from pose_mdn.geometry.kinematics import bone_classes, bone_directions_and_lengths
from pose_mdn.models.mdn import MixtureDensityNetwork, count_parameters
from pose_mdn.models.trunk import MaxNormLinear
from pose_mdn.skeletons import HUMAN36M17

CONFIGS = {
    "default": ModelConfig(width=32),
    "free": ModelConfig(width=32, head="free", covariance="isotropic"),
    "li_lee_2019": load_preset("li_lee_2019").model,
}


def _views(batch: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return (
        torch.randn(batch, 17, 2, generator=generator),
        torch.ones(batch, 17),
        torch.randn(batch, generator=generator),
    )


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_prediction_is_a_mixture_over_root_relative_poses(config):
    network = MixtureDensityNetwork(config).eval()
    prediction = network(*_views())
    assert prediction.means_m.shape == (4, config.num_hypotheses, 17, 3)
    assert prediction.std_m.shape == (4, config.num_hypotheses, 17, 2)
    torch.testing.assert_close(prediction.log_mixing_coefficients.exp().sum(-1), torch.ones(4))
    assert (prediction.means_m[:, :, 0] == 0).all()
    assert (prediction.std_m[:, :, 0] == 0).all()
    assert (prediction.std_m[:, :, 1:] > 0).all()


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_gradient_reaches_every_parameter(config):
    network = MixtureDensityNetwork(config)
    prediction = network(*_views(8))
    score = prediction.distribution().log_prob(torch.randn(8, 48)).sum()
    if prediction.ood_logit is not None:
        score = score + prediction.ood_logit.sum()
    score.backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []


def test_li_lee_2019_has_the_published_number_of_parameters():
    assert count_parameters(MixtureDensityNetwork(load_preset("li_lee_2019").model)) == 4_498_682


def test_isotropic_covariance_is_one_number_per_hypothesis():
    network = MixtureDensityNetwork(CONFIGS["free"]).eval()
    std = network(*_views()).std_m[:, :, 1:]
    torch.testing.assert_close(std, std[:, :, :1, :1].expand_as(std))


def test_kinematic_bodies_have_symmetric_bones_shared_by_all_hypotheses():
    means = MixtureDensityNetwork(CONFIGS["default"]).eval()(*_views()).means_m
    _, lengths = bone_directions_and_lengths(means, HUMAN36M17)
    _, index = bone_classes(HUMAN36M17)
    for bone, cls in enumerate(index):
        first = index.index(cls)
        torch.testing.assert_close(lengths[..., bone], lengths[..., first], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(lengths, lengths[:, :1].expand_as(lengths), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_values_of_missing_joints_are_not_seen(config):
    network = MixtureDensityNetwork(config).eval()
    points, confidence, log_radius = _views()
    confidence[:, 3] = 0.0
    spoiled = points.clone()
    spoiled[:, 3] = 1e4
    torch.testing.assert_close(
        network(points, confidence, log_radius).means_m, network(spoiled, confidence, log_radius).means_m
    )


def test_max_norm_bounds_the_whole_matrix_in_the_forward_pass():
    layer = MaxNormLinear(8, 8, max_norm=1.0)
    with torch.no_grad():
        layer.weight.mul_(100.0)
        layer.bias.zero_()
    effective = layer(torch.eye(8)).T
    assert effective.detach().norm().item() == pytest.approx(1.0, rel=1e-5)
    with torch.no_grad():
        layer.weight.mul_(1e-4)
    torch.testing.assert_close(layer(torch.eye(8)).T, layer.weight)


def test_people_beyond_the_distances_of_training_are_seen_as_from_the_furthest():
    network = MixtureDensityNetwork(CONFIGS["default"]).eval()
    points, confidence, log_radius = _views()
    network.standardization.log_radius_range.copy_(torch.tensor([-3.0, -1.0]))
    far, further = (network(points, confidence, torch.full_like(log_radius, value)) for value in (-3.0, -6.0))
    torch.testing.assert_close(far.means_m, further.means_m)
    nearer = network(points, confidence, torch.full_like(log_radius, -2.0))
    assert not torch.allclose(far.means_m, nearer.means_m)
