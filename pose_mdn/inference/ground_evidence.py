"""What the ground says about the stature of people who stand on it.

In every row the person is scaled until the sole of the lower foot touches the ground, which gives a stature. A person
has one stature, so rows in which a foot stands agree, and rows of a jump, with the feet above the ground, show someone
larger. From the lower third on, the mean over the rows that agree with it is repeated until it stays.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.ground_plane import GroundPlane
from pose_mdn.geometry.known_body import stature_m
from pose_mdn.geometry.size_evidence import SizeEvidence
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.skeletons.human36m import HUMAN36M17

Float64Array = NDArray[np.float64]

ANKLE_HEIGHT = 0.039
"""Of a standing ankle above the sole, in parts of the stature (Drillis and Contini, 1966)."""

TILT_STD_RAD = 0.0087
"""How well the ground's direction is known: half a degree."""
HEIGHT_LOG_STD = 0.02
"""How well the camera's height is known, relative to itself, with what ankles differ by."""
_FOOT_NOISE = 0.02
"""Of the lower ankle, in parts of the stature: the keypoints' noise, and heels that leave the ground."""

_LARGEST_LOG_STD = 0.25
"""A stature known to less than this is not worth changing anything for."""
_AGREES = 2.0
"""Standard deviations by which a row may differ from the mean of those that stand."""
_START = 0.33
_ROUNDS = 20
_ANKLES = [HUMAN36M17.index("l_ankle"), HUMAN36M17.index("r_ankle")]


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """What the ground said of one person.

    Attributes:
        evidence: The stature; `None` if nothing could be said.
        reason: Why not, for people to read; empty otherwise.
        stands: (N,) the rows of the sequence that were taken to stand on the ground.
    """

    evidence: SizeEvidence | None
    reason: str
    stands: NDArray[np.bool_]


def evidence_of_ground(hypotheses: HypothesisSequence, ground: GroundPlane, person: int) -> Standing:
    """The stature with which a person stands on the ground.

    Args:
        hypotheses: N rows of any people.
        ground: In the camera frame, the same for all rows.
        person: Whose rows to look at.
    """
    mine = hypotheses.lifted & (hypotheses.person == person) & (hypotheses.confidence[:, _ANKLES] > 0).all(axis=1)
    nobody = np.zeros(len(hypotheses), bool)
    if not mine.any():
        return Standing(evidence=None, reason="both ankles are never seen", stands=nobody)
    rows = hypotheses.take(mine)
    log_stature, noise, leverage = _row_evidence(rows, ground)
    usable = np.isfinite(log_stature) & (np.hypot(noise, TILT_STD_RAD * leverage) < _LARGEST_LOG_STD)
    if not usable.any():
        return Standing(evidence=None, reason=_horizon(leverage), stands=nobody)
    standing = np.zeros(len(rows), bool)
    standing[usable] = _agreeing(log_stature[usable], noise[usable])
    weight = standing / noise**2
    weight = weight / weight.sum()
    # Rows of a video depend on each other: n of them are worth about the square root of n.
    chance = float(np.sqrt((weight * noise**2).sum() / np.sqrt(standing.sum())))
    log_std = float(np.hypot(np.hypot(chance, TILT_STD_RAD * (weight @ np.nan_to_num(leverage))), HEIGHT_LOG_STD))
    if log_std > _LARGEST_LOG_STD:
        return Standing(evidence=None, reason=_horizon(leverage), stands=nobody)
    stands = nobody.copy()
    stands[np.flatnonzero(mine)[standing]] = True
    source = f"{ground.source} ({standing.sum()} of {len(rows)} rows stand on it)"
    evidence = SizeEvidence(
        stature_m=float(np.exp(weight @ np.nan_to_num(log_stature))), log_std=log_std, source=source
    )
    return Standing(evidence=evidence, reason="", stands=stands)


def _row_evidence(rows: HypothesisSequence, ground: GroundPlane) -> tuple[Float64Array, Float64Array, Float64Array]:
    """(N,) logarithm of the stature, its noise, and how much an error of the ground's direction changes it.

    NaN where the lower foot is not below the camera.
    """
    means = rows.means_m.astype(np.float64)
    weight = rows.mixing_coefficients.astype(np.float64)
    weight /= weight.sum(axis=1, keepdims=True)
    stature = stature_m(means)
    ankles = means[:, :, _ANKLES] + rows.root_translation_m.astype(np.float64)[:, :, None]
    heights = ankles @ ground.up
    lower = np.take_along_axis(ankles, heights.argmin(axis=-1)[..., None, None], axis=2)[:, :, 0]
    below = ANKLE_HEIGHT * stature - heights.min(axis=-1)
    below = np.where(below > 0, below, np.nan)
    log_stature = np.log(stature * ground.camera_height_m / below)
    mean = (weight * log_stature).sum(axis=1)
    spread = (weight * (log_stature - mean[:, None]) ** 2).sum(axis=1)
    foot = (weight * _FOOT_NOISE * stature / below).sum(axis=1)
    leverage = (weight * np.linalg.norm(lower, axis=-1) / below).sum(axis=1)
    return mean, np.sqrt(spread + foot**2), leverage


def _agreeing(log_stature: Float64Array, noise: Float64Array) -> NDArray[np.bool_]:
    """(N,) the rows that agree on one stature, not the largest."""
    centre = float(np.quantile(log_stature, _START))
    chosen = np.abs(log_stature - centre) <= _AGREES * noise
    for _ in range(_ROUNDS):
        if not chosen.any():
            return np.asarray(log_stature <= centre)
        centre = float(np.average(log_stature[chosen], weights=noise[chosen] ** -2))
        again = np.abs(log_stature - centre) <= _AGREES * noise
        if (again == chosen).all():
            break
        chosen = again
    return np.asarray(chosen)


def _horizon(leverage: Float64Array) -> str:
    if not np.isfinite(leverage).any():
        return "the feet are never seen below the horizon; is the camera's tilt right?"
    degrees = np.degrees(np.arcsin(np.clip(1 / np.nanmin(leverage), -1, 1)))
    return (
        f"the feet are at most {degrees:.1f} degrees below the horizon, where half a degree of tilt changes all; "
        "a higher camera or nearer people would do"
    )
