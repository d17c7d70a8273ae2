"""The product of the views' mixtures: combinations of components, added view by view, of which the best are kept.

Everything that a combination needs is a sum over its components, so it all stands in one array of S numbers for each:
the precisions and vectors of joints and pelvis, the components' own exponents, and the logarithms of their weights.

Letters in shapes: N rows, V views, M hypotheses of a view, K kept combinations.
"""

import math

import numpy as np
from numpy.typing import NDArray

from pose_mdn.distributions.mixture import log_sum_exp
from pose_mdn.fusion.body_gaussian import BodyGaussian, Information, condition
from pose_mdn.fusion.symmetric import DIAGONAL, Float64Array
from pose_mdn.fusion.terms import Lifted

_VAGUE = 1e-4
"""Precision of anything before any is known, 1 / m²: a product's first views may not be used at all."""


def multiply(
    pixels: Information, pixels_of_pelvis: Information, lifted: Lifted, *, tempered: float, most: int
) -> tuple[BodyGaussian, Float64Array]:
    """The K best combinations and their (N, K) weights, which sum to 1.

    The evidence of a combination is the integral of the product of its Gaussians,

        log E = ½ Σ log |L| - ½ log |H| - ½ (Σ mᵀ L m - Gᵀ H⁻¹ G),

    over the components' means m and precisions L, with H and G those of the product.

    Args:
        pixels: What keypoints say of joints but the pelvis, (6, J - 1, N) and (3, J - 1, N).
        pixels_of_pelvis: What they say of the pelvis, (6, N) and (3, N).
        lifted: What hypotheses say.
        tempered: Exponent on the evidence, as if only that part of the joints were independent of each other.
        most: K.
    """
    product = _Product(pixels, pixels_of_pelvis, tempered)
    kept = _sums(lifted, 0)
    for view in range(1, lifted.log_mixing.shape[1]):
        added = _sums(lifted, view)
        if kept.shape[2] > most:
            order, _ = product.best(product.of(kept), kept, most)
            kept = np.take_along_axis(kept, order[None], axis=2)
        kept = (kept[:, :, :, None] + added[:, :, None]).reshape(*kept.shape[:2], kept.shape[2] * added.shape[2])
    body = product.of(kept)
    order, score = product.best(body, kept, most)
    return body.chosen(order), np.exp(score - log_sum_exp(score)[..., None])


def _sums(lifted: Lifted, view: int) -> Float64Array:
    """(S, N, M) numbers of one view's components."""
    joints, pelvis = lifted.joints, lifted.pelvis
    parts = [
        *(part[:, :, :, view] for part in (joints.precision, joints.vector)),
        *(part[:, :, view] for part in (pelvis.precision, pelvis.vector)),
        lifted.exponent[:, view],
        0.5 * lifted.log_determinant[:, view],
        lifted.log_mixing[:, view],
    ]
    rows, hypotheses = lifted.log_mixing.shape[0], lifted.log_mixing.shape[2]
    return np.concatenate([part.reshape(math.prod(part.shape[:-2]), rows, hypotheses) for part in parts])


class _Product:
    """Combinations of the same rows, with the pixels that they have in common."""

    def __init__(self, pixels: Information, pixels_of_pelvis: Information, tempered: float) -> None:
        vague = np.zeros((6, 1, 1, 1))
        vague[list(DIAGONAL)] = _VAGUE
        self._pixels = Information(precision=pixels.precision[..., None] + vague, vector=pixels.vector[..., None])
        self._of_pelvis = Information(
            precision=pixels_of_pelvis.precision[..., None] + vague[:, 0], vector=pixels_of_pelvis.vector[..., None]
        )
        self._tempered = tempered

    def of(self, sums: Float64Array) -> BodyGaussian:
        """The Gaussians of (S, N, K) combinations."""
        joints, batch = self._pixels.precision.shape[1], sums.shape[1:]
        precision, vector, pelvis, pelvis_vector = np.split(sums[:-3], np.cumsum([6 * joints, 3 * joints, 6]), axis=0)
        return condition(
            self._pixels,
            Information(precision=precision.reshape(6, joints, *batch), vector=vector.reshape(3, joints, *batch)),
            Information(precision=pelvis + self._of_pelvis.precision, vector=pelvis_vector + self._of_pelvis.vector),
        )

    def best(self, body: BodyGaussian, sums: Float64Array, most: int) -> tuple[NDArray[np.int64], Float64Array]:
        """Which (N, K) of (S, N, C) combinations are best, best first, and their logarithms of evidence."""
        exponent, half_log_determinant, log_mixing = sums[-3:]
        evidence = half_log_determinant - 0.5 * (body.log_determinant + exponent - body.exponent)
        score = log_mixing + self._tempered * evidence
        order = np.argsort(-score, axis=1)[:, :most]
        return order, np.take_along_axis(score, order, axis=1)
