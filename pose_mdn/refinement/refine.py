"""Hypotheses in, hypotheses out, nearer to the picture and with coefficients that know it.

Letters in shapes: N rows, M hypotheses, J = 17 joints, B = N M.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.pinhole import camera_to_slopes, slopes_to_pixels
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.refinement.gauss_newton import Descent, descend
from pose_mdn.refinement.objective import Objective, Weights
from pose_mdn.refinement.observed import Observed, observe
from pose_mdn.refinement.reweighting import reweight
from pose_mdn.refinement.settings import RefinementSettings
from pose_mdn.refinement.tree_system import TreeFactor
from pose_mdn.reprojection.agreement import weighted_rms
from pose_mdn.skeletons import HUMAN36M17

Float64Array = NDArray[np.float64]

REFINED = "+refined"
"""Ends the `model` of refined hypotheses."""

_HYPOTHESES_AT_ONCE = 1024
"""Arrays of this many stay in a core's cache."""
_CHANGED = ("means_m", "std_m", "root_translation_m", "mixing_coefficients", "reprojection_error_px")
_NARROWEST_M = 1e-4
"""Smaller standard deviations count as this, so that precisions stay finite."""
_PELVIS = HUMAN36M17.index("pelvis")
_PARENTS, _CHILDREN = (list(ends) for ends in zip(*HUMAN36M17.bones, strict=True))


