import math

import numpy as np
import pytest
import torch

from pose_mdn.config import LatentConfig
from pose_mdn.data.cameras import mirror
from pose_mdn.geometry.upright import turn, turn_to_face, y_up_to_upright
from pose_mdn.losses.elbo import active_units, negative_elbo
from pose_mdn.metrics.bodies import worst_asymmetry_mm
from pose_mdn.models.latent_networks import Posterior
from pose_mdn.models.pose_vae import DecodeGraph, EncodeGraph, PoseVAE

SMALL = LatentConfig(latent_dim=5, width=16, num_blocks=1)


@pytest.fixture
def model() -> PoseVAE:
    torch.manual_seed(0)
    return PoseVAE(SMALL, num_labels=3).eval()


@pytest.fixture
def poses(standing_poses) -> torch.Tensor:
    return turn_to_face(y_up_to_upright(torch.from_numpy(standing_poses)))


def _labels(count: int) -> torch.Tensor:
    return torch.eye(3)[torch.arange(count) % 3]


def test_decoded_bodies_are_symmetric_and_begin_at_the_pelvis(model):
    pose = model.decode(3.0 * torch.randn(64, 5), _labels(64))
    assert worst_asymmetry_mm(pose.detach()).max() < 1e-3
    assert (pose[:, 0] == 0).all()


def test_a_heading_changes_only_what_is_said_of_it(model, poses):
    graph, label = EncodeGraph(model), _labels(len(poses))
    angle = torch.full((len(poses),), 2.0)
    plain, turned = graph(poses, label), graph(turn(poses, angle.cos(), angle.sin()) + 1.0, label)
    for one, other in zip(plain[:2], turned[:2], strict=True):
        torch.testing.assert_close(one, other, atol=2e-4, rtol=1e-3)
    torch.testing.assert_close(torch.atan2(turned[2][:, 1], turned[2][:, 0]), angle)


def test_every_parameter_learns(model, poses):
    label = _labels(len(poses))
    posterior = model.encode(poses, label)
    decoded = model.decode(posterior.sample(torch.randn_like(posterior.mean)), label)
    negative_elbo(model.log_likelihood(poses, decoded), *posterior, beta=1.0).mean().backward()
    without = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert not without


def test_labels_matter(model):
    latent = torch.zeros(3, 5)
    pose = DecodeGraph(model)(latent, torch.eye(3))
    assert (pose[0] - pose[1]).abs().max() > 1e-3


def test_a_sample_is_mean_plus_std_times_noise():
    posterior = Posterior(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, math.log(4.0)]]))
    torch.testing.assert_close(posterior.sample(torch.tensor([[1.0, -1.0]])), torch.tensor([[2.0, 0.0]]))


def test_the_bound_is_below_the_evidence():
    """For x = z + noise of std s, log p(x) is known, and the bound reaches it at the true posterior alone."""
    x, s = 0.7, 0.5
    evidence = torch.distributions.Normal(0.0, math.sqrt(1 + s * s)).log_prob(torch.tensor(x))

    def bound(mean: float, variance: float) -> float:
        posterior = (torch.tensor([[mean]]), torch.tensor([[math.log(variance)]]))
        expected = torch.tensor([-0.5 * math.log(2 * math.pi * s * s) - ((x - mean) ** 2 + variance) / (2 * s * s)])
        return -float(negative_elbo(expected, *posterior, beta=1.0))

    variance = s * s / (1 + s * s)
    assert bound(x / (1 + s * s), variance) == pytest.approx(float(evidence), abs=1e-5)
    assert bound(0.2, variance) < float(evidence) > bound(x / (1 + s * s), 2 * variance)


def test_units_that_never_move_are_not_active():
    mean = torch.from_numpy(np.random.default_rng(0).normal(size=(100, 4)) * [1.0, 0.5, 0.01, 0.0])
    assert active_units(mean) == 2


def test_mirroring_a_pose_that_faces_keeps_it_facing(poses):
    mirrored = turn_to_face(mirror(poses))
    torch.testing.assert_close(mirrored, mirror(poses), atol=1e-5, rtol=0)
