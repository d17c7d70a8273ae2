"""People that were read, on the way to sequences: all at once or piece by piece."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.keypoints.named_joints import BodyLayout
from pose_mdn.poses.keypoints import KeypointSequence


@dataclass(frozen=True, kw_only=True)
class GatheredPeople:
    """Rows ordered by frame and person; a `KeypointStream`.

    Attributes:
        joints: (P, J, 3) x, y, confidence in the order of the file, missing joints marked; perhaps on disk.
        places: (N,) for each row its place in `joints`; -1 if it has none.
        frame: (N,) frame numbers.
        person: (N,) who it is.
        layout: What the joints are.
        tracked: Whether `person` is a tracker's.
        image_size: (width, height) in pixels, if known.
        fps: Frames per second, if known.
        factor: (2,) what coordinates are multiplied by to become pixels.
    """

    joints: NDArray[np.float32]
    places: NDArray[np.int64]
    frame: NDArray[np.int64]
    person: NDArray[np.int64]
    layout: BodyLayout
    tracked: bool
    image_size: tuple[int, int] | None
    fps: float | None
    factor: tuple[float, float]

    @property
    def num_rows(self) -> int:
        """N, all rows of the file."""
        return len(self.frame)

    def nobody(self) -> KeypointSequence:
        """No rows, with everything that describes the whole file."""
        return self.sequence(slice(0, 0))

    def chunks(self, rows: int, *, start: int = 0, stop: int | None = None) -> Iterator[KeypointSequence]:
        """Rows `start` to `stop` in order, in sequences of `rows` rows each; the last may be shorter."""
        end = self.num_rows if stop is None else min(stop, self.num_rows)
        for first in range(start, end, rows):
            yield self.sequence(slice(first, min(first + rows, end)))

    def sequence(self, rows: slice = slice(None)) -> KeypointSequence:
        """Some rows, or all of them."""
        places = self.places[rows]
        if len(self.joints):
            joints = np.asarray(self.joints[places])
        else:
            joints = np.empty((len(places), self.layout.skeleton.num_joints, 3), np.float32)
        if (absent := places < 0).any():
            joints[absent] = (np.nan, np.nan, 0)
        keypoints_px = np.ascontiguousarray(joints[..., :2])
        if self.factor != (1.0, 1.0):
            keypoints_px *= np.array(self.factor, np.float32)
        return KeypointSequence(
            keypoints_px=keypoints_px,
            confidence=np.ascontiguousarray(joints[..., 2]),
            skeleton=self.layout.skeleton,
            frame=self.frame[rows],
            person=self.person[rows],
            image_size=self.image_size,
            fps=self.fps,
            tracked=self.tracked,
            layout_confidence=self.layout.confidence,
            layout_source=self.layout.source,
        )
