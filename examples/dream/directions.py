"""Which ways through the latent space of a pose prior move the body most, from its decoder alone.

With J(z) the decoder's Jacobian, poses by latents, a small step d from z moves the joints by J(z) d. Over the prior,

    E |J(z) d|^2 = d^T G d,    G = E[J(z)^T J(z)],    z ~ N(0, I),

which the eigenvectors of G make largest in turn: the right singular vectors of all Jacobians stacked. No motion data is
needed. Differences are central, since ONNX Runtime gives no derivatives.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.inference.pose_prior import PosePrior

SAMPLES = 256
SEED = 0
STEP = 0.05


@dataclass(frozen=True, kw_only=True)
class LatentDirections:
    """Orthonormal directions of a latent space, from the one that moves the body most.

    Attributes:
        axes: (K, Z) unit vectors; of either sign, the one whose largest coordinate is positive.
        share: (K,) of the mean squared motion that is along each.
        motion_m: (K, 17) root mean square motion of each joint for one standard deviation, metres.
    """

    axes: NDArray[np.float64]
    share: NDArray[np.float64]
    motion_m: NDArray[np.float64]


def find_directions(prior: PosePrior, count: int) -> LatentDirections:
    """The leading `count` directions; the same each time."""
    jacobians = decoder_jacobians(prior)
    stacked = jacobians.reshape(-1, prior.latent_dim)
    values, vectors = np.linalg.eigh(stacked.T @ stacked / SAMPLES)
    axes = vectors[:, ::-1].T[:count]
    axes = axes * np.sign(axes[np.arange(count), np.abs(axes).argmax(axis=1)])[:, None]
    moved = jacobians @ axes.T
    return LatentDirections(
        axes=axes,
        share=values[::-1][:count] / values.sum(),
        motion_m=np.sqrt((moved**2).sum(axis=2).mean(axis=0)).T,
    )


def decoder_jacobians(prior: PosePrior) -> NDArray[np.float64]:
    """(SAMPLES, 17, 3, Z) derivatives of joints by latents at samples of the prior, metres."""
    latent = np.random.default_rng(SEED).standard_normal((SAMPLES, prior.latent_dim))
    steps = STEP * np.eye(prior.latent_dim)
    columns = [(prior.decode(latent + step) - prior.decode(latent - step)) / (2 * STEP) for step in steps]
    return np.stack(columns, axis=-1)
