"""The camera of a stream: the one that `resolve_camera` finds for all rows in memory, found piece by piece."""

from collections.abc import Callable, Iterator

import numpy as np

from pose_mdn.batch.stream_order import order_statistics
from pose_mdn.geometry.assumed_intrinsics import EXTENT_PERCENTILES, assume_from_extent
from pose_mdn.inference.known_camera import (
    LARGEST_NORMALIZED,
    KnownCamera,
    refuse_centred,
    refuse_normalized,
    resolve_camera,
)
from pose_mdn.inference.observations import joints_seen
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence

Pieces = Callable[[], Iterator[KeypointSequence]]
"""Begins to read a stream."""


class StreamCamera:
    """Resolves the camera of each piece of a stream as it would be resolved for all rows together.

    Only if neither the matrix nor the size of the pictures is known, the assumption rests on where all joints are, and
    the stream is read twice beforehand.
    """

    def __init__(self, nobody: KeypointSequence, pieces: Pieces, min_confidence: float) -> None:
        """Find out what holds for all rows.

        Args:
            nobody: No rows, with everything that describes the stream.
            pieces: Begins to read the stream.
            min_confidence: Joints below this are missing.

        Raises:
            InputError: There is a lens but no matrix, or the coordinates are not pixels of a picture.
            GeometryError: The camera is impossible.
        """
        self._min_confidence = min_confidence
        self._lowest_px = np.full(2, np.inf, np.float32)
        self._highest_px = -self._lowest_px
        self.assumed: KnownCamera | None = None
        known = resolve_camera(nobody, min_confidence)
        if nobody.intrinsics is None:
            extent = None if nobody.image_size is not None else self._extent(pieces)
            matrix, source = assume_from_extent(nobody.image_size, extent)
            self.assumed = KnownCamera(
                intrinsics=matrix, source=source, distortion=known.distortion, lens_model=known.lens_model
            )
        self.source = known.source if self.assumed is None else self.assumed.source

    def of(self, piece: KeypointSequence) -> KnownCamera:
        """The camera of a piece, with a matrix for each of its rows; errors as of `resolve_camera`."""
        if self.assumed is None:
            return resolve_camera(piece, self._min_confidence)
        if not self._are_pixels():
            self._look_at(piece.keypoints_px[joints_seen(piece, self._min_confidence)])
        return KnownCamera(
            intrinsics=np.broadcast_to(self.assumed.intrinsics, (len(piece), 3, 3)).copy(),
            source=self.assumed.source,
            distortion=self.assumed.distortion,
            lens_model=self.assumed.lens_model,
        )

    def finish(self) -> None:
        """Raise an `InputError` if no joint of all pieces is where only pixels can be."""
        if self._lowest_px[0] <= self._highest_px[0]:
            refuse_normalized(self._lowest_px, self._highest_px)

    def _are_pixels(self) -> bool:
        return bool(max(-self._lowest_px.min(), self._highest_px.max()) > LARGEST_NORMALIZED)

    def _look_at(self, points_px: FloatArray) -> None:
        if len(points_px):
            self._lowest_px = np.minimum(self._lowest_px, points_px.min(axis=0))
            self._highest_px = np.maximum(self._highest_px, points_px.max(axis=0))

    def _extent(self, pieces: Pieces) -> tuple[FloatArray, FloatArray] | None:
        def points_px() -> Iterator[FloatArray]:
            for piece in pieces():
                yield piece.keypoints_px[joints_seen(piece, self._min_confidence)]

        found = order_statistics(points_px, _ranks)
        if found is None:
            return None
        lowest, low, middle_below, middle_above, high, highest = found
        refuse_normalized(lowest, highest)
        refuse_centred(np.mean([middle_below, middle_above], axis=0, dtype=np.float32))
        self._lowest_px, self._highest_px = lowest, highest
        return low, high


def _ranks(count: int) -> list[int]:
    """Least, first percentile, both in the middle, last percentile, greatest; percentiles as numpy's "nearest" does."""
    low, high = (int(np.around((count - 1) * np.true_divide(percentile, 100))) for percentile in EXTENT_PERCENTILES)
    return [0, low, (count - 1) // 2, count // 2, high, count - 1]
