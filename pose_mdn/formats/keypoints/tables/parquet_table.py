"""A table of keypoints: which column holds what, and a batch of its rows as a sequence."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pose_mdn.errors import FormatError
from pose_mdn.formats.array_checks import to_float32
from pose_mdn.formats.camera_keys import read_intrinsics
from pose_mdn.formats.faults import fault
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.formats.keypoints.landmark_columns import CONFIDENCE, X, Y
from pose_mdn.formats.keypoints.landmark_columns import joint_columns as joint_columns_of
from pose_mdn.formats.keypoints.layout_by_count import layout_of_count
from pose_mdn.formats.keypoints.missing import mark_missing
from pose_mdn.formats.keypoints.named_joints import BodyLayout, layout_of_own_names
from pose_mdn.formats.keypoints.tables.parquet_columns import (
    FloatArray,
    list_depth,
    list_numbers,
    list_sizes,
    plain_numbers,
    whole_numbers,
)
from pose_mdn.formats.keypoints.tables.parquet_facts import TableFacts, read_facts
from pose_mdn.formats.keypoints.tracks import arranged
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import COCO17, Skeleton

_COLUMNS = ("keypoints", "confidence", "frame", "person", "intrinsics")
_CURE = "write it as docs/formats.md says"


@dataclass(frozen=True, kw_only=True)
class KeypointTable:
    """How to read the rows of one table.

    Attributes:
        path: The file, for messages.
        layout: Where the joints of the skeleton stand among those of the table.
        facts: What holds for the whole table, overridden by what the user says.
        columns: The columns to read.
        joint_columns: For each joint its columns of x, y and confidence, empty for a joint that has none; no entries if
            keypoints are lists.
    """

    path: Path
    layout: BodyLayout
    facts: TableFacts
    columns: tuple[str, ...]
    joint_columns: tuple[tuple[str, ...], ...] = ()

    @property
    def skeleton(self) -> Skeleton:
        """The layout of the joints that are read."""
        return self.layout.skeleton

    def raw_joints(self, batch: pa.RecordBatch) -> tuple[FloatArray, FloatArray]:
        """(N, J, 2) coordinates and (N, J) confidences as they stand in the file."""
        if self.joint_columns:
            joints = np.stack([self._joint(batch, columns) for columns in self.joint_columns], axis=1)
            return joints[..., :2], joints[..., 2]
        joints = self._keypoints(batch.column("keypoints"))
        confidence = joints[..., 2] if joints.shape[2] == 3 else np.ones(joints.shape[:2], np.float32)
        if "confidence" in self.columns:
            confidence = to_float32(self._lists(batch, "confidence", (self.layout.num_joints,)))
        return arranged(self.layout, joints[..., :2]), arranged(self.layout, confidence)

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
            layout_confidence=self.layout.confidence,
            layout_source=self.layout.source,
        )

    def _keypoints(self, column: pa.Array) -> FloatArray:
        joints, sizes = self.layout.num_joints, list_sizes(column)
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


def describe_table(
    path: Path, schema: pa.Schema, options: ReadOptions, sample: Callable[[Sequence[str]], pa.RecordBatch | None]
) -> KeypointTable:
    """Find out which columns hold what.

    Args:
        path: The file, for messages.
        schema: Its columns and their metadata.
        options: What the user says.
        sample: Gives the first rows of some columns, if there are any.

    Raises:
        FormatError: There are no keypoints in the table, or their layout cannot be told.
    """
    names = list(schema.names)
    facts = read_facts(path, schema)
    skeleton = options.skeleton or facts.skeleton
    joint_columns: tuple[tuple[str, ...], ...] = ()
    if "keypoints" not in names and (wide := axis_columns(names)):
        layout = layout_of_own_names(path, list(wide), skeleton)
        places = list(wide.values())
        joint_columns = tuple(places[source] if source >= 0 else () for source in layout.columns)
    else:
        _check_names(path, names)
        layout = BodyLayout.whole(skeleton) if skeleton else _told_layout(path, sample(["keypoints"]))
    kept = [name for name in _COLUMNS if name in names and not (joint_columns and name in _COLUMNS[:2])]
    return KeypointTable(
        path=path,
        layout=layout,
        facts=replace(facts, image_size=options.image_size or facts.image_size, fps=options.fps or facts.fps),
        columns=(*kept, *(name for columns in joint_columns for name in columns)),
        joint_columns=joint_columns,
    )


def _told_layout(path: Path, sample: pa.RecordBatch | None) -> BodyLayout:
    """The layout that people with so many numbers are in."""
    sizes = list_sizes(sample.column("keypoints")) if sample is not None else ()
    counts = (
        [sizes[0]]
        if len(sizes) == 2
        else [sizes[0] // each for each in (2, 3) if len(sizes) == 1 and sizes[0] % each == 0]
    )
    cure = 'add {"skeleton": "coco17"} as JSON to the schema\'s metadata under \'pose_mdn\', or pass skeleton='
    for count in counts:
        try:
            with_count = BodyLayout(skeleton=COCO17, num_joints=count, columns=tuple(range(count)))
            table = KeypointTable(path=path, layout=with_count, facts=TableFacts(), columns=("keypoints",))
            points, scores = table.raw_joints(sample)
            keypoints_px, confidence = mark_missing(path, points, np.minimum(scores, np.float32(1)))
            return layout_of_count(path, np.concatenate([keypoints_px, confidence[..., None]], axis=-1), count)
        except FormatError:
            continue
    got = f"none, and lists of {' x '.join(map(str, sizes)) or 'nothing'}"
    raise fault(path, expected="the layout of the joints", got=got, cure=cure)


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
