r"""Mixing coefficients by the evidence.

The likelihood of the 2D joints under a hypothesis is marginalised over its own uncertainty and over the place of the
pelvis, by Laplace's approximation at the refined pose (MacKay, *Information Theory, Inference, and Learning
Algorithms*, 2003, chapter 27):

.. math:: \log L_m = -E_m(x^*) - \tfrac12 \log \frac{|H_m|}{|H_m^{\text{prior}}|}

A hypothesis that must be bent far, or that can be bent in fewer ways, is less likely. Joints are not independent and
the lifter has seen them before, so both sides are tempered, by two numbers fitted to which hypothesis was the best:

.. math:: \pi'_m \propto \pi_m^a \, L_m^b
"""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.refinement.settings import FittedNumbers

Float64Array = NDArray[np.float64]


def reweight(mixing: Float64Array, log_evidence: Float64Array, fitted: FittedNumbers) -> Float64Array:
    """(N, M) coefficients that sum to 1; those of 0 stay so.

    Args:
        mixing: (N, M) coefficients.
        log_evidence: (N, M); rows that are not finite throughout keep their coefficients.
        fitted: The two exponents.
    """
    usable = np.isfinite(log_evidence).all(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        logits = fitted.mixing_exponent * np.log(mixing) + fitted.evidence_exponent * log_evidence
        weight = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.where(usable, weight / weight.sum(axis=1, keepdims=True), mixing)
