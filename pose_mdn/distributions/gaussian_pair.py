r"""Two Gaussians with full covariances, made diagonal by one linear map.

.. math:: \Sigma_1 = B B^T, \quad \Sigma_2 = B \Lambda B^T, \quad x = B y

In the coordinates y both covariances are diagonal. A density only takes on the constant factor :math:`|\det B|`, so
modes go with the points, and everything known of diagonal mixtures serves any pair. Three covariances have no such map
in general.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.distributions.mixture import GaussianMixture
from pose_mdn.distributions.modes import Modes
from pose_mdn.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class GaussianPair:
    """A mixture of two Gaussians in D dimensions with any covariances.

    Attributes:
        mixture: The mixture in the coordinates y, diagonal.
        basis: (D, D) B.
    """

    mixture: GaussianMixture
    basis: Floats

    @classmethod
    def of(cls, mixing_coefficients: Floats, means: Floats, covariances: Floats) -> "GaussianPair":
        """Build it from its usual parameters.

        Args:
            mixing_coefficients: (2,) sum to 1.
            means: (2, D).
            covariances: (2, D, D) symmetric, positive definite.

        Raises:
            InputError: A shape is another one, or a covariance is not positive definite.
        """
        weights, means, covariances = (np.asarray(v, np.float64) for v in (mixing_coefficients, means, covariances))
        dimensions = means.shape[-1]
        if weights.shape != (2,) or means.shape != (2, dimensions) or covariances.shape != (2, dimensions, dimensions):
            raise InputError(
                f"expected mixing coefficients (2,), means (2, D) and covariances (2, D, D), got {weights.shape}, "
                f"{means.shape} and {covariances.shape}; give exactly two Gaussians"
            )
        try:
            root = np.linalg.cholesky(covariances[0])
            np.linalg.cholesky(covariances[1])
        except np.linalg.LinAlgError as error:
            raise InputError(
                "covariances: expected positive definite ones, got one that is not", field="covariances"
            ) from error
        inverse = np.linalg.inv(root)
        variances, turn = np.linalg.eigh(inverse @ covariances[1] @ inverse.T)
        return cls(
            mixture=GaussianMixture(
                log_mixing_coefficients=np.log(weights),
                means=means @ inverse.T @ turn,
                std=np.stack([np.ones(dimensions), np.sqrt(variances)]),
            ),
            basis=root @ turn,
        )

    def log_prob(self, points: Floats) -> Floats:
        """(...) log-density in nats at (..., D) points."""
        inside = self.mixture.log_prob(points @ np.linalg.inv(self.basis).T)
        return np.asarray(inside - np.linalg.slogdet(self.basis)[1])

    def modes(self) -> Modes:
        """All local maxima of the density, highest first."""
        found = self.mixture.modes()
        return Modes(
            points=found.points @ self.basis.T,
            log_prob=found.log_prob - np.linalg.slogdet(self.basis)[1],
            count=found.count,
        )
