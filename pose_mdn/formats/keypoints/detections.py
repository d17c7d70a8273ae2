"""People as JSON formats list them, gathered into a sequence."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import to_float32
from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.keypoints.gathered import GatheredPeople
from pose_mdn.formats.keypoints.identities import NOBODY, number_people
from pose_mdn.formats.keypoints.joint_values import Unpack, UnpackError, flat_triples
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.formats.keypoints.layout_by_count import has_body_of, layout_of_count
from pose_mdn.formats.keypoints.missing import ScaleWatch
from pose_mdn.formats.keypoints.named_joints import BodyLayout
from pose_mdn.skeletons import Skeleton

FLUSH_PEOPLE = 256
"""So many people are kept as parsed; more are turned into arrays, and the parser uses their memory again."""
_IN_MEMORY_BYTES = 64 << 20
"""The joints of larger files are kept in a temporary file, if they are read piece by piece."""
_SAMPLE_PEOPLE = 100
"""Of so many people, the first of whom something was seen, the layout is told."""

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


@dataclass(kw_only=True)
class PeopleGatherer:
    """Takes people as they are read, in any order, and makes a sequence of them, ordered by frame and person.

    Attributes:
        path: The file or folder, for messages.
        options: What the user says; overrides what the file says.
        default: The layout if there is nobody to tell it from.
        unpack: What turns people as parsed into numbers.
        named: The layout, if the file names its joints.
        image_size: (width, height), if the file says.
        fps: Frames per second, if the file says.
        on_disk: Whether the joints are kept in a temporary file instead of in memory.
    """

    path: Path
    options: ReadOptions
    default: Skeleton
    unpack: Unpack = flat_triples
    named: BodyLayout | None = None
    image_size: tuple[int, int] | None = None
    fps: float | None = None
    on_disk: bool = False

    def __post_init__(self) -> None:
        # Parallel lists, because an object for each person would take longer than parsing it.
        self._people: list[object] = []
        self._frames: list[int] = []
        self._identities: list[int] = []
        self._sources: list[str] = []
        self._columns_done: list[tuple[IntArray, IntArray, IntArray]] = []
        self._stored = 0
        self._parts: list[FloatArray] = []
        self._sample: list[FloatArray] = []
        self._sampled = 0
        self._count: int | None = None
        self._columns: NDArray[np.intp] | None = None
        self._scale = ScaleWatch()
        self._file = tempfile.TemporaryFile(prefix="pose-mdn-") if self.on_disk else None  # noqa: SIM115

    def add(self, frame: int, person: object, identity: int = NOBODY, source: str = "") -> None:
        """Take one person.

        Args:
            frame: Frame number.
            person: Joints as parsed; empty or `None` if only other parts of the person were found.
            identity: The tracker's number for the person; -1 if there is none.
            source: The file, for messages, if it is not `path`.
        """
        self._people.append(person)
        self._frames.append(frame)
        self._identities.append(identity)
        self._sources.append(source)
        if len(self._people) >= FLUSH_PEOPLE:
            self._flush()

    def add_all(self, frames: Sequence[int], people: Sequence[object], identities: Sequence[int]) -> None:
        """Take many people at once."""
        self._people.extend(people)
        self._frames.extend(frames)
        self._identities.extend(identities)
        self._sources.extend([""] * len(people))
        if len(self._people) >= FLUSH_PEOPLE:
            self._flush()

    def gathered(self, empty_frames: Sequence[int] = (), *, renumber: IntArray | None = None) -> GatheredPeople:
        """Everybody so far.

        Args:
            empty_frames: Frames with nobody; each gets a row with person -1.
            renumber: Frame number for each frame counted so far, if frames were only counted while people were read.

        Raises:
            FormatError: Numbers of joints differ, fit no layout, or fit another than asked; values are no numbers, no
                pixels or no confidences.
        """
        self._flush()
        nothing = np.empty(0, np.int64)
        parts = self._columns_done or [(nothing, nothing, nothing)]
        frame, identities, places = (np.concatenate(column) for column in zip(*parts, strict=True))
        frame = frame if renumber is None else renumber[frame]
        person, tracked = number_people(frame, identities)
        if len(empty_frames):
            absent = np.full(len(empty_frames), NOBODY, np.int64)
            frame = np.concatenate([frame, np.array(empty_frames, np.int64)])
            person, places = np.concatenate([person, absent]), np.concatenate([places, absent])
        order = np.lexsort((person, frame))
        layout = self._layout()
        image_size = self.options.image_size or self.image_size
        return GatheredPeople(
            joints=self._joints(layout.skeleton.num_joints),
            places=places[order],
            frame=frame[order],
            person=person[order],
            layout=layout,
            tracked=tracked,
            image_size=image_size,
            fps=self.options.fps or self.fps,
            factor=self._scale.factor(self.path, image_size),
        )

    def _flush(self) -> None:
        people, sources = self._people, self._sources
        if not people:
            return
        places = np.arange(self._stored, self._stored + len(people))
        if not all(people):
            present = np.array(list(map(bool, people)))
            places = np.where(present, self._stored + np.cumsum(present) - 1, NOBODY)
            sources = [source for source, person in zip(sources, people, strict=True) if person]
            people = [person for person in people if person]
        self._columns_done.append((np.array(self._frames, np.int64), np.array(self._identities, np.int64), places))
        self._people, self._frames, self._identities, self._sources = [], [], [], []
        if people:
            self._keep(self._parse(people, sources))

    def _parse(self, people: list[object], sources: list[str]) -> FloatArray:
        """(P, J, 3) x, y, confidence of the joints wanted, missing ones marked."""
        try:
            values = self.unpack(people)
        except UnpackError as error:
            raise fault(
                Path(sources[error.place] or self.path),
                expected=error.expected,
                got=error.got if isinstance(error.got, str) else shown(error.got),
                cure=error.cure,
            ) from None
        self._require_count(values.shape[1], sources[0])
        joints = to_float32(values)
        if self._columns is not None:
            joints = np.where(self._columns[:, None] >= 0, joints[:, self._columns], np.float32(np.nan))
        x, y, confidence = joints[..., 0], joints[..., 1], joints[..., 2]
        # Detectors write (0, 0) for a joint that they did not find, some of them with a confidence.
        seen = (confidence > 0) & np.isfinite(x) & np.isfinite(y) & ((x != 0) | (y != 0))
        self._scale.look(joints, seen)
        joints[~seen] = (np.nan, np.nan, 0)
        np.minimum(confidence, 1, out=confidence)
        return joints

    def _require_count(self, count: int, source: str) -> None:
        if self._count is not None:
            if count != self._count:
                raise fault(
                    Path(source or self.path),
                    expected=f"{self._count} joints as other people here have",
                    got=f"{count}",
                    cure="keep recordings of different layouts apart",
                )
            return
        self._count = count
        layout = self._layout_of(count, Path(source or self.path))
        if not layout.is_whole:
            self._columns = np.array(layout.columns, np.intp)

    def _layout_of(self, count: int, path: Path) -> BodyLayout:
        """Where the joints stand, by what the user or the file says or by their number."""
        asked, layout = self.options.skeleton, self.named
        if asked is not None:
            layout = BodyLayout.whole(asked) if asked.num_joints == count else has_body_of(count, asked)
        if layout is None and asked is None:
            return layout_of_count(self.path, np.empty((0, count, 3), np.float32), count)
        if layout is None or layout.num_joints != count:
            wanted = f"{layout.num_joints} joints as the file names" if layout else f"{asked.num_joints} joints"  # type: ignore[union-attr]
            told = f" for skeleton {asked.name!r}" if asked else ""
            cure = "pass the skeleton that the detector used"
            raise fault(path, expected=wanted + told, got=f"{count}", cure=cure)
        return layout

    def _keep(self, joints: FloatArray) -> None:
        self._stored += len(joints)
        if self._sampled < _SAMPLE_PEOPLE:
            seen = joints[(joints[..., 2] > 0).any(axis=1)][: _SAMPLE_PEOPLE - self._sampled]
            self._sample.append(seen)
            self._sampled += len(seen)
        if self._file is not None:
            joints.tofile(self._file)
        else:
            self._parts.append(joints)

    def _joints(self, count: int) -> FloatArray:
        """(P, J, 3) all joints, from memory or disk."""
        if self._file is not None and self._stored:
            self._file.flush()
            return np.memmap(self._file, np.float32, "r", shape=(self._stored, count, 3))
        return np.concatenate(self._parts) if self._parts else np.empty((0, count, 3), np.float32)

    def _layout(self) -> BodyLayout:
        if self.options.skeleton is not None:
            return BodyLayout.whole(self.options.skeleton)
        if self.named is not None:
            return self.named
        if self._count is None:
            return BodyLayout.whole(self.default, confidence=0.5, source="nobody to tell it from")
        return layout_of_count(self.path, np.concatenate(self._sample), self._count)


def is_large(path: Path) -> bool:
    """Whether a file's joints should wait on disk until they are asked for."""
    try:
        return path.stat().st_size > _IN_MEMORY_BYTES
    except OSError:
        return False  # reading it says what is wrong
