"""How well people were followed, by the usual figures, counted over the rows of a recording.

Truth and answer are both a number per row, so who corresponds to whom in a frame is known and need not be matched
first.

- **Switches**: how often a person's number differs from the one that person had when last numbered (Bernardin and
  Stiefelhagen, EURASIP Journal on Image and Video Processing, 2008).
- **MOTA** = 1 - (misses + false positives + switches) / rows of people: a miss is a row of a person without a number, a
  false positive a row of nobody with one.
- **IDF1** = 2 IDTP / (rows of people + numbered rows): IDTP are the rows whose number is the one that belongs to the
  person, under the assignment of numbers to people that makes them most (Ristani et al., "Performance measures and a
  data set for multi-target, multi-camera tracking", 2016).
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pose_mdn.people.assignment import assign

_NOBODY = -1


@dataclass(frozen=True, kw_only=True)
class TrackingScore:
    """Counts of one recording or of several.

    Attributes:
        people: Rows of people.
        numbered: Rows with a number.
        misses: Rows of people without a number.
        false_positives: Rows of nobody with a number.
        switches: Changes of a person's number.
        identified: Rows with the number that belongs to the person.
    """

    people: int
    numbered: int
    misses: int
    false_positives: int
    switches: int
    identified: int

    @property
    def mota(self) -> float:
        """1 if nothing is wrong; may be negative. NaN without people."""
        wrong = self.misses + self.false_positives + self.switches
        return 1.0 - wrong / self.people if self.people else float("nan")

    @property
    def idf1(self) -> float:
        """From 0 to 1. NaN without people and numbers."""
        rows = self.people + self.numbered
        return 2.0 * self.identified / rows if rows else float("nan")

    @classmethod
    def total(cls, scores: Iterable["TrackingScore"]) -> "TrackingScore":
        """Of several recordings together."""
        scores = list(scores)
        return cls(**{field.name: sum(getattr(score, field.name) for score in scores) for field in fields(cls)})


def score_tracking(frame: NDArray[np.int64], truth: NDArray[np.int64], identity: NDArray[np.int64]) -> TrackingScore:
    """Compare numbers with the truth.

    Args:
        frame: (N,) frame numbers.
        truth: (N,) who it is; -1 for nobody.
        identity: (N,) the number given; -1 for none.
    """
    is_person, is_numbered = truth != _NOBODY, identity != _NOBODY
    both = np.flatnonzero(is_person & is_numbered)
    both = both[np.lexsort([frame[both], truth[both]])]
    switches = (np.diff(truth[both]) == 0) & (np.diff(identity[both]) != 0)
    return TrackingScore(
        people=int(is_person.sum()),
        numbered=int(is_numbered.sum()),
        misses=int((is_person & ~is_numbered).sum()),
        false_positives=int((~is_person & is_numbered).sum()),
        switches=int(switches.sum()),
        identified=_most_in_common(truth[both], identity[both]),
    )


def _most_in_common(truth: NDArray[np.int64], identity: NDArray[np.int64]) -> int:
    """How many rows agree under the best one-to-one translation of numbers into people."""
    people, person = np.unique(truth, return_inverse=True)
    numbers, number = np.unique(identity, return_inverse=True)
    common = np.zeros((len(people), len(numbers)))
    np.add.at(common, (person, number), 1.0)
    column = assign(-common)
    rows = np.flatnonzero(column >= 0)
    return int(common[rows, column[rows]].sum())
