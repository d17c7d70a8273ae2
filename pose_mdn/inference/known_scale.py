"""Lifted hypotheses of people whose size follows from what a user knows: bodies, distances, the ground.

All that is known of a person becomes a distribution over the stature (`pose_mdn.geometry.size_evidence`). Those are
combined, refused where they contradict each other, and the person is brought to the stature found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pose_mdn.errors import InputError
from pose_mdn.geometry.body import KnownBodies, KnownBody
from pose_mdn.geometry.ground_plane import GroundPlane
from pose_mdn.geometry.known_body import stature_m, with_bone_lengths
from pose_mdn.geometry.known_distance import KnownDistance
from pose_mdn.geometry.size_evidence import STATURE_LOG_STD, SizeEvidence, combine
from pose_mdn.inference.distance_evidence import PROPORTION_LOG_STD, evidence_of_distance
from pose_mdn.inference.ground_evidence import evidence_of_ground
from pose_mdn.inference.known_body import with_known_body
from pose_mdn.inference.root_uncertainty import with_size_log_std
from pose_mdn.poses.hypotheses import HypothesisSequence


@dataclass(frozen=True, kw_only=True)
class KnownScale:
    """All that a user knows of the metres in a scene.

    Attributes:
        bodies: Statures and bone lengths, of everybody or by person.
        distances: Between two joints of a person.
        ground: On which people stand.
    """

    bodies: KnownBodies | None = None
    distances: Sequence[KnownDistance] = field(default_factory=tuple)
    ground: GroundPlane | None = None

    def __bool__(self) -> bool:
        return self.bodies is not None or bool(self.distances) or self.ground is not None


def with_known_scale(hypotheses: HypothesisSequence, scale: KnownScale) -> HypothesisSequence:
    """Hypotheses in the size that is known, with `root_std_m`; `size_source` says what was used and what was found.

    Args:
        hypotheses: N rows of M hypotheses.
        scale: What is known. People of whom nothing is known stay as they are.

    Raises:
        InputError: Givens contradict each other or cannot be used; the message says why.
    """
    told = {person: evidences for person, evidences in _evidence(hypotheses, scale).items() if evidences}
    found = {person: combine(evidences) for person, evidences in told.items()}
    bodies = {person: _body(person, known, scale) for person, known in found.items()}
    resized = with_known_body(hypotheses, KnownBodies(persons=bodies))
    root_std_m = resized.root_std_m.copy()
    for person, known in found.items():
        rows = hypotheses.lifted & (hypotheses.person == person)
        root_std_m[rows] = with_size_log_std(resized.take(rows), known.log_std)
    sentences = [f"person {person}: {known}" if len(found) > 1 else str(known) for person, known in found.items()]
    return replace(
        resized, root_std_m=root_std_m.astype(np.float32), size_source=f"given: {'; '.join(sentences) or 'nothing'}"
    )


def _evidence(hypotheses: HypothesisSequence, scale: KnownScale) -> dict[int, list[SizeEvidence]]:
    """By person, what each given says."""
    people = [int(person) for person in np.unique(hypotheses.person[hypotheses.lifted])]
    found: dict[int, list[SizeEvidence]] = {person: [] for person in people}
    for person in people:
        found[person] += _evidence_of_body(hypotheses, scale.bodies, person)
    for known in scale.distances:
        person, evidence = evidence_of_distance(hypotheses, known)
        found[person].append(evidence)
    if scale.ground is not None:
        looks = {person: evidence_of_ground(hypotheses, scale.ground, person) for person in people}
        for person, look in looks.items():
            found[person] += [] if look.evidence is None else [look.evidence]
        if people and not any(look.evidence for look in looks.values()):
            reasons = "; ".join(f"person {person}: {look.reason}" for person, look in looks.items())
            raise InputError(f"ground plane: expected people who stand on it, got {reasons}", field="ground_plane")
    return found


def _evidence_of_body(hypotheses: HypothesisSequence, bodies: KnownBodies | None, person: int) -> list[SizeEvidence]:
    body = _body_of(bodies, person)
    if body is None:
        return []
    if body.stature_m is not None:
        return [SizeEvidence(stature_m=body.stature_m, log_std=STATURE_LOG_STD, source=str(body))]
    rows = hypotheses.take(hypotheses.lifted & (hypotheses.person == person))
    posed, _ = with_bone_lengths(rows.means_m.astype(np.float64), body)
    return [SizeEvidence(stature_m=float(np.median(stature_m(posed))), log_std=PROPORTION_LOG_STD, source=str(body))]


def _body(person: int, known: SizeEvidence, scale: KnownScale) -> KnownBody:
    body = _body_of(scale.bodies, person)
    return KnownBody(stature_m=known.stature_m, bone_lengths_m=None if body is None else body.bone_lengths_m)


def _body_of(bodies: KnownBodies | None, person: int) -> KnownBody | None:
    return None if bodies is None else bodies.persons.get(person, bodies.everyone)