def refine_hypotheses(
    hypotheses: HypothesisSequence,
    settings: RefinementSettings | None = None,
    *,
    on_progress: Callable[[int], None] | None = None,
) -> HypothesisSequence:
    """Move hypotheses towards the picture, and weigh them by how well they explain it.

    Args:
        hypotheses: N rows as they were lifted. Rows without hypotheses stay as they are.
        settings: How; as fitted if `None`.
        on_progress: Called with the number of rows just refined.

    Returns:
        The same rows; `model` says that they are refined.

    Raises:
        InputError: They were refined before: the picture would count twice.
    """
    settings = settings or RefinementSettings()
    if hypotheses.model.endswith(REFINED):
        raise InputError(
            f"hypotheses: expected them as they were lifted, got those of {hypotheses.model}, refined before; "
            "refine the file that `pose-mdn lift` wrote",
            field="hypotheses",
        )
    changed = {name: getattr(hypotheses, name).copy() for name in _CHANGED}
    usable = _usable(hypotheses)
    step = max(1, _HYPOTHESES_AT_ONCE // max(1, hypotheses.num_hypotheses))
    for start in range(0, len(hypotheses), step):
        rows = np.arange(start, min(start + step, len(hypotheses)))
        chosen = rows[usable[rows]]
        if settings.evidence_weight > 0 and chosen.size:
            refined = _refine_rows(hypotheses.take(chosen), settings)
            for name in _CHANGED:
                changed[name][chosen] = getattr(refined, name)
        if on_progress is not None:
            on_progress(rows.size)
    return replace(hypotheses, **changed, model=hypotheses.model + REFINED)


def _usable(hypotheses: HypothesisSequence) -> NDArray[np.bool_]:
    """(N,) rows that were lifted and in which every number is one."""
    finite = [np.isfinite(getattr(hypotheses, name)).reshape(len(hypotheses), -1).all(axis=1) for name in _CHANGED]
    seen = (hypotheses.confidence > 0).any(axis=1)
    return np.asarray(np.all(finite, axis=0) & hypotheses.lifted & seen)


@dataclass(frozen=True, kw_only=True)
class _Posterior:
    """What the descent of B hypotheses ended in.

    Attributes:
        descent: Where they came to rest.
        log_evidence: (B,) logarithm of the marginal likelihood of the picture, up to a constant.
        narrowing: (2, J, B) variance across and along the line of sight, over that without the picture.
    """

    descent: Descent
    log_evidence: Float64Array
    narrowing: Float64Array | None


def _refine_rows(hypotheses: HypothesisSequence, settings: RefinementSettings) -> HypothesisSequence:
    """Rows that were all lifted."""
    count = hypotheses.num_hypotheses
    towards = np.repeat(hypotheses.view_rotation[..., 2].T.astype(np.float64), count, axis=-1)
    objective = objective_of(hypotheses, settings)
    posterior = _posterior(objective, towards, settings)
    changes: dict[str, Any] = {}
    if settings.reweight:
        mixing = hypotheses.mixing_coefficients.astype(np.float64)
        weights = reweight(mixing, posterior.log_evidence.reshape(-1, count), settings.fitted)
        changes["mixing_coefficients"] = weights.astype(np.float32)
    if settings.move:
        means = _rows_first(posterior.descent.joints_m, count).astype(np.float32)
        root = posterior.descent.root_m.T.reshape(-1, count, 3).astype(np.float32)
        changes |= {"means_m": means, "root_translation_m": root}
    if posterior.narrowing is not None:
        factor = _rows_first(posterior.narrowing ** (settings.shrink / 2), count)
        changes["std_m"] = (hypotheses.std_m * factor).astype(np.float32)
    moved = replace(hypotheses, **changes)
    return replace(moved, reprojection_error_px=_reprojection_error_px(moved)) if settings.move else moved


def objective_of(hypotheses: HypothesisSequence, settings: RefinementSettings) -> Objective:
    """The energy of N rows of hypotheses, all of them lifted; hypotheses of a row follow one another."""
    count = hypotheses.num_hypotheses
    observed = observe(hypotheses, settings.noise)
    means = _batch_last(hypotheses.means_m)
    across, along = _batch_last(np.maximum(hypotheses.std_m, _NARROWEST_M))
    towards = np.repeat(hypotheses.view_rotation[..., 2].T.astype(np.float64), count, axis=-1)
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


def _posterior(objective: Objective, towards: Float64Array, settings: RefinementSettings) -> _Posterior:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        descent = descend(objective, settings.steps)
        after = TreeFactor(objective.expansion(descent.joints_m, descent.root_m)[0])
        before = TreeFactor(objective.expansion(objective.means_m, objective.root_m, evidence=False)[0])
        log_evidence = -descent.energies[-1] - 0.5 * (after.log_determinant - before.log_determinant)
        narrowing = None
        if settings.shrink > 0:
            ratio = _across_and_along(after.covariances(), towards) / _across_and_along(before.covariances(), towards)
            narrowing = np.where(np.isfinite(ratio), ratio, 1.0)
    return _Posterior(descent=descent, log_evidence=log_evidence, narrowing=narrowing)


def _across_and_along(covariance: Float64Array, towards: Float64Array) -> Float64Array:
    """(2, J, B) mean variance across and variance along (3, B) lines of sight of (3, 3, J, B) covariances."""
    along = np.einsum("ib,ijnb,jb->nb", towards, covariance, towards)
    return np.stack([(np.einsum("iinb->nb", covariance) - along) / 2, along])


def _reprojection_error_px(hypotheses: HypothesisSequence) -> NDArray[np.float32]:
    """(N, M) confidence-weighted RMS distance to the keypoints, both as an ideal lens would draw them."""
    observed = observe(hypotheses, 1.0)
    seen = np.moveaxis(observed.slopes, (0, 1, 2), (2, 1, 0))
    joints = hypotheses.means_m.astype(np.float64) + hypotheses.root_translation_m[:, :, None]
    pinhole = hypotheses.intrinsics.astype(np.float64)
    apart = slopes_to_pixels(camera_to_slopes(joints), pinhole[:, None]) - slopes_to_pixels(seen, pinhole)[:, None]
    return weighted_rms(np.square(apart).sum(axis=-1), observed.confidence.T[:, None]).astype(np.float32)


def _batch_last(array: NDArray[np.floating]) -> Float64Array:
    """(N, M, J, k) as (k, J, B)."""
    return np.ascontiguousarray(array.reshape(-1, *array.shape[2:]).T, np.float64)


def _rows_first(array: Float64Array, count: int) -> Float64Array:
    """(k, J, B) as (N, M, J, k)."""
    return array.T.reshape(-1, count, *array.shape[1::-1])
