"""Numbers of many people out of parsed JSON into one array, each in one pass."""

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Unpack = Callable[[Sequence[object]], FloatArray]
"""People as parsed -> (P, J, 3) x, y, confidence; raises `UnpackError`."""

_LARGEST_WHOLE = 2**62


class UnpackError(Exception):
    """A person's joints are not what the format says.

    Attributes:
        place: Which person.
        expected: What the format wants.
        got: What came.
        cure: What to do.
    """

    def __init__(self, place: int, *, expected: str, got: object, cure: str) -> None:
        super().__init__(expected)
        self.place, self.expected, self.got, self.cure = place, expected, got, cure


def flat_triples(people: Sequence[object]) -> FloatArray:
    """People given as flat lists of x, y, confidence per joint."""
    cure = "write x, y, confidence for each joint"
    rows = _lists(people, "a list of numbers")
    for length in set(map(len, rows)):
        if length % 3:
            place = next(place for place, row in enumerate(rows) if len(row) == length)
            raise UnpackError(place, expected="x, y, confidence for each joint", got=f"{length} numbers", cure=cure)
    return numbers(rows, "numbers per person", cure, per_joint=3).reshape(len(people), -1, 3)


def pairs_and_scores(people: Sequence[object]) -> FloatArray:
    """People given as ([[x, y], ...], [score, ...]); a score list of `None` stands for full confidence."""
    points = _lists([person[0] for person in people if isinstance(person, tuple)], "a list of [x, y]")
    for place, row in enumerate(points):
        if not all(type(point) is list and len(point) == 2 for point in row):
            raise UnpackError(place, expected="[x, y] for each joint", got=row, cure="write 2D keypoints")
    flat: list[list[object]] = [list(chain.from_iterable(row)) for row in points]  # type: ignore[arg-type]
    xy = numbers(flat, "coordinates per person", "write [x, y] for each joint", per_joint=2).reshape(len(people), -1, 2)
    return _with_scores(xy, [person[1] for person in people if isinstance(person, tuple)])


def coordinate_lists(people: Sequence[object]) -> FloatArray:
    """People given as ([x, ...], [y, ...], [score, ...]); a score list of `None` stands for full confidence."""
    triples = [person for person in people if isinstance(person, tuple)]
    cure = "write one number for each joint"
    x, y = (numbers(_lists([t[i] for t in triples], "a list of numbers"), "numbers per person", cure) for i in (0, 1))
    if x.shape != y.shape:
        raise UnpackError(0, expected=f"{x.shape[1]} numbers y as there are x", got=f"{y.shape[1]}", cure=cure)
    return _with_scores(np.stack([x, y], axis=-1), [t[2] for t in triples])


def _with_scores(xy: FloatArray, scores: Sequence[object]) -> FloatArray:
    count = xy.shape[1]
    if any(row is None for row in scores):
        scores = [[1.0] * count if row is None else row for row in scores]
    confidence = numbers(_lists(scores, "a list of scores"), "scores per person", "write one score for each joint")
    if confidence.shape[1] != count:
        raise UnpackError(
            0, expected=f"{count} scores, one per joint", got=f"{confidence.shape[1]}", cure="write one for each joint"
        )
    return np.concatenate([xy, confidence[..., None]], axis=-1)


def numbers(rows: Sequence[list[object]], expected: str, cure: str, *, per_joint: int = 1) -> FloatArray:
    """(P, L) numbers of P lists of one length; `None` becomes NaN.

    Args:
        rows: The lists.
        expected: What the numbers are, for the message.
        cure: What to do, for the message.
        per_joint: How many of them a joint has.

    Raises:
        UnpackError: A list has another length than the first, or holds something else than numbers.
    """
    length = len(rows[0]) if rows else 0
    if set(map(len, rows)) - {length}:
        place = next(place for place, row in enumerate(rows) if len(row) != length)
        raise UnpackError(
            place,
            expected=f"{length // per_joint} joints as other people here have",
            got=f"{len(rows[place]) // per_joint}",
            cure="keep recordings of different layouts apart",
        )
    try:
        # The quickest way found: NumPy looks at nested lists several times, at an iterator once.
        flat = np.fromiter(chain.from_iterable(rows), np.float64, len(rows) * length)
    except (TypeError, ValueError, OverflowError):
        return _unusual_numbers(rows, length, expected, cure)
    return flat.reshape(len(rows), length)


def _unusual_numbers(rows: Sequence[list[object]], length: int, expected: str, cure: str) -> FloatArray:
    for place, row in enumerate(rows):
        if not all(map(_is_number, row)):
            raise UnpackError(place, expected=f"{length} {expected}", got=row, cure=cure)
    return np.array(rows, np.float64).reshape(len(rows), length)


def _is_number(value: object) -> bool:
    return value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) < _LARGEST_WHOLE)


def _lists(values: Sequence[object], expected: str) -> list[list[object]]:
    lists = [value for value in values if isinstance(value, list)]
    if len(lists) != len(values):
        place = next(place for place, value in enumerate(values) if not isinstance(value, list))
        raise UnpackError(place, expected=expected, got=values[place], cure="write it as docs/keypoint_formats.md says")
    return lists
