"""DeepLabCut's HDF5: a pandas table, of either of the two kinds that pandas writes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import NUMBERS, WHOLE_NUMBERS, Array
from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.hdf5_file import mentions, read_hdf5, to_attribute, to_texts
from pose_mdn.formats.keypoints.csv_table import label_numbers
from pose_mdn.formats.keypoints.deeplabcut_columns import LEVELS, from_columns
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition
from pose_mdn.formats.plain_pickle import read_plain_pickle
from pose_mdn.poses.keypoints import KeypointSequence

_USUAL_KEY = "df_with_missing"
_CURE = "write it as DeepLabCut does, or as CSV"
_LAYOUTS: Mapping[int, tuple[str, ...]] = {
    2: LEVELS[2:],
    3: (LEVELS[0], *LEVELS[2:]),
    4: LEVELS,
}
"""Levels by their number, for tables that do not name them."""


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    arrays = read_hdf5(path)
    key = _find_table(path, arrays)
    if to_attribute(arrays, f"{key}/@pandas_type") == "frame_table":
        columns, values, labels = _read_table(path, arrays, key)
    else:
        columns, values, labels = _read_fixed(path, arrays, key)
    if values.ndim != 2 or len(columns) != values.shape[1] or len(labels) != len(values):
        got = f"{len(columns)} names for values of shape {values.shape} and {len(labels)} labels"
        raise fault(path, expected="a name for each column and a label for each row", got=got, cure=_CURE)
    counts = {len(column) for column in columns}
    if len(counts) != 1 or (count := counts.pop()) not in _LAYOUTS:
        got = shown(columns[:2])
        raise fault(path, expected="columns named by scorer, bodyparts and coords", got=got, cure=_CURE)
    parts = list(zip(*columns, strict=True))
    levels = dict(zip(_LAYOUTS[count], parts, strict=True))
    return from_columns(path, levels, values, label_numbers(_plain(labels)), options)


def _find_table(path: Path, arrays: Mapping[str, Array]) -> str:
    """The name of the one table in the file, or of the usual one."""
    tables = [
        key.removesuffix("/@pandas_type")
        for key in arrays
        if key.endswith("/@pandas_type") and to_attribute(arrays, key) in {"frame", "frame_table"}
    ]
    if len(tables) == 1:
        return tables[0]
    if _USUAL_KEY in tables:
        return _USUAL_KEY
    raise fault(path, expected=f"a pandas table {_USUAL_KEY!r}", got=shown(tables), cure=_CURE)


def _read_fixed(
    path: Path, arrays: Mapping[str, Array], key: str
) -> tuple[list[tuple[str, ...]], NDArray[np.float64], Array]:
    """A table of the kind 'fixed': blocks of columns, whose names are numbers into lists of names."""
    columns: list[tuple[str, ...]] = []
    values = []
    for block in range(64):
        array = arrays.get(f"{key}/block{block}_values")
        if array is None:
            break
        columns += _joined_names(path, arrays, f"{key}/block{block}_items")
        values.append(_numbers(path, array))
    labels = arrays.get(f"{key}/axis1")
    if not values or len({len(array) for array in values}) > 1:
        raise fault(path, expected="blocks of values of one length", got=f"{len(values)} blocks", cure=_CURE)
    table = np.concatenate(values, axis=1)
    return columns, table, np.arange(len(table)) if labels is None else labels


def _joined_names(path: Path, arrays: Mapping[str, Array], key: str) -> list[tuple[str, ...]]:
    levels = []
    for level in range(len(LEVELS) + 1):
        names, places = arrays.get(f"{key}_level{level}"), arrays.get(f"{key}_label{level}")
        if names is None or places is None:
            break
        texts = to_texts(names)
        fits = places.dtype.kind in WHOLE_NUMBERS and places.ndim == 1
        if not fits or not ((places.astype(np.int64) >= 0) & (places.astype(np.int64) < len(texts))).all():
            raise fault(path, expected=f"numbers of names in '{key}_label{level}'", got=shown(places), cure=_CURE)
        levels.append([texts[place] for place in places.tolist()])
    if not levels or len({len(level) for level in levels}) > 1:
        got = f"{len(levels)} levels of names"
        raise fault(path, expected="columns named by scorer, bodyparts and coords", got=got, cure=_CURE)
    return list(zip(*levels, strict=True))


def _read_table(
    path: Path, arrays: Mapping[str, Array], key: str
) -> tuple[list[tuple[str, ...]], NDArray[np.float64], Array]:
    """A table of the kind 'table': rows of one block, whose columns' names stand in an attribute."""
    values, labels = arrays.get(f"{key}/table/values_block_0"), arrays.get(f"{key}/table/index")
    if values is None or labels is None:
        raise fault(path, expected="a table of frames", got=shown(sorted(arrays)), cure=_CURE)
    names = _pickled_names(path, arrays.get(f"{key}/table@values_block_0_kind"))
    return names, _numbers(path, values), labels


def _pickled_names(path: Path, attribute: Array | None) -> list[tuple[str, ...]]:
    content = attribute.item() if attribute is not None and attribute.size == 1 else None
    if isinstance(content, str):
        content = content.encode("latin-1", "replace")
    try:
        names = read_plain_pickle(content) if isinstance(content, bytes) else None
    except ValueError as error:
        cure = "write it with format='fixed', or as CSV"
        raise fault(path, expected="a plain list of columns", got=str(error), cure=cure) from error
    if not isinstance(names, list) or not all(isinstance(name, tuple | list) for name in names):
        raise fault(path, expected="a list of columns", got=shown(names), cure=_CURE)
    return [tuple(str(part) for part in name) for name in names]


def _plain(labels: Array) -> Array:
    """Labels as numbers or text, one per row."""
    if labels.dtype.kind in NUMBERS and labels.ndim == 1:
        return labels
    return np.array(to_texts(labels), np.str_) if labels.ndim == 1 else np.arange(len(labels))


def _numbers(path: Path, array: Array) -> NDArray[np.float64]:
    if array.dtype.kind not in NUMBERS or array.ndim != 2:
        raise fault(path, expected="rows of numbers", got=f"{array.dtype}, shape {array.shape}", cure=_CURE)
    return array.astype(np.float64)


def _recognise(path: Path) -> Recognition | None:
    if mentions(path, b"pandas_type"):
        return Recognition(confidence=0.9, reason="an HDF5 file with a pandas table")
    return None


FORMAT = KeypointFormat(
    name="deeplabcut_h5",
    description="DeepLabCut's table *.h5 (needs the extra h5)",
    suffixes=(".h5", ".hdf5"),
    recognise=_recognise,
    read=_read,
)
"""What DeepLabCut's `analyze_videos` writes."""
