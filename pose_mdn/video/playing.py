"""A recorded film played to what takes live ones."""

from collections.abc import Callable
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.poses.hypotheses import HypothesisSequence


class _Film(Protocol):
    """Rows with frame numbers, of keypoints or of hypotheses."""

    @property
    def frame(self) -> NDArray[np.int64]: ...

    def __len__(self) -> int: ...

    def take(self, rows: NDArray[np.int64], /) -> Self: ...


_Rows = TypeVar("_Rows", bound=_Film)


def played(
    film: _Rows,
    push: Callable[[_Rows], HypothesisSequence | None],
    flush: Callable[[], HypothesisSequence | None],
    on_progress: Callable[[int], None] | None = None,
) -> HypothesisSequence:
    """Push a film frame by frame.

    Args:
        film: N rows in any order.
        push: Takes the rows of a frame and gives rows that are final.
        flush: Gives the others.
        on_progress: Called with numbers of rows pushed.

    Returns:
        The N rows in the order of the film.
    """
    if not len(film):
        raise InputError("frames: expected at least one row, got none", field="frame")
    order = np.argsort(film.frame, kind="stable")
    found = []
    for rows in np.split(order, np.flatnonzero(np.diff(film.frame[order])) + 1):
        found.append(push(film.take(rows)))
        if on_progress is not None:
            on_progress(len(rows))
    found.append(flush())
    rows_in_time = HypothesisSequence.concatenate([part for part in found if part is not None])
    return rows_in_time.take(np.argsort(order, kind="stable"))
