"""The per-pose arrays of a hypotheses file: one table for the writers and the readers of every suffix."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose_mdn.errors import InputError
from pose_mdn.formats.array_checks import NUMBERS, TEXT, WHOLE_NUMBERS
from pose_mdn.skeletons import HUMAN36M17

JOINTS = HUMAN36M17.num_joints


@dataclass(frozen=True, kw_only=True)
class Column:
    """One array with a row per pose.

    Attributes:
        key: Name in the file.
        field: Name in `HypothesisSequence`.
        shape: Sizes after the row; "M" is the number of hypotheses.
        dtype: Stored type; `np.str_` for text.
        unit: Unit, empty for plain numbers.
        meaning: One phrase for people who find the file without its documentation.
        optional: Whether files of earlier versions lack it; the sequence's own default then stands.
    """

    key: str
    field: str
    shape: tuple[int | str, ...]
    dtype: type[np.generic]
    unit: str
    meaning: str
    optional: bool = False

    @property
    def kinds(self) -> str:
        """NumPy kind letters that pass for this column."""
        if self.dtype is np.str_:
            return TEXT
        return WHOLE_NUMBERS if self.dtype is np.int64 else NUMBERS

    def sizes(self, num_hypotheses: int) -> tuple[int, ...]:
        """Sizes after the row, for M hypotheses."""
        return tuple(num_hypotheses if size == "M" else int(size) for size in self.shape)


COLUMNS = (
    Column(key="frame", field="frame", shape=(), dtype=np.int64, unit="", meaning="frame number"),
    Column(
        key="person", field="person", shape=(), dtype=np.int64, unit="", meaning="identity; -1 for a frame of nobody"
    ),
    Column(key="status", field="status", shape=(), dtype=np.str_, unit="", meaning="what happened to the row"),
    Column(
        key="means",
        field="means_m",
        shape=("M", JOINTS, 3),
        dtype=np.float32,
        unit="m",
        meaning="component means, root-relative, camera frame",
    ),
    Column(
        key="std",
        field="std_m",
        shape=("M", JOINTS, 2),
        dtype=np.float32,
        unit="m",
        meaning="standard deviations across and along the line of sight",
    ),
    Column(
        key="view_rotation",
        field="view_rotation",
        shape=(3, 3),
        dtype=np.float32,
        unit="",
        meaning="line-of-sight frame to camera frame",
    ),
    Column(
        key="mixing_coefficients",
        field="mixing_coefficients",
        shape=("M",),
        dtype=np.float32,
        unit="",
        meaning="probabilities of the components",
    ),
    Column(
        key="root_translation",
        field="root_translation_m",
        shape=("M", 3),
        dtype=np.float32,
        unit="m",
        meaning="pelvis position in the camera frame",
    ),
    Column(
        key="reprojection_error_px",
        field="reprojection_error_px",
        shape=("M",),
        dtype=np.float32,
        unit="px",
        meaning="confidence-weighted RMS distance to the observed joints",
    ),
    Column(
        key="ood_score",
        field="ood_score",
        shape=(),
        dtype=np.float32,
        unit="",
        meaning="probability that the keypoints are not a person as the model knows people, NaN if unknown",
        optional=True,
    ),
    Column(
        key="root_std",
        field="root_std_m",
        shape=("M", 2),
        dtype=np.float32,
        unit="m",
        meaning="standard deviations of root_translation across and along the line of sight, NaN if not stated",
        optional=True,
    ),
    Column(
        key="keypoints",
        field="keypoints_px",
        shape=(JOINTS, 2),
        dtype=np.float32,
        unit="px",
        meaning="what was lifted, NaN where missing",
    ),
    Column(
        key="confidence",
        field="confidence",
        shape=(JOINTS,),
        dtype=np.float32,
        unit="",
        meaning="confidences that were used, 0 where missing",
    ),
    Column(
        key="intrinsics", field="intrinsics", shape=(3, 3), dtype=np.float64, unit="px", meaning="pinhole matrix used"
    ),
)
"""Every per-row array, in the order in which it is written."""


def choose_columns(keys: Sequence[str] | None) -> tuple[Column, ...]:
    """The columns of these keys, in the order in which they are written; all of them for `None`.

    Raises:
        InputError: There is no such column, or none is named.
    """
    if keys is None:
        return COLUMNS
    known = {column.key for column in COLUMNS}
    if not keys or not known >= set(keys):
        wrong = next((key for key in keys if key not in known), "none")
        raise InputError(f"columns: expected some of {', '.join(sorted(known))}, got {wrong!r}", field="columns")
    return tuple(column for column in COLUMNS if column.key in keys)
