"""Arrays as the packed lists of messages, and back."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def flat(array: ArrayLike) -> list[float]:
    """Numbers in C order."""
    values: list[float] = np.asarray(array).ravel().tolist()
    return values


def flat_flags(array: NDArray[np.bool_]) -> list[bool]:
    """Truth values in C order."""
    values: list[bool] = array.ravel().tolist()
    return values


def flags(values: Sequence[bool], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The inverse of `flat_flags`."""
    return np.array(values, dtype=np.bool_).reshape(shape)
