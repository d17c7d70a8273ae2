r"""A conditional variational autoencoder: the label says which digit, the latents say how it is written.

.. math:: \log p(x | c) \ge E_{q(z | x, c)} \log p(x | z, c) - KL(q(z | x, c) \,\|\, N(0, I))

Sohn, Lee and Yan, "Learning structured output representation using deep conditional generative models", NeurIPS 2015.
The same noise under each label gives ten digits in one hand. Whether they show what was asked is judged by nearest
neighbours among real digits.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pose_mdn.lecture.digit_vae import DigitVAE, elbo_terms, train
from pose_mdn.lecture.digits import DOTS, NUM_LABELS, Digits, load_digits
from pose_mdn.lecture.example import Finding, Outcome, Progress

NUM_LATENT = 16
BETAS = (1.0, 2.0)
"""Weights of the divergence; the picture is of the last."""
_COLUMNS = 20
_JUDGED = 100
_NEIGHBOURS = 5


@dataclass(frozen=True, kw_only=True)
class DigitsOnDemand:
    """Sampled digits.

    Attributes:
        pictures: (10 * columns, 8, 8) one row for each label, one column for each noise.
        columns: How many.
    """

    pictures: NDArray[np.float32]
    columns: int


def read_by_neighbours(images: Tensor, known: Tensor, labels: Tensor, neighbours: int = _NEIGHBOURS) -> Tensor:
    """(B,) the label that most of the nearest known pictures have; (B, D) images against (N, D) known ones."""
    nearest = torch.cdist(images, known).topk(neighbours, largest=False).indices
    return labels[nearest].mode(dim=1).values


def run(*, seed: int, quick: bool, progress: Progress) -> Outcome:
    """Train with labels and two weights of the divergence, sample each label with the same noise, have samples read."""
    from pose_mdn.lecture.conditional_vae_picture import draw  # noqa: PLC0415  (it needs this module's names)

    digits = load_digits(seed=seed, limit=300 if quick else None)
    steps = 20 if quick else 3000
    findings: list[Finding] = []
    for beta in BETAS:
        torch.manual_seed(seed)
        model = DigitVAE(num_latent=NUM_LATENT, conditional=True)
        train(model, digits, steps=steps, seed=seed, progress=progress, what=f"beta {beta:g}", beta=beta)
        findings += _findings(model, digits, seed, beta)
    with torch.no_grad():
        pictures = sample_each_label(model, _COLUMNS, torch.Generator().manual_seed(seed)).numpy()
    return Outcome(
        findings=[*findings, _real_digits_read(digits)],
        draw=lambda: draw(DigitsOnDemand(pictures=pictures, columns=_COLUMNS)),
    )


@torch.no_grad()
def _findings(model: DigitVAE, digits: Digits, seed: int, beta: float) -> list[Finding]:
    generator = torch.Generator().manual_seed(seed)
    reconstruction, kl = elbo_terms(model, digits.test, digits.test_labels, generator)
    judged = sample_each_label(model, _JUDGED, generator).flatten(1)
    read = read_by_neighbours(judged, digits.train / DOTS, digits.train_labels)
    asked = torch.arange(NUM_LABELS).repeat_interleave(_JUDGED)
    weak = beta == 1.0
    return [
        Finding(
            name=f"elbo_beta_{beta:g}",
            value=(reconstruction - kl.sum(dim=-1)).mean().item(),
            meaning=f"β = {beta:g}: evidence lower bound of held-out digits given their labels, nats",
            expected="above that without labels" if weak else "lower: the bound is not what was trained",
        ),
        Finding(
            name=f"kl_beta_{beta:g}",
            value=kl.sum(dim=-1).mean().item(),
            meaning="of it, divergence from the prior, nats",
            expected="smaller: the latents need not say which digit" if weak else "smaller still",
        ),
        Finding(
            name=f"read_beta_{beta:g}",
            value=(read == asked).double().mean().item(),
            meaning="share of samples that nearest neighbours read as the label asked for",
            expected="most" if weak else "more: fewer places of the prior are empty",
        ),
    ]


def _real_digits_read(digits: Digits) -> Finding:
    read = read_by_neighbours(digits.test / DOTS, digits.train / DOTS, digits.train_labels)
    return Finding(
        name="real_read",
        value=(read == digits.test_labels).double().mean().item(),
        meaning="share of real held-out digits that they read rightly",
        expected="near 1",
    )


def sample_each_label(model: DigitVAE, columns: int, generator: torch.Generator) -> Tensor:
    """(10 * columns, 8, 8) pictures, label by label, each label under the same noise."""
    noise = torch.randn((columns, model.num_latent), generator=generator)
    labels = torch.arange(NUM_LABELS).repeat_interleave(columns)
    return model.pictures(noise.repeat(NUM_LABELS, 1), labels)
