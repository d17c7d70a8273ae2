r"""Variational autoencoders of digits: two architectures, their bound while it rises, samples from the prior.

.. math:: \log p(x) \ge E_{q(z | x)} \log p(x | z) - KL(q(z | x) \,\|\, N(0, I))

A trained decoder turns noise into digits. The model is in `digit_vae`, the bound's terms are in `pose_mdn.losses.elbo`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pose_mdn.distributions.evidence import estimate_evidence
from pose_mdn.lecture.digit_vae import Architecture, DigitVAE, TrainingCurve, elbo_terms, log_weights, train
from pose_mdn.lecture.digits import DOTS, SIDE, load_digits
from pose_mdn.lecture.example import Finding, Outcome, Progress
from pose_mdn.losses.elbo import active_units

NUM_LATENT = 16


@dataclass(frozen=True, kw_only=True)
class TrainedVAE:
    """One architecture, trained.

    Attributes:
        curve: Its bound while training.
        samples: (S, 8, 8) decoded noise.
        given: (R, 8, 8) held-out digits.
        reconstructed: (R, 8, 8) decoded means of their posteriors.
    """

    curve: TrainingCurve
    samples: NDArray[np.float32]
    given: NDArray[np.float32]
    reconstructed: NDArray[np.float32]


def run(*, seed: int, quick: bool, progress: Progress) -> Outcome:
    """Train both architectures on the same digits and sample them with the same noise."""
    from pose_mdn.lecture.vae_picture import draw  # noqa: PLC0415  (it needs this module's names)

    digits = load_digits(seed=seed, limit=300 if quick else None)
    trained: dict[str, TrainedVAE] = {}
    findings: list[Finding] = []
    architectures: tuple[Architecture, ...] = ("mlp", "convolutional")
    for architecture in architectures:
        torch.manual_seed(seed)
        model = DigitVAE(num_latent=NUM_LATENT, architecture=architecture)
        curve = train(model, digits, steps=20 if quick else 3000, seed=seed, progress=progress, what=architecture)
        noise = torch.randn((120, NUM_LATENT), generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            trained[architecture] = TrainedVAE(
                curve=curve,
                samples=model.pictures(noise).numpy(),
                given=(digits.test[:20] / DOTS).reshape(-1, SIDE, SIDE).numpy(),
                reconstructed=model.pictures(model.encode(digits.test[:20])[0]).numpy(),
            )
        findings += _findings(architecture, model, digits.test, seed, samples=20 if quick else 1000)
    return Outcome(findings=findings, draw=lambda: draw(trained))


@torch.no_grad()
def _findings(architecture: str, model: DigitVAE, test: Tensor, seed: int, *, samples: int) -> list[Finding]:
    generator = torch.Generator().manual_seed(seed)
    reconstruction, kl = elbo_terms(model, test, None, generator)
    few = test[:50]
    evidence = torch.stack(
        [estimate_evidence(log_weights(model, image, samples, generator)).log_evidence for image in few]
    )
    few_terms = reconstruction[:50] - kl[:50].sum(dim=-1)
    return [
        Finding(
            name=f"{architecture}_elbo",
            value=(reconstruction - kl.sum(dim=-1)).mean().item(),
            meaning=f"{architecture}: evidence lower bound of held-out digits, nats",
            expected="rises with training",
        ),
        Finding(
            name=f"{architecture}_kl",
            value=kl.sum(dim=-1).mean().item(),
            meaning="of it, divergence from the prior, nats",
            expected="above 0: the latents say something",
        ),
        Finding(
            name=f"{architecture}_gap",
            value=(evidence - few_terms).mean().item(),
            meaning=f"the {samples}-sample bound above the one-sample one, nats",
            expected="above 0: more samples, tighter bound",
        ),
        Finding(
            name=f"{architecture}_active",
            value=active_units(model.encode(test)[0]),
            meaning=f"latent coordinates in use, of {NUM_LATENT}",
            expected="most",
        ),
    ]


def stacked(trained: Mapping[str, TrainedVAE], columns: int) -> NDArray[np.float32]:
    """Held-out digits, under each row of them what every architecture makes of it; for a grid of so many columns."""
    models = list(trained.values())
    rows = []
    for start in range(0, len(models[0].given), columns):
        part = slice(start, start + columns)
        rows += [models[0].given[part], *(model.reconstructed[part] for model in models)]
    return np.concatenate(rows)
