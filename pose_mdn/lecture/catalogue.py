"""The examples by name, without importing what they need."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pose_mdn.lecture.example import Runner


@dataclass(frozen=True, kw_only=True)
class Example:
    """One example of the lecture.

    Attributes:
        name: As on the command line.
        title: What it is, in a line.
        teaches: What it shows, in Markdown, for `--help`.
        module: Where its function `run` is.
        uses_digits: Whether it needs scikit-learn's digits.
    """

    name: str
    title: str
    teaches: str
    module: str
    uses_digits: bool = False

    def load(self) -> "Runner":
        """Import the example and give its function."""
        runner: Runner = import_module(self.module).run
        return runner


EXAMPLES: tuple[Example, ...] = (
    Example(
        name="inverse-problem",
        title="Bishop's toy problem: least squares fails, three kernels fit",
        teaches=(
            "x = t + 0.3 sin 2πt + noise, asked for t. Least squares gives the mean of up to three answers, which "
            "is none of them. A mixture density network gives all: mixing coefficients, means, density and "
            "conditional mode against x, as in Bishop's PRML, figures 5.19 and 5.21. Its gradients are compared "
            "with the book's formulas."
        ),
        module="pose_mdn.lecture.inverse_problem",
    ),
    Example(
        name="robot-arm",
        title="A two-link arm: two elbows reach a place, their mean does not",
        teaches=(
            "Where the hand is follows from the angles. Two pairs of angles lead to most places; their mean, "
            "which least squares learns, leads elsewhere. The kernels of a mixture density network are the two."
        ),
        module="pose_mdn.lecture.robot_arm",
    ),
    Example(
        name="three-modes",
        title="A mixture of two Gaussians with three modes",
        teaches=(
            "Ray and Lindsay's example (2005): the highest mode lies where two ridges cross, at no mean. It is "
            "found by searching the ridgeline, and again by Metropolis sampling. The same search counts the modes "
            "of lifted poses."
        ),
        module="pose_mdn.lecture.three_modes",
    ),
    Example(
        name="vae",
        title="Variational autoencoders of digits, two architectures",
        teaches=(
            "The evidence lower bound while it rises, held-out digits encoded and decoded, and digits from noise; "
            "with fully connected layers and with convolutions."
        ),
        module="pose_mdn.lecture.vae",
        uses_digits=True,
    ),
    Example(
        name="latent-manifold",
        title="The latent plane of digits",
        teaches=(
            "An autoencoder with two latent coordinates, decoded along a grid of the prior's quantiles, and where "
            "held-out digits lie in it."
        ),
        module="pose_mdn.lecture.latent_manifold",
        uses_digits=True,
    ),
    Example(
        name="naive-likelihood",
        title="Why p(x) is not estimated with samples from the prior",
        teaches=(
            "Estimates of log p(x) by number of samples. From the prior they creep up from far below, because "
            "next to no sample explains a given digit; from the encoder the first few come near."
        ),
        module="pose_mdn.lecture.naive_likelihood",
        uses_digits=True,
    ),
    Example(
        name="conditional-vae",
        title="Digits on demand, one row for each",
        teaches=(
            "A conditional autoencoder: the label says which digit, the latents say how it is written. The same "
            "noise under each label gives ten digits in one hand."
        ),
        module="pose_mdn.lecture.conditional_vae",
        uses_digits=True,
    ),
)
"""In the order of the lecture."""
