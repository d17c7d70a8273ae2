r"""A variational autoencoder of digits, with or without their label as a condition.

.. math:: z \sim N(0, I), \qquad x_d | z, c \sim \mathrm{Binomial}(16, \mathrm{sigmoid}(f_d(z, c)))

.. math:: q(z | x, c) = N(\mu(x, c), \mathrm{diag}\, \sigma^2(x, c))

f, mu and sigma are networks; c is the label in a conditional autoencoder (Sohn, Lee and Yan, NeurIPS 2015) and absent
else. Of 16 dots a pixel counts the dark ones, so the likelihood is a probability of pictures as they are. They are
trained together on the evidence lower bound; the terms of it are in `pose_mdn.losses.elbo`.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from pose_mdn.distributions.diagonal_normal import kl_from_standard_normal, log_density
from pose_mdn.lecture.digits import DOTS, NUM_LABELS, SIDE, Digits
from pose_mdn.lecture.example import Progress
from pose_mdn.lecture.mixture_network import minimize
from pose_mdn.losses.elbo import binomial_log_likelihood, negative_elbo, reparameterize

Architecture = Literal["mlp", "convolutional"]

_WIDTH = 256
_CHANNELS = 32
_PIXELS = SIDE * SIDE
_BATCH = 128
_CURVE_POINTS = 60


class DigitVAE(nn.Module):
    """Encoder and decoder.

    Args:
        num_latent: Z.
        architecture: Fully connected layers, or convolutions down to 2 x 2 and up again.
        conditional: Whether both are told the label.
    """

    def __init__(self, *, num_latent: int, architecture: Architecture = "mlp", conditional: bool = False) -> None:
        super().__init__()
        self.num_latent = num_latent
        self.num_conditions = NUM_LABELS if conditional else 0
        encoder, decoder = (_mlp if architecture == "mlp" else _convolutional)()
        features = _WIDTH
        self.encoder = encoder
        self.posterior = nn.Linear(features + self.num_conditions, 2 * num_latent)
        self.inlet = nn.Linear(num_latent + self.num_conditions, features)
        self.decoder = decoder

    def encode(self, images: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(B, 64) counts to (B, Z) mean and log-variance of q(z | x)."""
        features = self._with_condition(self.encoder(images / DOTS), labels)
        mean, log_variance = self.posterior(features).chunk(2, dim=-1)
        return mean, log_variance

    def decode(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        """(B, Z) latents to (B, 64) log-odds of a dark dot."""
        return self.decoder(functional.relu(self.inlet(self._with_condition(latent, labels))))

    def pictures(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        """(B, 8, 8) expected share of dark dots."""
        return torch.sigmoid(self.decode(latent, labels)).reshape(-1, SIDE, SIDE)

    def _with_condition(self, features: Tensor, labels: Tensor | None) -> Tensor:
        if not self.num_conditions:
            return features
        assert labels is not None
        return torch.cat([features, functional.one_hot(labels, NUM_LABELS).to(features.dtype)], dim=-1)


@dataclass(frozen=True, kw_only=True)
class TrainingCurve:
    """The bound while it was raised, nats per picture.

    Attributes:
        step: When it was measured.
        train: Evidence lower bound of training pictures.
        test: Of held-out pictures.
        test_kl: Their divergence from the prior.
    """

    step: list[int]
    train: list[float]
    test: list[float]
    test_kl: list[float]


def sample_bound(
    model: DigitVAE, images: Tensor, labels: Tensor | None, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """What `negative_elbo` takes: (B,) log p(x | z) at one sample of q, and (B, Z) means and log-variances of q."""
    mean, log_variance = model.encode(images, labels)
    latent = reparameterize(mean, log_variance, torch.randn(mean.shape, generator=generator))
    return binomial_log_likelihood(model.decode(latent, labels), images, trials=DOTS), mean, log_variance


def elbo_terms(
    model: DigitVAE, images: Tensor, labels: Tensor | None, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The bound's two terms: (B,) reconstruction at one sample of q, and (B, Z) divergences."""
    reconstruction, mean, log_variance = sample_bound(model, images, labels, generator)
    return reconstruction, kl_from_standard_normal(mean, log_variance)


@torch.no_grad()
def log_weights(
    model: DigitVAE, image: Tensor, samples: int, generator: torch.Generator, *, widening: float = 1.0
) -> Tensor:
    """Importance weights of samples of the encoder's q(z | x), for `estimate_evidence`.

    Args:
        model: Without a condition.
        image: (64,) one picture.
        samples: K.
        generator: Of the noise.
        widening: What to multiply q's standard deviations by, up to the prior's 1. The bound makes q lie within the
            true posterior, but weights can only make up for places that samples reach.

    Returns:
        (K,) log p(x | z_k) + log p(z_k) - log q(z_k | x), q being the widened one.
    """
    mean, log_variance = model.encode(image[None])
    widened = (log_variance + 2.0 * math.log(widening)).clamp(max=0.0)
    log_variance = torch.maximum(log_variance, widened)
    latent = reparameterize(mean, log_variance, torch.randn((samples, model.num_latent), generator=generator))
    likelihood = binomial_log_likelihood(model.decode(latent), image, trials=DOTS)
    prior = log_density(latent, torch.zeros(1), torch.zeros(1))
    return likelihood + prior - log_density(latent, mean, log_variance)


@torch.no_grad()
def prior_log_weights(model: DigitVAE, images: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    """(K, B) log p(x | z_k) of samples of the prior, the same ones for all (B, 64) pictures."""
    logits = model.decode(torch.randn((samples, model.num_latent), generator=generator))
    return torch.stack([binomial_log_likelihood(logits, image, trials=DOTS) for image in images], dim=1)


def train(
    model: DigitVAE, digits: Digits, *, steps: int, seed: int, progress: Progress, what: str, beta: float = 1.0
) -> TrainingCurve:
    """Raise the bound on random batches of the training part.

    Args:
        model: Changed in place.
        digits: Pictures to learn from, and held-out ones to watch the bound on.
        steps: Batches.
        seed: Of the batches and of the samples of q.
        progress: Told after every step.
        what: Name of the work, for those who watch.
        beta: Weight of the divergence; see `negative_elbo`. The curve is of the bound itself, whatever the weight.
    """
    generator = torch.Generator().manual_seed(seed)
    curve = TrainingCurve(step=[], train=[], test=[], test_kl=[])
    every = max(1, steps // _CURVE_POINTS)

    def loss() -> Tensor:
        chosen = torch.randint(len(digits.train), (_BATCH,), generator=generator)
        bound = sample_bound(model, digits.train[chosen], digits.train_labels[chosen], generator)
        return negative_elbo(*bound, beta=beta).mean()

    def watch(text: str, done: int, total: int) -> None:
        if done % every == 0 or done == total:
            _measure(model, digits, done, curve, generator)
        progress(text, done, total)

    minimize(loss, model.parameters(), steps=steps, learning_rate=2e-3, progress=watch, what=what)
    model.eval()
    return curve


@torch.no_grad()
def _measure(model: DigitVAE, digits: Digits, step: int, curve: TrainingCurve, generator: torch.Generator) -> None:
    few = slice(len(digits.test))
    reconstruction, kl = elbo_terms(model, digits.train[few], digits.train_labels[few], generator)
    curve.train.append((reconstruction - kl.sum(dim=-1)).mean().item())
    reconstruction, kl = elbo_terms(model, digits.test, digits.test_labels, generator)
    curve.test.append((reconstruction - kl.sum(dim=-1)).mean().item())
    curve.test_kl.append(kl.sum(dim=-1).mean().item())
    curve.step.append(step)


def _mlp() -> tuple[nn.Module, nn.Module]:
    encoder = nn.Sequential(nn.Linear(_PIXELS, _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, _WIDTH), nn.ReLU())
    decoder = nn.Sequential(nn.Linear(_WIDTH, _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, _PIXELS))
    return encoder, decoder


def _convolutional() -> tuple[nn.Module, nn.Module]:
    """8 x 8 to 4 x 4 to 2 x 2 by strides of 2, and back by transposed convolutions."""
    deepest = _WIDTH // 4
    encoder = nn.Sequential(
        nn.Unflatten(-1, (1, SIDE, SIDE)),
        nn.Conv2d(1, _CHANNELS, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(_CHANNELS, deepest, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
    )
    decoder = nn.Sequential(
        nn.Unflatten(-1, (deepest, 2, 2)),
        nn.ConvTranspose2d(deepest, _CHANNELS, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(_CHANNELS, 1, 4, stride=2, padding=1),
        nn.Flatten(),
    )
    return encoder, decoder
