"""A latent plane: with two coordinates all that an autoencoder knows of digits can be laid out on a page.

Points of the unit square are taken through the normal distribution's quantiles, so that each picture of the page stands
for an equal share of the prior (Kingma and Welling, 2014, figure 4).
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray

from pose_mdn.lecture.digit_vae import DigitVAE, elbo_terms, train
from pose_mdn.lecture.digits import load_digits
from pose_mdn.lecture.example import Finding, Outcome, Progress

SIDE_COUNT = 18


@dataclass(frozen=True, kw_only=True)
class LatentPlane:
    """What lies where.

    Attributes:
        pictures: (324, 8, 8) decoded, row by row from the top.
        means: (N, 2) where held-out digits are encoded.
        labels: (N,) what they show.
    """

    pictures: NDArray[np.float32]
    means: NDArray[np.float32]
    labels: NDArray[np.int64]


def plane_grid(count: int) -> NDArray[np.float32]:
    """(count^2, 2) latents, row by row from the top left, each in the middle of an equal share of the prior."""
    line = np.array([NormalDist().inv_cdf((k + 0.5) / count) for k in range(count)])
    across, up = np.meshgrid(line, line[::-1])
    return np.stack([across.ravel(), up.ravel()], axis=-1).astype(np.float32)


def run(*, seed: int, quick: bool, progress: Progress) -> Outcome:
    """Train an autoencoder with two latent coordinates and lay out its plane."""
    from pose_mdn.lecture.latent_manifold_picture import draw  # noqa: PLC0415  (it needs this module's names)

    digits = load_digits(seed=seed, limit=300 if quick else None)
    torch.manual_seed(seed)
    model = DigitVAE(num_latent=2)
    train(model, digits, steps=20 if quick else 4000, seed=seed, progress=progress, what="two latent coordinates")
    with torch.no_grad():
        reconstruction, kl = elbo_terms(model, digits.test, None, torch.Generator().manual_seed(seed))
        means = model.encode(digits.test)[0]
        nearest = torch.cdist(means, model.encode(digits.train)[0]).argmin(dim=1)
        plane = LatentPlane(
            pictures=model.pictures(torch.from_numpy(plane_grid(SIDE_COUNT))).numpy(),
            means=means.numpy(),
            labels=digits.test_labels.numpy(),
        )
    same = (digits.train_labels[nearest] == digits.test_labels).double().mean().item()
    findings = [
        Finding(
            name="elbo",
            value=(reconstruction - kl.sum(dim=-1)).mean().item(),
            meaning="evidence lower bound of held-out digits with 2 latent coordinates, nats",
            expected="below that with 16",
        ),
        Finding(
            name="same_neighbour",
            value=same,
            meaning="share of held-out digits whose nearest training digit in the plane has their label",
            expected="far above 0.1: labels gather, though never told",
        ),
    ]
    return Outcome(findings=findings, draw=lambda: draw(plane))
