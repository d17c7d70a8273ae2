"""What a known distance between two joints says about a person's stature.

Every hypothesis has a distance D between the two joints and a stature S; the known distance d scales it to the stature
S d / D. To first order its logarithm has the variance u'(A + B)u / D^2, with A and B the joints' covariances and u the
direction from one to the other. Rigid pairs are averaged over all rows of the person; other pairs are looked at in one
frame.
"""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.known_body import stature_m
from pose_mdn.geometry.known_distance import KnownDistance
from pose_mdn.geometry.size_evidence import SizeEvidence
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.skeletons.human36m import HUMAN36M17

Float64Array = NDArray[np.float64]

PROPORTION_LOG_STD = 0.05
"""How much the share that one pair of joints has of the stature differs between people and from what is guessed."""

_LARGEST_LOG_STD = 0.3
"""A stature known to less than this is not worth changing anything for."""

_SHORTEST_M = 0.02


def evidence_of_distance(hypotheses: HypothesisSequence, known: KnownDistance) -> tuple[int, SizeEvidence]:
    """Whose stature it tells, and what.

    Args:
        hypotheses: N rows of any people.
        known: A distance of one of them.

    Raises:
        InputError: It is not said whose distance it is, the person was not lifted (at that frame), or the joints are
            seen nearly one behind the other.
    """
    person = _whose(hypotheses, known)
    rows = hypotheses.lifted & (hypotheses.person == person)
    if known.frame is not None:
        rows &= hypotheses.frame == known.frame
    if not rows.any():
        when = "" if known.frame is None else f" at frame {known.frame}"
        raise InputError(
            f"known distance: expected person {person} to be lifted{when}, got no such row; choose another frame",
            field="known_distance",
        )
    log_stature, variance = _row_evidence(hypotheses.take(rows), known)
    if known.rigid:
        return person, SizeEvidence(
            stature_m=float(np.exp(np.median(log_stature))), log_std=PROPORTION_LOG_STD, source=str(known)
        )
    log_std = float(np.hypot(np.sqrt(variance.min()), PROPORTION_LOG_STD))
    if log_std > _LARGEST_LOG_STD:
        raise InputError(
            f"known distance: expected joints that are seen apart, got {known}, which tells the size within a factor "
            f"of {np.exp(log_std):.1f} only; choose a frame in which the line between them lies across the view",
            field="known_distance",
        )
    best = int(variance.argmin())
    return person, SizeEvidence(stature_m=float(np.exp(log_stature[best])), log_std=log_std, source=str(known))


def _whose(hypotheses: HypothesisSequence, known: KnownDistance) -> int:
    people = np.unique(hypotheses.person[hypotheses.lifted])
    if known.person is not None:
        if known.person not in people:
            raise InputError(
                f"known distance: expected a person who was lifted, got person {known.person}; there are "
                f"{', '.join(map(str, people.tolist())) or 'none'}",
                field="known_distance",
            )
        return known.person
    if len(people) != 1:
        raise InputError(
            f"known distance: expected to know whose it is, as there are {len(people)} people, got {known}; "
            "write their number before it, as in 2/l_hip:l_knee=0.43",
            field="known_distance",
        )
    return int(people[0])


def _row_evidence(rows: HypothesisSequence, known: KnownDistance) -> tuple[Float64Array, Float64Array]:
    """(N,) mean and variance of the logarithm of the stature, over each row's mixture."""
    one, other = (HUMAN36M17.index(name) for name in known.joints)
    means = rows.means_m.astype(np.float64)
    apart = means[:, :, other] - means[:, :, one]
    distance = np.maximum(np.linalg.norm(apart, axis=-1), _SHORTEST_M)
    along = np.einsum("nmi,ni->nm", apart, rows.view_rotation[..., 2].astype(np.float64)) / distance
    variances = (rows.std_m[:, :, [one, other]].astype(np.float64) ** 2).sum(axis=2)
    within = (variances[..., 0] * (1 - along**2) + variances[..., 1] * along**2) / distance**2
    log_stature = np.log(stature_m(means) * known.distance_m / distance)
    weight = rows.mixing_coefficients.astype(np.float64)
    weight /= weight.sum(axis=1, keepdims=True)
    mean = (weight * log_stature).sum(axis=1)
    return mean, (weight * (within + (log_stature - mean[:, None]) ** 2)).sum(axis=1)
