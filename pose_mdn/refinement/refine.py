"""Hypotheses in, hypotheses out, nearer to the picture and with coefficients that know it.

Letters in shapes: N rows, M hypotheses.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.pinhole import camera_to_slopes, slopes_to_pixels
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.refinement.observed import observe
from pose_mdn.refinement.posterior import posterior_of
from pose_mdn.refinement.reweighting import reweight
from pose_mdn.refinement.settings import RefinementSettings
from pose_mdn.reprojection.agreement import weighted_rms

REFINED = "+refined"
"""Ends the `model` of refined hypotheses."""

_HYPOTHESES_AT_ONCE = 1024
"""Arrays of this many stay in a core's cache."""
_CHANGED = ("means_m", "std_m", "root_translation_m", "mixing_coefficients", "reprojection_error_px")


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
    usable = hypotheses.lifted & (hypotheses.confidence > 0).any(axis=1)
    for name in _CHANGED:
        array = getattr(hypotheses, name)
        usable &= np.isfinite(array).all(axis=tuple(range(1, array.ndim)))
    return usable


def _refine_rows(hypotheses: HypothesisSequence, settings: RefinementSettings) -> HypothesisSequence:
    """Rows that were all lifted."""
    posterior = posterior_of(hypotheses, settings)
    changes: dict[str, Any] = {}
    if settings.reweight:
        mixing = hypotheses.mixing_coefficients.astype(np.float64)
        changes["mixing_coefficients"] = reweight(mixing, posterior.log_evidence, settings.fitted).astype(np.float32)
    if settings.move:
        changes["means_m"] = posterior.means_m.astype(np.float32)
        changes["root_translation_m"] = posterior.root_m.astype(np.float32)
    if posterior.narrowing is not None:
        changes["std_m"] = (hypotheses.std_m * posterior.narrowing ** (settings.shrink / 2)).astype(np.float32)
    changed = replace(hypotheses, **changes)
    return replace(changed, reprojection_error_px=_reprojection_error_px(changed)) if settings.move else changed


def _reprojection_error_px(hypotheses: HypothesisSequence) -> NDArray[np.float32]:
    """(N, M) confidence-weighted RMS distance to the keypoints, both as an ideal lens would draw them."""
    observed = observe(hypotheses, 1.0)
    seen = np.moveaxis(observed.slopes, (0, 1, 2), (2, 1, 0))
    joints = hypotheses.means_m.astype(np.float64) + hypotheses.root_translation_m[:, :, None]
    pinhole = hypotheses.intrinsics.astype(np.float64)
    apart = slopes_to_pixels(camera_to_slopes(joints), pinhole[:, None]) - slopes_to_pixels(seen, pinhole)[:, None]
    return weighted_rms(np.square(apart).sum(axis=-1), observed.confidence.T[:, None]).astype(np.float32)
