r"""A Gaussian over a pelvis X and sixteen joints relative to it, Yⱼ = Xⱼ - X, in information form.

What is known comes in three kinds, each a precision matrix and the same times a mean:

* where a joint is, from pixels:             N(X + Yⱼ; pⱼ, Wⱼ⁻¹),
* where a joint is from the pelvis, lifted:  N(Yⱼ; mⱼ, Lⱼ⁻¹),
* where the pelvis is:                       N(X; p, W⁻¹).

Joints know of each other through the pelvis alone, so the precision matrix is an arrowhead, and eliminating the joints
leaves 3 x 3:  Pⱼ = Wⱼ + Lⱼ,  S = W + Σⱼ Wⱼ Pⱼ⁻¹ Lⱼ.

Matrices are those of `symmetric`, (6, 16, ...) for joints and (6, ...) for the pelvis; vectors (3, 16, ...) likewise.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pose_mdn.fusion.symmetric import Float64Array, chain, dot, full, inverse, times


@dataclass(frozen=True, kw_only=True)
class Information:
    """A precision matrix, and its product with the mean.

    Attributes:
        precision: (6, ...).
        vector: (3, ...).
    """

    precision: Float64Array
    vector: Float64Array


@dataclass(frozen=True, kw_only=True)
class BodyGaussian:
    """The Gaussian, one for each of any number of batch axes (...).

    Attributes:
        pelvis: (3, ...) mean of X.
        joints: (3, 16, ...) means of Yⱼ.
        exponent: (...) what completing the square leaves: Gᵀ H⁻¹ G for precision H and vector G.
        log_determinant: (...) of H.
        pelvis_covariance: (6, ...) of X.
        joint_inverse: (6, 16, ...) Pⱼ⁻¹, covariance of Yⱼ if X were known.
        pixel_precision: (6, 16, ...) Wⱼ.
    """

    pelvis: Float64Array
    joints: Float64Array
    exponent: Float64Array
    log_determinant: Float64Array
    pelvis_covariance: Float64Array
    joint_inverse: Float64Array
    pixel_precision: Float64Array

    def chosen(self, index: NDArray[np.int64]) -> "BodyGaussian":
        """Some of the last batch axis, by (N, K) index; what all have in common stays."""

        def pick(values: Float64Array) -> Float64Array:
            places = index.reshape((1,) * (values.ndim - index.ndim) + index.shape)
            return values if values.shape[-1] == 1 else np.take_along_axis(values, places, axis=-1)

        return BodyGaussian(**{field.name: pick(getattr(self, field.name)) for field in fields(self)})

    @property
    def joint_covariance(self) -> Float64Array:
        """(16, ..., 3, 3) covariance of Yⱼ: Pⱼ⁻¹ + Pⱼ⁻¹ Wⱼ S⁻¹ Wⱼ Pⱼ⁻¹."""
        inverted = full(self.joint_inverse)
        gain = inverted @ full(self.pixel_precision)
        return np.asarray(inverted + gain @ full(self.pelvis_covariance) @ gain.mT)


def condition(pixels: Information, lifted: Information, pelvis: Information) -> BodyGaussian:
    """The Gaussian that all information together makes.

    Args:
        pixels: About X + Yⱼ; anything that broadcasts against `lifted`.
        lifted: About Yⱼ.
        pelvis: About X.
    """
    inverted, determinant = inverse(pixels.precision + lifted.precision)
    vector = pixels.vector + lifted.vector
    free = times(inverted, vector)
    # W - W P⁻¹ W, but no difference of large numbers.
    schur = pelvis.precision + chain(pixels.precision, inverted, lifted.precision).sum(axis=1)
    remaining = pelvis.vector + (pixels.vector - times(pixels.precision, free)).sum(axis=1)
    covariance, schur_determinant = inverse(schur)
    root = times(covariance, remaining)
    return BodyGaussian(
        pelvis=root,
        joints=free - times(inverted, times(pixels.precision, root[:, None])),
        exponent=dot(vector, free).sum(axis=0) + dot(remaining, root),
        log_determinant=np.log(determinant).sum(axis=0) + np.log(schur_determinant),
        pelvis_covariance=covariance,
        joint_inverse=inverted,
        pixel_precision=pixels.precision,
    )
