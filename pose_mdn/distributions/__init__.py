"""Densities: Gaussian mixtures, the Dirichlet prior on their coefficients, hypotheses as a distribution over poses."""

from pose_mdn.distributions.mixture import GaussianMixture
from pose_mdn.distributions.modes import Modes, find_modes
from pose_mdn.distributions.pose_mixture import PoseMixture, PoseModes

__all__ = ["GaussianMixture", "Modes", "PoseMixture", "PoseModes", "find_modes"]
