"""Whether an array read from a file is what its key promises."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.faults import fault, shown

Array = NDArray[np.generic]
_CURE = "write it as docs/formats.md says"
_KIND_NAMES = {"fiu": "numbers", "iu": "whole numbers", "US": "text"}

NUMBERS, WHOLE_NUMBERS, TEXT = _KIND_NAMES


def check_array(
    path: Path, key: str, array: Array, *, kinds: str, shape: tuple[int | str, ...], sizes: dict[str, int]
) -> None:
    """Check an array's type and shape.

    Args:
        path: The file, for the message.
        key: The array's name in the file.
        array: What was read.
        kinds: `NUMBERS`, `WHOLE_NUMBERS` or `TEXT`.
        shape: Expected sizes; a letter stands for a size that is the same wherever the letter stands.
        sizes: Letter -> size, as known so far; letters met for the first time are added.

    Raises:
        FormatError: Type or shape differ.
    """
    if array.dtype.kind not in kinds:
        raise fault(path, expected=f"{_KIND_NAMES[kinds]} in {key!r}", got=f"dtype {array.dtype}", cure=_CURE)
    known = [sizes.get(size, size) if isinstance(size, str) else size for size in shape]
    fits = array.ndim == len(shape) and all(
        isinstance(size, str) or size == got for size, got in zip(known, array.shape, strict=True)
    )
    if not fits:
        text = ", ".join(str(size) for size in known) + ("," if len(known) == 1 else "")
        raise fault(path, expected=f"{key!r} of shape ({text})", got=f"{array.shape}", cure=_CURE)
    sizes.update({size: got for size, got in zip(shape, array.shape, strict=True) if isinstance(size, str)})


def to_float32(array: Array) -> NDArray[np.float32]:
    """Numbers as float32; what is too large for it becomes infinite without a warning."""
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(np.float32, copy=False)


def to_int64(path: Path, key: str, array: Array) -> NDArray[np.int64]:
    """Whole numbers as int64; floats that are whole pass."""
    whole = array.astype(np.float64)
    if not (np.isfinite(whole).all() and (np.abs(whole) < 2.0**62).all() and (np.rint(whole) == whole).all()):
        raise fault(path, expected=f"whole numbers in {key!r}", got=shown(array.ravel()[:3].tolist()), cure=_CURE)
    return array.astype(np.int64, copy=False)


def to_text(path: Path, key: str, array: Array) -> str:
    """The one string that an array holds."""
    if array.dtype.kind not in TEXT or array.size != 1:
        raise fault(path, expected=f"one text in {key!r}", got=f"dtype {array.dtype}, shape {array.shape}", cure=_CURE)
    value: object = array.reshape(-1)[0].item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def to_positive(path: Path, key: str, array: Array) -> float:
    """The one finite number above zero that an array holds."""
    value = float(array.reshape(-1)[0].item()) if array.size == 1 and array.dtype.kind in NUMBERS else float("nan")
    if not 0 < value < float("inf"):
        raise fault(path, expected=f"one number above 0 in {key!r}", got=shown(array.tolist()), cure=_CURE)
    return value
