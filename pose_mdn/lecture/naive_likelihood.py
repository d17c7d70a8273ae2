r"""Why p(x) is not estimated with samples from the prior.

.. math:: p(x) = \int p(x | z) p(z) dz \approx \frac1K \sum_k p(x | z_k), \qquad z_k \sim p(z)

is unbiased and useless: nearly no z of the prior explains a given x, so all but a few terms are nothing, and the
estimate stays far below until a sample happens to come near. About exp KL(p(z | x) || p(z)) samples are needed
(Chatterjee and Diaconis, "The sample size required in importance sampling", Annals of Applied Probability 2018).
Samples of the encoder's q(z | x), a little widened and with weights that make up for it, come near at once.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pose_mdn.distributions.evidence import EvidenceEstimate, estimate_evidence
from pose_mdn.lecture.digit_vae import DigitVAE, elbo_terms, log_weights, prior_log_weights, train
from pose_mdn.lecture.digits import DOTS, SIDE, load_digits
from pose_mdn.lecture.example import Finding, Outcome, Progress
from pose_mdn.lecture.vae import NUM_LATENT

_SHOWN = 3
_DIGITS = 6
_REPEATS = 5
_WIDENING = 1.5


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """Estimates of log p(x) by number of samples.

    Attributes:
        counts: (C,) numbers of samples, from 1.
        naive: (R, C, D) estimates with samples of the prior, R times anew, for D digits.
        weighted: (R, C', D) with samples of the encoder; C' <= C, for as many counts as were affordable.
        prior_terms: (K,) log p(x | z_k) of the first digit under samples of the prior.
        encoder_terms: (K',) the same under samples of the encoder.
        digits: (D, 8, 8) the digits.
        nearest: (D, B, 8, 8) the likeliest picture among 10, 1000, ... samples of the prior.
    """

    counts: NDArray[np.int64]
    naive: NDArray[np.float64]
    weighted: NDArray[np.float64]
    prior_terms: NDArray[np.float64]
    encoder_terms: NDArray[np.float64]
    digits: NDArray[np.float32]
    nearest: NDArray[np.float32]


def run(*, seed: int, quick: bool, progress: Progress) -> Outcome:
    """Estimate log p(x) of held-out digits with more and more samples, from the prior and from the encoder."""
    from pose_mdn.lecture.naive_likelihood_picture import draw  # noqa: PLC0415  (it needs this module's names)

    digits = load_digits(seed=seed, limit=300 if quick else None)
    torch.manual_seed(seed)
    model = DigitVAE(num_latent=NUM_LATENT)
    train(model, digits, steps=20 if quick else 3000, seed=seed, progress=progress, what="autoencoder")
    most, few = (1000, 100) if quick else (100_000, 1000)
    generator = torch.Generator().manual_seed(seed)
    images = digits.test[:_DIGITS]
    naive, weighted = [], []
    for repeat in range(_REPEATS):
        naive.append(prior_log_weights(model, images, most, generator))
        each = [log_weights(model, image, few, generator, widening=_WIDENING) for image in images]
        weighted.append(torch.stack(each, dim=1))
        progress("samples", repeat + 1, _REPEATS)
    counts = np.unique(np.round(10 ** np.linspace(0, math.log10(most), 41)).astype(np.int64))
    estimates = Estimates(
        counts=counts,
        naive=np.stack([_running(each, counts) for each in naive]),
        weighted=np.stack([_running(each, counts[counts <= few]) for each in weighted]),
        prior_terms=naive[0][:, 0].double().numpy(),
        encoder_terms=_encoder_terms(model, images[0], few, generator),
        digits=(images / DOTS).reshape(-1, SIDE, SIDE).numpy(),
        nearest=_nearest(model, images[:_SHOWN], most, generator),
    )
    return Outcome(
        findings=_findings(
            model, images, estimate_evidence(naive[0]), estimate_evidence(weighted[0]), most=most, few=few
        ),
        draw=lambda: draw(estimates),
    )


def _running(weights: Tensor, counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(C, D) estimates from the first samples of (K, D) log-weights."""
    sums = torch.logcumsumexp(weights.double(), dim=0).numpy()
    return np.asarray(sums[counts - 1] - np.log(counts)[:, None])


@torch.no_grad()
def _encoder_terms(model: DigitVAE, image: Tensor, count: int, generator: torch.Generator) -> NDArray[np.float64]:
    reconstruction, _ = elbo_terms(model, image.expand(count, -1), None, generator)
    return reconstruction.double().numpy()


@torch.no_grad()
def _nearest(model: DigitVAE, images: Tensor, most: int, generator: torch.Generator) -> NDArray[np.float32]:
    state = generator.get_state()
    weights = prior_log_weights(model, images, most, generator)
    generator.set_state(state)
    latent = torch.randn((most, model.num_latent), generator=generator)
    best = [latent[weights[:count].argmax(dim=0)] for count in (10, 1000, 100_000)]
    return torch.stack([model.pictures(each) for each in best], dim=1).numpy()


@torch.no_grad()
def _findings(
    model: DigitVAE, images: Tensor, naive: EvidenceEstimate, weighted: EvidenceEstimate, *, most: int, few: int
) -> list[Finding]:
    kl = elbo_terms(model, images, None, torch.Generator().manual_seed(0))[1].sum(dim=-1)
    return [
        Finding(
            name="weighted",
            value=weighted.log_evidence.mean().item(),
            meaning=f"log p(x) with {few} samples of the widened encoder, mean of {_DIGITS} digits, nats",
            expected="a little below the truth",
        ),
        Finding(
            name="weighted_error",
            value=weighted.standard_error.max().item(),
            meaning="its largest standard error, nats",
            expected="small beside the next line",
        ),
        Finding(
            name="shortfall",
            value=(weighted.log_evidence - naive.log_evidence).mean().item(),
            meaning=f"nats that {most} samples of the prior fall short of it, if not more",
            expected="many",
        ),
        Finding(
            name="effective_naive",
            value=naive.effective_samples.median().item(),
            meaning="of which effective, median",
            expected="next to none",
        ),
        Finding(
            name="effective_weighted",
            value=weighted.effective_samples.median().item(),
            meaning=f"effective samples of the encoder's {few}, median",
            expected="more, if not many: q is not quite the posterior",
        ),
        Finding(
            name="needed",
            value=kl.mean().item() / math.log(10.0),
            meaning="power of 10 of the samples of the prior that one digit needs: KL / ln 10",
            expected="hopeless",
        ),
    ]
