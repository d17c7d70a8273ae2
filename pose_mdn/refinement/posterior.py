"""Hypotheses as a user has them, turned into energies, and what their minima say.

Letters in shapes: N rows, M hypotheses, J = 17 joints, B = N M.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.refinement.gauss_newton import descend
from pose_mdn.refinement.objective import Objective, Weights
from pose_mdn.refinement.observed import Observed, observe
from pose_mdn.refinement.settings import RefinementSettings
from pose_mdn.refinement.tree_system import TreeFactor
from pose_mdn.skeletons import HUMAN36M17

Float64Array = NDArray[np.float64]

_NARROWEST_M = 1e-4
"""Smaller standard deviations count as this, so that precisions stay finite."""
_PELVIS = HUMAN36M17.index("pelvis")
_PARENTS, _CHILDREN = (list(ends) for ends in zip(*HUMAN36M17.bones, strict=True))


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """What is known of N rows of M hypotheses once the picture has spoken.

    Attributes:
        means_m: (N, M, 17, 3) most probable joints, relative to the pelvis.
        root_m: (N, M, 3) and pelvis.
        log_evidence: (N, M) logarithm of the marginal likelihood of the picture, up to a constant of the row.
        narrowing: (N, M, 17, 2) variances across and along the line of sight, over those without the picture; `None` if
            nobody asked.
    """

    means_m: Float64Array
    root_m: Float64Array
    log_evidence: Float64Array
    narrowing: Float64Array | None


def posterior_of(hypotheses: HypothesisSequence, settings: RefinementSettings) -> Posterior:
    """Descend, and look around at the bottom.

    Args:
        hypotheses: Rows that were all lifted.
        settings: How.
    """
    count = hypotheses.num_hypotheses
    objective = objective_of(hypotheses, settings)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        found = descend(objective, settings.steps)
        after = TreeFactor(objective.expansion(found.joints_m, found.root_m)[0])
        before = TreeFactor(objective.expansion(objective.means_m, objective.root_m, evidence=False)[0])
        log_evidence = -found.energies[-1] - 0.5 * (after.log_determinant - before.log_determinant)
        narrowing = None
        if settings.shrink > 0:
            unseen = TreeFactor(objective.expansion(found.joints_m, found.root_m, evidence=False)[0])
            towards = _lines_of_sight(hypotheses)
            ratio = _across_and_along(after.covariances(), towards) / _across_and_along(unseen.covariances(), towards)
            narrowing = _rows_first(np.where(np.isfinite(ratio), ratio, 1.0), count)
    return Posterior(
        means_m=_rows_first(found.joints_m, count),
        root_m=found.root_m.T.reshape(-1, count, 3),
        log_evidence=log_evidence.reshape(-1, count),
        narrowing=narrowing,
    )


def objective_of(hypotheses: HypothesisSequence, settings: RefinementSettings) -> Objective:
    """The energy of N rows of hypotheses, all of them lifted; hypotheses of a row follow one another."""
    count = hypotheses.num_hypotheses
    observed = observe(hypotheses, settings.noise)
    means = _batch_last(hypotheses.means_m)
    across, along = _batch_last(np.maximum(hypotheses.std_m, _NARROWEST_M))
    towards = _lines_of_sight(hypotheses)
    excess = 1.0 / np.square(along) - 1.0 / np.square(across)
    precision = excess * towards[:, None, None] * towards[:, None]
    precision += np.eye(3)[..., None, None] / np.square(across)
    precision[:, :, _PELVIS] = 0.0
    return Objective(
        weights=Weights(
            evidence=settings.news_weight,
            bone_share=settings.fitted.bone_share,
            degrees_of_freedom=settings.fitted.degrees_of_freedom,
        ),
        observed=Observed(
            slopes=np.repeat(observed.slopes, count, axis=-1),
            precision=np.repeat(observed.precision, count, axis=-1),
            confidence=np.repeat(observed.confidence, count, axis=-1),
        ),
        means_m=means,
        precision=settings.prior_weight * precision,
        root_m=hypotheses.root_translation_m.reshape(-1, 3).T.astype(np.float64, order="C"),
        lengths_m=np.linalg.norm(means[:, _CHILDREN] - means[:, _PARENTS], axis=0),
    )


def _across_and_along(covariance: Float64Array, towards: Float64Array) -> Float64Array:
    """(2, J, B) mean variance across and variance along (3, B) lines of sight of (3, 3, J, B) covariances."""
    along = np.einsum("ib,ijnb,jb->nb", towards, covariance, towards)
    return np.stack([(np.einsum("iinb->nb", covariance) - along) / 2, along])


def _lines_of_sight(hypotheses: HypothesisSequence) -> Float64Array:
    """(3, B) unit vectors in the camera frame."""
    return np.repeat(hypotheses.view_rotation[..., 2].T.astype(np.float64), hypotheses.num_hypotheses, axis=-1)


def _batch_last(array: NDArray[np.floating]) -> Float64Array:
    """(N, M, J, k) as (k, J, B)."""
    return np.ascontiguousarray(array.reshape(-1, *array.shape[2:]).T, np.float64)


def _rows_first(array: Float64Array, count: int) -> Float64Array:
    """(k, J, B) as (N, M, J, k)."""
    return array.T.reshape(-1, count, *array.shape[1::-1])
