"""Densities: Gaussian mixtures, the Dirichlet prior on their coefficients, hypotheses as a distribution over poses."""

from pose_mdn.distributions.mixture import GaussianMixture
from pose_mdn.distributions.pose_mixture import PoseMixture

__all__ = ["GaussianMixture", "PoseMixture"]
