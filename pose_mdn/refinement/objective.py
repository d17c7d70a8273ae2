r"""What a refined hypothesis minimises: the negative logarithm of its posterior density.

With joints X_j relative to the pelvis and the pelvis at T, 51 numbers,

.. math::
    E = \frac{\alpha}{2} \sum_j (X_j - \mu_j)^T \Sigma_j^{-1} (X_j - \mu_j)
      + \beta \sum_j \frac{\nu + 2}{2} \log\left(1 + \frac{c_j}{\nu} r_j^T W_j r_j\right)
      + \sum_b \frac{(|X_c - X_p| - l_b)^2}{2 (\tau l_b)^2}

- the hypothesis as lifted: its means and covariances, with the weight α of the prior;
- the picture: r_j = (X + T)_xy / (X + T)_z minus the slope that was seen, in the noise that W_j stands for, under
  Student's t distribution with ν degrees of freedom, which forgives joints that are far off, with the weight β of the
  evidence and the detector's confidence c_j;
- the body: bones keep the lengths l_b that the hypothesis states, within the share τ.

The second derivative is approximated as Gauss and Newton do; that of the t distribution is replaced by the parabola
that touches it from above (iteratively reweighted least squares), so that it is positive everywhere.

Letters in shapes: J = 17 joints, B hypotheses. Batches come last.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.refinement.observed import Observed
from pose_mdn.refinement.tree_system import TreeSystem, times
from pose_mdn.skeletons import HUMAN36M17

Float64Array = NDArray[np.float64]

_PARENTS = np.array([parent for parent, _ in HUMAN36M17.bones])
_CHILDREN = np.array([child for _, child in HUMAN36M17.bones])
_FAR_PRECISION = 1e-4
"""Of every unknown about where it starts, 1/m²: 100 m, which decides only what nothing else does."""
_NEAREST_M = 0.05
"""No joint that was seen may come nearer to the plane of the camera."""
_SHORTEST_M = 1e-3


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What counts how much.

    Attributes:
        evidence: β.
        bone_share: τ; infinite if bones may be of any length.
        degrees_of_freedom: ν.
    """

    evidence: float
    bone_share: float
    degrees_of_freedom: float


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The energy of B hypotheses.

    Attributes:
        weights: What counts how much.
        observed: The picture, a column for each hypothesis.
        means_m: (3, J, B) μ, camera frame.
        precision: (3, 3, J, B) α Σ⁻¹, camera frame; 0 for the pelvis.
        root_m: (3, B) where the pelvis was lifted.
        lengths_m: (J - 1, B) l.
    """

    weights: Weights
    observed: Observed
    means_m: Float64Array
    precision: Float64Array
    root_m: Float64Array
    lengths_m: Float64Array

    def energy(self, joints_m: Float64Array, root_m: Float64Array) -> Float64Array:
        """(B,) E at (3, J, B) joints and (3, B) pelvises; infinite where a joint that was seen is not in front."""
        moved = joints_m - self.means_m
        total = 0.5 * (moved * self._pull(moved)).sum(axis=(0, 1))
        total += 0.5 * _FAR_PRECISION * np.square(root_m - self.root_m).sum(axis=0)
        total += 0.5 * (self._stiffness * np.square(self._bones(joints_m)[1] - self.lengths_m)).sum(axis=0)
        position = joints_m + root_m[:, None]
        square = self._misfit(position)[1]
        nu = self.weights.degrees_of_freedom
        with np.errstate(invalid="ignore"):
            total += self.weights.evidence * 0.5 * (nu + 2) * np.log1p(square / nu).sum(axis=0)
        hidden = (position[2] < _NEAREST_M) & (self.observed.confidence > 0)
        return np.where(hidden.any(axis=0), np.inf, total)

    def expansion(
        self, joints_m: Float64Array, root_m: Float64Array, *, evidence: bool = True
    ) -> tuple[TreeSystem, Float64Array, Float64Array]:
        """The second derivative, and the (3, J, B) and (3, B) downhill gradients.

        Args:
            joints_m: (3, J, B).
            root_m: (3, B).
            evidence: Whether the picture counts.
        """
        moved = joints_m - self.means_m
        downhill = -self._pull(moved)
        diagonal = self.precision + _FAR_PRECISION * np.eye(3)[..., None, None]
        tie = self._add_bones(joints_m, diagonal, downhill)
        border = np.zeros_like(diagonal)
        root_downhill = _FAR_PRECISION * (self.root_m - root_m)
        if evidence:
            border, push = self._picture(joints_m + root_m[:, None])
            diagonal += border
            downhill += push
            root_downhill = root_downhill + push.sum(axis=1)
        corner = border.sum(axis=2) + _FAR_PRECISION * np.eye(3)[..., None]
        return TreeSystem(diagonal=diagonal, tie=tie, border=border, corner=corner), downhill, root_downhill

    @property
    def _stiffness(self) -> Float64Array:
        """(J - 1, B) 1 / (τ l)²."""
        return np.square(1.0 / (self.weights.bone_share * self.lengths_m))

    def _pull(self, moved: Float64Array) -> Float64Array:
        return times(self.precision, moved) + _FAR_PRECISION * moved

    def _bones(self, joints_m: Float64Array) -> tuple[Float64Array, Float64Array]:
        """(3, J - 1, B) unit directions and (J - 1, B) lengths."""
        bones = joints_m[:, _CHILDREN] - joints_m[:, _PARENTS]
        lengths = np.maximum(np.sqrt(np.square(bones).sum(axis=0)), _SHORTEST_M)
        return bones / lengths, lengths

    def _add_bones(self, joints_m: Float64Array, diagonal: Float64Array, downhill: Float64Array) -> Float64Array:
        """Add what bones contribute to both, and return the (3, 3, J, B) ties of joints to their parents."""
        directions, lengths = self._bones(joints_m)
        stiffness = self._stiffness
        block = stiffness * directions[:, None] * directions
        push = stiffness * (self.lengths_m - lengths) * directions
        tie = np.zeros_like(diagonal)
        tie[:, :, _CHILDREN] = -block
        diagonal[:, :, _CHILDREN] += block
        downhill[:, _CHILDREN] += push
        for bone, parent in enumerate(_PARENTS):
            diagonal[:, :, parent] += block[:, :, bone]
            downhill[:, parent] -= push[:, bone]
        return tie

    def _misfit(self, position_m: Float64Array) -> tuple[Float64Array, Float64Array]:
        """(2, J, B) slopes minus those seen, and (J, B) c rᵀ W r."""
        error = position_m[:2] / position_m[2] - self.observed.slopes
        xx, xy, yy = self.observed.precision
        x, y = error
        return error, self.observed.confidence * (xx * x * x + 2.0 * xy * x * y + yy * y * y)

    def _picture(self, position_m: Float64Array) -> tuple[Float64Array, Float64Array]:
        """(3, 3, J, B) second derivatives and (3, J, B) downhill gradients by places in the camera frame."""
        (x, y), square = self._misfit(position_m)
        nu = self.weights.degrees_of_freedom
        depth = position_m[2]
        # The derivative of a slope (X / Z, Y / Z) is (1, 0, -X / Z) / Z and (0, 1, -Y / Z) / Z.
        weight = self.weights.evidence * self.observed.confidence * (nu + 2) / (nu + square) / (depth * depth)
        xx, xy, yy = self.observed.precision * weight
        slope_x, slope_y = position_m[:2] / depth
        block = np.empty((3, 3, *depth.shape))
        block[0, 0], block[0, 1], block[1, 1] = xx, xy, yy
        block[0, 2], block[1, 2] = -(xx * slope_x + xy * slope_y), -(xy * slope_x + yy * slope_y)
        block[2, 2] = -(block[0, 2] * slope_x + block[1, 2] * slope_y)
        block[1, 0], block[2, 0], block[2, 1] = block[0, 1], block[0, 2], block[1, 2]
        push_x, push_y = -depth * (xx * x + xy * y), -depth * (xy * x + yy * y)
        return block, np.stack([push_x, push_y, -(push_x * slope_x + push_y * slope_y)])
