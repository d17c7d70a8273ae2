"""Rows of single people in single frames, spread over a grid of all frames and all people.

Letters in shapes: T frames, P people, M hypotheses.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.formats.array_checks import Array
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.single import SinglePoses
from pose_mdn.poses.status import Status
from pose_mdn.skeletons import HUMAN36M17

LARGEST_BYTES = 4 * 2**30
"""Of one dense array. People who come and go leave most of a grid empty."""

_NO_ROW = -1


@dataclass(frozen=True, kw_only=True)
class Variable:
    """An array with names for its axes.

    Attributes:
        name: What it is called.
        dimensions: Names of its axes.
        values: NaN where the grid has no row.
        meaning: One phrase.
        unit: Empty for plain numbers.
        facts: Further attributes.
    """

    name: str
    dimensions: tuple[str, ...]
    values: Array
    meaning: str
    unit: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DenseGrid:
    """Where each row goes.

    Attributes:
        frames: (T,) frame numbers that rows have, ascending.
        people: (P,) identities, ascending; frames of nobody have no place among them.
        rows: (R,) the rows that are of somebody.
        time: (R,) places of these among the frames.
        individual: (R,) and among the people.
    """

    frames: NDArray[np.int64]
    people: NDArray[np.int64]
    rows: NDArray[np.int64]
    time: NDArray[np.int64]
    individual: NDArray[np.int64]

    @classmethod
    def of(cls, hypotheses: HypothesisSequence) -> Self:
        """The grid of some hypotheses.

        Raises:
            InputError: A person is in a frame twice, or the grid would be much larger than what it holds.
        """
        frames = np.unique(hypotheses.frame)
        rows = np.flatnonzero((hypotheses.person >= 0) | (hypotheses.status != Status.NO_PERSON.value))
        people = np.unique(hypotheses.person[rows])
        grid = cls(
            frames=frames,
            people=people,
            rows=rows,
            time=np.searchsorted(frames, hypotheses.frame[rows]),
            individual=np.searchsorted(people, hypotheses.person[rows]),
        )
        grid._require_one_row_each()
        grid._require_room(hypotheses.num_hypotheses)
        return grid

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the 17 joints."""
        return HUMAN36M17.joint_names

    def spread(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """(T, ..., P) of (N, ...) values, NaN where there is no row."""
        dense = np.full((len(self.frames), *values.shape[1:], len(self.people)), np.nan, np.float32)
        # Of a view, since an index on the first and the last axis would move both to the front.
        np.moveaxis(dense, -1, 1)[self.time, self.individual] = values[self.rows]
        return dense

    def _require_one_row_each(self) -> None:
        place = self.time * len(self.people) + self.individual
        _, first = np.unique(place, return_index=True)
        if len(first) < len(place):
            twice = np.setdiff1d(np.arange(len(place)), first)[0]
            raise InputError(
                f"person: expected each person once in a frame, got person {self.people[self.individual[twice]]} twice "
                f"in frame {self.frames[self.time[twice]]}; give everybody an identity of their own (pose-mdn track), "
                "or choose a format with a row per pose",
                field="person",
            )

    def _require_room(self, num_hypotheses: int) -> None:
        size = len(self.frames) * len(self.people) * num_hypotheses * 17 * 3 * np.dtype(np.float32).itemsize
        if size > LARGEST_BYTES:
            raise InputError(
                f"person: expected at most {LARGEST_BYTES / 1e9:.1f} GB for all people in all frames, got "
                f"{len(self.people)} people in {len(self.frames)} frames, {size / 1e9:.1f} GB; split the recording, or "
                "choose a format with a row per pose, such as parquet",
                field="person",
            )


def variables(grid: DenseGrid, hypotheses: HypothesisSequence, poses: SinglePoses) -> Iterator[Variable]:
    """Everything that is written, one array at a time, so that not all are in memory at once."""
    axes = ("time", "space", "keypoints", "individuals")
    yield Variable(
        name="position",
        dimensions=axes,
        values=grid.spread(poses.positions_m.swapaxes(1, 2)),
        meaning=f"one pose for each person and time ({poses.choice}), in the camera frame",
        unit="m",
    )
    yield Variable(
        name="confidence",
        dimensions=("time", "keypoints", "individuals"),
        values=grid.spread(hypotheses.confidence),
        meaning="confidence of the 2D keypoint that was lifted, 0 where it was missing",
    )
    yield Variable(
        name="position_std",
        dimensions=axes,
        values=grid.spread(poses.std_m.swapaxes(1, 2)),
        meaning="standard deviation of position along the camera's axes, relative to the pelvis",
        unit="m",
    )
    yield Variable(name="frame", dimensions=("time",), values=grid.frames, meaning="frame number")
    yield _status(grid, hypotheses)
    for name, dimensions, unit, meaning in _MIXTURE:
        values = _mixture(hypotheses, name)
        yield Variable(name=name, dimensions=dimensions, values=grid.spread(values), meaning=meaning, unit=unit)


_MIXTURE = (
    ("mixing_coefficients", ("time", "hypothesis", "individuals"), "", "probability of each hypothesis"),
    (
        "hypothesis_position",
        ("time", "hypothesis", "space", "keypoints", "individuals"),
        "m",
        "mean of each hypothesis, in the camera frame",
    ),
    (
        "hypothesis_std",
        ("time", "hypothesis", "sight", "keypoints", "individuals"),
        "m",
        "standard deviation across and along the line of sight, relative to the pelvis",
    ),
    (
        "view_rotation",
        ("time", "space", "sight_axis", "individuals"),
        "",
        "rotation from the line-of-sight frame, in which covariances are diagonal, to the camera frame",
    ),
    (
        "reprojection_error_px",
        ("time", "hypothesis", "individuals"),
        "px",
        "confidence-weighted RMS distance of each hypothesis to the observed joints",
    ),
    (
        "ood_score",
        ("time", "individuals"),
        "",
        "probability that the keypoints are not a person as the model knows people",
    ),
)
"""Name, axes, unit and meaning of what is known beyond one pose."""


def _mixture(hypotheses: HypothesisSequence, name: str) -> NDArray[np.float32]:
    """(N, ...) values of one of `_MIXTURE`, joints after coordinates."""
    if name == "hypothesis_position":
        return (hypotheses.means_m + hypotheses.root_translation_m[:, :, None]).swapaxes(2, 3)
    if name == "hypothesis_std":
        return hypotheses.std_m.swapaxes(2, 3)
    values: NDArray[np.float32] = getattr(hypotheses, name)
    return values


def _status(grid: DenseGrid, hypotheses: HypothesisSequence) -> Variable:
    """Numbers for words, as the CF conventions have flags (section 3.5)."""
    words = [status.value for status in Status]
    words += sorted(set(hypotheses.status.tolist()) - set(words))
    numbers = np.array([words.index(word) for word in hypotheses.status.tolist()], np.int8)
    dense = np.full((len(grid.frames), len(grid.people)), _NO_ROW, np.int8)
    dense[grid.time, grid.individual] = numbers[grid.rows]
    return Variable(
        name="status",
        dimensions=("time", "individuals"),
        values=dense,
        meaning="what happened to the row",
        facts={
            "flag_values": np.arange(_NO_ROW, len(words), dtype=np.int8),
            "flag_meanings": " ".join(["no_row", *words]),
        },
    )
