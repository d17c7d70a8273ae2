"""Arrow columns of numbers and of lists of numbers as NumPy arrays, without a Python object per row."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import to_float32, to_int64
from pose_mdn.formats.faults import fault

FloatArray = NDArray[np.float32]
_CURE = "write it as docs/formats.md says"


def is_list(arrow_type: pa.DataType) -> bool:
    """Whether a column holds lists, of fixed size or not."""
    return bool(
        pa.types.is_fixed_size_list(arrow_type) or pa.types.is_list(arrow_type) or pa.types.is_large_list(arrow_type)
    )


def storage_type(arrow_type: pa.DataType) -> pa.DataType:
    """What a column consists of; tensors are lists with a shape beside them."""
    return arrow_type.storage_type if isinstance(arrow_type, pa.BaseExtensionType) else arrow_type


def list_depth(arrow_type: pa.DataType) -> int:
    """How many levels of lists a column has: 0 for plain values."""
    depth, inner = 0, storage_type(arrow_type)
    while is_list(inner):
        depth, inner = depth + 1, storage_type(inner.value_type)
    return depth


def list_size(column: pa.Array) -> int:
    """How many entries the lists of a column have, the longest if they differ; 0 if there are none."""
    column = _storage(column)
    if pa.types.is_fixed_size_list(column.type):
        return int(column.type.list_size)
    longest = pc.max(pc.list_value_length(column)).as_py()
    return int(longest or 0)


def list_sizes(column: pa.Array) -> tuple[int, ...]:
    """How many entries the lists of each level have, from the outermost in."""
    sizes = []
    column = _storage(column)
    while is_list(column.type):
        sizes.append(list_size(column))
        column = _storage(column.flatten())
    return tuple(sizes)


def list_numbers(path: Path, key: str, column: pa.Array, sizes: tuple[int, ...]) -> NDArray[np.floating]:
    """A column of lists as an array.

    Args:
        path: The file, for messages.
        key: The column's name, for messages.
        column: One chunk of a column with as many levels of lists as there are `sizes`.
        sizes: Entries of the lists of each level.

    Returns:
        (N, *sizes), of the column's precision. Nulls of any level and empty lists become NaN. A view of the column's
        own memory where it holds floats without nulls.

    Raises:
        FormatError: Lists of other lengths, or entries that are no numbers.
    """
    column = _storage(column)
    if not sizes:
        return _numbers(path, key, column)
    size, count = sizes[0], len(column)
    filled = np.ones(count, bool)
    if column.null_count:
        filled = column.is_valid().to_numpy(zero_copy_only=False)
    if not pa.types.is_fixed_size_list(column.type):
        lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        if not np.isin(lengths, (0, size)).all():
            other = int(lengths[~np.isin(lengths, (0, size))][0])
            raise fault(path, expected=f"lists of {size} in {key!r}", got=f"one of {other}", cure=_CURE)
        filled = lengths > 0
    inner = list_numbers(path, key, column.flatten(), sizes[1:]).reshape(int(filled.sum()), *sizes)
    if filled.all():
        return inner
    result = np.full((count, *sizes), np.nan, inner.dtype)
    result[filled] = inner
    return result


def plain_numbers(path: Path, key: str, column: pa.Array) -> FloatArray:
    """(N,) numbers of a column without lists; nulls become NaN."""
    return to_float32(_numbers(path, key, _storage(column)))


def whole_numbers(path: Path, key: str, column: pa.Array) -> NDArray[np.int64]:
    """(N,) whole numbers.

    Raises:
        FormatError: Nulls, fractions, or no numbers at all.
    """
    column = _storage(column)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise fault(path, expected=f"whole numbers in {key!r}", got=f"{column.type}", cure=_CURE)
    if column.null_count:
        raise fault(path, expected=f"a number in each row of {key!r}", got="nulls", cure=_CURE)
    values = column.to_numpy(zero_copy_only=False)
    return values if values.dtype == np.int64 else to_int64(path, key, values)


def _storage(column: pa.Array) -> pa.Array:
    return column.storage if isinstance(column, pa.ExtensionArray) else column


def _numbers(path: Path, key: str, column: pa.Array) -> NDArray[np.floating]:
    if pa.types.is_decimal(column.type) or pa.types.is_null(column.type):
        column = column.cast(pa.float64())
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise fault(path, expected=f"numbers in {key!r}", got=f"{column.type}", cure=_CURE)
    values: NDArray[np.generic] = column.to_numpy(zero_copy_only=False)
    if values.dtype in {np.float32, np.float64}:
        return values  # type: ignore[return-value]
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)
