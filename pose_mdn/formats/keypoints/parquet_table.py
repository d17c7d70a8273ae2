"""A table of keypoints: which column holds what, and a batch of its rows as a sequence."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import to_float32
from pose_mdn.formats.camera_keys import read_intrinsics
from pose_mdn.formats.faults import fault
from pose_mdn.formats.keypoints.joint_layouts import find_layout
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.formats.keypoints.landmark_columns import CONFIDENCE, X, Y
from pose_mdn.formats.keypoints.landmark_columns import joint_columns as joint_columns_of
from pose_mdn.formats.keypoints.missing import mark_missing
from pose_mdn.formats.keypoints.parquet_columns import (
    FloatArray,
    list_depth,
    list_numbers,
    list_sizes,
    plain_numbers,
    whole_numbers,
)
from pose_mdn.formats.keypoints.parquet_facts import TableFacts, read_facts
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import Skeleton

_COLUMNS = ("keypoints", "confidence", "frame", "person", "intrinsics")
_CURE = "write it as docs/formats.md says"


@dataclass(frozen=True, kw_only=True)
class KeypointTable:
    """How to read the rows of one table.

    Attributes:
        path: The file, for messages.
        skeleton: The layout of the joints.
        facts: What holds for the whole table, overridden by what the user says.
        columns: The columns to read.
        joint_columns: For each joint its columns of x, y and confidence, empty for a joint that has none; no entries if
            keypoints are lists.
        layout_confidence: How sure the layout is.
    """

    path: Path
    skeleton: Skeleton
    facts: TableFacts
    columns: tuple[str, ...]
    joint_columns: tuple[tuple[str, ...], ...] = ()
    layout_confidence: float = 1.0

    def raw_joints(self, batch: pa.RecordBatch) -> tuple[FloatArray, FloatArray]:
        """(N, J, 2) coordinates and (N, J) confidences as they stand in the file."""
        if self.joint_columns:
            joints = np.stack([self._joint(batch, columns) for columns in self.joint_columns], axis=1)
            return joints[..., :2], joints[..., 2]
        joints = self._keypoints(batch.column("keypoints"))
        if "confidence" in self.columns:
            confidence = self._lists(batch, "confidence", (self.skeleton.num_joints,))
            return joints[..., :2], to_float32(confidence)
        return joints[..., :2], joints[..., 2] if joints.shape[2] == 3 else np.ones(joints.shape[:2], np.float32)

    def nobody(self) -> KeypointSequence:
        """A sequence without rows."""
        joints, none = self.skeleton.num_joints, np.zeros(0, np.int64)
        keypoints_px, confidence = np.zeros((0, joints, 2), np.float32), np.zeros((0, joints), np.float32)
        matrices = np.zeros((0, 3, 3)) if "intrinsics" in self.columns else None
        return self._sequence(keypoints_px, confidence, frame=none, person=none, matrices=matrices)

    def rows(self, batch: pa.RecordBatch, *, frame: NDArray[np.int64], person: NDArray[np.int64]) -> KeypointSequence:
        """The rows of a batch.

        Args:
            batch: The columns `columns`.
            frame: (N,) frame numbers.
            person: (N,) identities.

        Raises:
            FormatError: Lists of other lengths than the layout has joints, or values of another kind.
        """
        keypoints, confidence = self.raw_joints(batch)
        # Percentages are refused once per file; a slice of it decides nothing.
        keypoints_px, confidence = mark_missing(self.path, keypoints, np.minimum(confidence, np.float32(1)))
        return self._sequence(keypoints_px, confidence, frame=frame, person=person, matrices=self._intrinsics(batch))

    def _sequence(
        self,
        keypoints_px: FloatArray,
        confidence: FloatArray,
        *,
        frame: NDArray[np.int64],
        person: NDArray[np.int64],
        matrices: NDArray[np.float64] | None,
    ) -> KeypointSequence:
        return KeypointSequence(
            keypoints_px=keypoints_px,
            confidence=confidence,
            skeleton=self.skeleton,
            frame=frame,
            person=person,
            image_size=self.facts.image_size,
            fps=self.facts.fps,
            intrinsics=None if self.facts.camera_assumed else self.facts.intrinsics if matrices is None else matrices,
            distortion=self.facts.distortion,
            lens_model=self.facts.lens_model,
            tracked=self.facts.tracked if self.facts.tracked is not None else "person" in self.columns,
            layout_confidence=self.layout_confidence,
        )

    def _keypoints(self, column: pa.Array) -> FloatArray:
        joints, sizes = self.skeleton.num_joints, list_sizes(column)
        values = -1
        if len(sizes) == 1:
            values = sizes[0] // joints if sizes[0] % joints == 0 else -1
        elif len(sizes) == 2:
            values = sizes[1] if sizes[0] == joints else 0 if sizes[0] == 0 else -1
        if values == 0:
            return np.full((len(column), joints, 2), np.nan, np.float32)
        if values not in {2, 3}:
            expected = f"{joints} joints of 2 or 3 numbers in 'keypoints' for skeleton {self.skeleton.name!r}"
            got = f"lists of {' x '.join(map(str, sizes)) or 'nothing'}"
            raise fault(self.path, expected=expected, got=got, cure="pass the skeleton that the detector used")
        numbers = list_numbers(self.path, "keypoints", column, sizes)
        return to_float32(numbers).reshape(len(column), joints, values)

    def _joint(self, batch: pa.RecordBatch, columns: tuple[str, ...]) -> FloatArray:
        """(N, 3) x, y and confidence of one joint."""
        if not columns:
            return np.full((len(batch), 3), np.nan, np.float32)
        values = [plain_numbers(self.path, name, batch.column(name)) for name in columns]
        return np.stack(np.broadcast_arrays(*values, np.float32(1))[:3], axis=1)

    def _lists(self, batch: pa.RecordBatch, key: str, shape: tuple[int, ...]) -> NDArray[np.floating]:
        column = batch.column(key)
        sizes = list_sizes(column)
        if 0 in sizes:
            return np.full((len(column), *shape), np.nan)
        if sizes != shape:
            expected, got = f"lists of {' x '.join(map(str, shape))} in {key!r}", "x".join(map(str, sizes))
            raise fault(self.path, expected=expected, got=got or "no lists", cure=_CURE)
        return list_numbers(self.path, key, column, sizes)

    def _intrinsics(self, batch: pa.RecordBatch) -> NDArray[np.float64] | None:
        if self.facts.camera_assumed or "intrinsics" not in self.columns:
            return None
        shape = (3, 3) if list_depth(batch.column("intrinsics").type) == 2 else (9,)
        matrices = self._lists(batch, "intrinsics", shape).reshape(-1, 3, 3)
        return read_intrinsics(self.path, matrices, len(matrices))


def describe_table(path: Path, schema: pa.Schema, options: ReadOptions) -> KeypointTable:
    """Find out which columns hold what.

    Raises:
        FormatError: There are no keypoints in the table, or nobody says in which layout.
    """
    names = list(schema.names)
    facts = read_facts(path, schema)
    skeleton = options.skeleton or facts.skeleton
    joint_columns: tuple[tuple[str, ...], ...] = ()
    sureness = 1.0
    if "keypoints" not in names and (wide := axis_columns(names)):
        layout = find_layout(path, list(wide), skeleton)
        skeleton, sureness = layout.skeleton, layout.confidence
        places = list(wide.values())
        joint_columns = tuple(places[source] if source >= 0 else () for source in layout.sources)
    else:
        _check_names(path, names)
    if skeleton is None:
        cure = 'add {"skeleton": "coco17"} as JSON to the schema\'s metadata under \'pose_mdn\', or pass skeleton='
        raise fault(path, expected="the layout of the joints", got="none", cure=cure)
    return KeypointTable(
        path=path,
        skeleton=skeleton,
        facts=replace(
            facts, image_size=options.image_size or facts.image_size, fps=options.fps or facts.fps, skeleton=skeleton
        ),
        columns=(
            *(name for name in _COLUMNS if name in names and not (joint_columns and name in _COLUMNS[:2])),
            *(name for columns in joint_columns for name in columns),
        ),
        joint_columns=joint_columns,
        layout_confidence=sureness,
    )


def axis_columns(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Joint -> its columns of x, y and, if there is one, confidence."""
    return {
        joint: tuple(names[axes[axis]] for axis in (X, Y, CONFIDENCE) if axis in axes)
        for joint, axes in joint_columns_of(names).items()
    }


def frames_of(table: KeypointTable, batch: pa.RecordBatch, first_row: int) -> NDArray[np.int64]:
    """(N,) frame numbers of a batch; the rows' own numbers if the table has none."""
    if "frame" in table.columns:
        return whole_numbers(table.path, "frame", batch.column("frame"))
    return np.arange(first_row, first_row + len(batch), dtype=np.int64)


def _check_names(path: Path, names: list[str]) -> None:
    for name in sorted(set(names) - set(_COLUMNS)):
        for meant in difflib.get_close_matches(name[:64], set(_COLUMNS) - set(names), n=1, cutoff=0.88):
            raise fault(path, expected=f"the column {meant!r}", got=f"{name!r}", cure=f"rename it to {meant!r}")
    if "keypoints" not in names:
        got = f"only {', '.join(names[:12])}"[:200]
        raise fault(path, expected="the column 'keypoints'", got=got, cure="add it (docs/formats.md lists the columns)")
