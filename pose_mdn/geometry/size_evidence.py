"""What is known of one person's size, from wherever it comes: a stature with its uncertainty.

Whatever fixes the size of a person (a stature, two joints of known distance, the ground) is expressed as a log-normal
distribution over the stature. Independent ones are combined as Gaussians are, by precision:

    1 / s^2 = sum_i 1 / s_i^2,    log S = s^2 sum_i log S_i / s_i^2

and two that differ by more than chance allows contradict each other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from pose_mdn.errors import InputError

STATURE_LOG_STD = 0.02
"""Of a stature that a user gives: how well bone lengths tell statures (1.9 %, `pose_mdn.geometry.known_body`)."""

_CONTRADICTION = 3.0
"""Standard deviations of the difference beyond which one of two givens must be wrong: 0.3 % by chance."""


@dataclass(frozen=True, kw_only=True)
class SizeEvidence:
    """A log-normal distribution over a person's stature.

    Attributes:
        stature_m: Its median.
        log_std: Standard deviation of the stature's logarithm; 0.05 is 5 %.
        source: What it rests on, for people to read.
    """

    stature_m: float
    log_std: float
    source: str

    def __str__(self) -> str:
        low, high = (self.stature_m * math.exp(sign * self.log_std) for sign in (-1, 1))
        return f"{self.source}: stature {self.stature_m:.2f} m ({low:.2f}-{high:.2f}, 68 %)"


def combine(evidences: Sequence[SizeEvidence]) -> SizeEvidence:
    """All that is known of one person's size, as one distribution.

    Raises:
        InputError: Two of them contradict each other; the message states both.
    """
    if len(evidences) == 1:
        return evidences[0]
    for one, other in combinations(evidences, 2):
        difference = abs(math.log(one.stature_m / other.stature_m))
        if difference > _CONTRADICTION * math.hypot(one.log_std, other.log_std):
            raise InputError(
                f"size: expected givens that agree, got {one}, but {other}; leave out the one that is wrong",
                field="body",
            )
    precision = sum(evidence.log_std**-2 for evidence in evidences)
    log_stature = sum(math.log(evidence.stature_m) * evidence.log_std**-2 for evidence in evidences) / precision
    return SizeEvidence(
        stature_m=math.exp(log_stature),
        log_std=precision**-0.5,
        source=" and ".join(evidence.source for evidence in evidences),
    )
