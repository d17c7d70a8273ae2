import importlib.util

import numpy as np
import pytest
import torch

from pose_mdn.distributions.evidence import estimate_evidence
from pose_mdn.errors import MissingExtraError
from pose_mdn.lecture.conditional_vae import read_by_neighbours, sample_each_label
from pose_mdn.lecture.digit_vae import DigitVAE, elbo_terms, log_weights, prior_log_weights, sample_bound, train
from pose_mdn.lecture.digits import DOTS, Digits, load_digits
from pose_mdn.lecture.example import no_progress
from pose_mdn.lecture.latent_manifold import plane_grid
from pose_mdn.lecture.naive_likelihood import _running
from pose_mdn.losses.elbo import negative_elbo


@pytest.fixture(scope="module")
def digits() -> Digits:
    return load_digits(seed=0)


def test_digits_are_counts_split_by_the_seed(digits):
    assert len(digits.train) + len(digits.test) == 1797
    assert digits.train.min() == 0
    assert digits.train.max() == DOTS
    assert torch.equal(digits.train, digits.train.round())
    assert torch.equal(digits.test, load_digits(seed=0).test)
    assert not torch.equal(digits.test, load_digits(seed=1).test)
    assert len(load_digits(seed=0, limit=50).train) == 40


def test_a_missing_scikit_learn_is_explained(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pose-mdn\[lecture\]'"):
        load_digits(seed=0)


@pytest.mark.parametrize("architecture", ["mlp", "convolutional"])
@pytest.mark.parametrize("conditional", [False, True])
def test_the_gradient_reaches_every_parameter(digits, architecture, conditional):
    torch.manual_seed(0)
    model = DigitVAE(num_latent=3, architecture=architecture, conditional=conditional)
    reconstruction, kl = elbo_terms(model, digits.train[:9], digits.train_labels[:9], torch.Generator())
    assert reconstruction.shape == (9,)
    assert kl.shape == (9, 3)
    bound = sample_bound(model, digits.train[:9], digits.train_labels[:9], torch.Generator())
    negative_elbo(*bound, beta=1.0).mean().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.parameters())
    assert model.pictures(torch.zeros(2, 3), torch.tensor([1, 2]) if conditional else None).shape == (2, 8, 8)


def test_training_raises_the_bound_and_the_bound_stays_below_the_evidence(digits):
    torch.manual_seed(0)
    model = DigitVAE(num_latent=2)
    curve = train(model, digits, steps=150, seed=0, progress=no_progress, what="test")
    assert curve.step[-1] == 150
    assert curve.test[-1] > curve.test[0] + 30
    with torch.no_grad():
        generator = torch.Generator().manual_seed(0)
        image = digits.test[3]
        reconstruction, kl = elbo_terms(model, image.expand(2000, -1), None, generator)
        elbo = (reconstruction - kl.sum(-1)).mean()
        weighted = estimate_evidence(log_weights(model, image, 20_000, generator))
        naive = estimate_evidence(prior_log_weights(model, image[None], 50_000, generator))
    # In two dimensions the prior can still be searched: both roads to log p(x) meet, above the bound.
    assert weighted.log_evidence > elbo
    assert naive.log_evidence.item() == pytest.approx(weighted.log_evidence.item(), abs=1.5)


def test_running_estimates_are_estimates_of_the_first_samples():
    weights = torch.from_numpy(np.random.default_rng(0).normal(size=(50, 2)) * 5)
    running = _running(weights, np.array([1, 7, 50]))
    for row, count in zip(running, (1, 7, 50), strict=True):
        np.testing.assert_allclose(row, estimate_evidence(weights[:count]).log_evidence)


def test_each_place_of_the_plane_has_the_same_share_of_the_prior():
    grid = plane_grid(10).reshape(10, 10, 2)
    draws = np.random.default_rng(0).standard_normal(100_000)
    nearest = np.abs(draws[:, None] - grid[0, :, 0]).argmin(axis=1)
    np.testing.assert_allclose(np.bincount(nearest) / len(draws), 0.1, atol=0.02)
    assert (np.diff(grid[:, 0, 1]) < 0).all()


def test_rows_are_labels_and_columns_are_noises():
    torch.manual_seed(0)
    model = DigitVAE(num_latent=2, conditional=True)
    with torch.no_grad():
        pictures = sample_each_label(model, 4, torch.Generator().manual_seed(0)).reshape(10, 4, 8, 8)
        noise = torch.randn((4, 2), generator=torch.Generator().manual_seed(0))
        alone = model.pictures(noise[2:3], torch.tensor([7]))
    torch.testing.assert_close(pictures[7, 2], alone[0])


def test_neighbours_read_real_digits(digits):
    read = read_by_neighbours(digits.test, digits.train, digits.train_labels)
    assert (read == digits.test_labels).double().mean() > 0.95
