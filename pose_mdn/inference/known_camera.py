"""The camera of a sequence: as given, or assumed and said to be."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.assumed_intrinsics import assume_intrinsics
from pose_mdn.geometry.camera import validate_intrinsics
from pose_mdn.geometry.lens import is_ideal, validate_distortion
from pose_mdn.inference.observations import joints_seen
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence
from pose_mdn.poses.lens_model import LensModel

LARGEST_NORMALIZED = 2.0
"""Fractions of a picture, also of what lies outside of it, are below this."""


@dataclass(frozen=True, kw_only=True)
class KnownCamera:
    """What is undone before lifting.

    Attributes:
        intrinsics: (N, 3, 3) pinhole matrices, float64.
        source: "given", or the sentence that states the assumption.
        distortion: OpenCV coefficients, float64; empty for none.
        lens_model: What they mean.
    """

    intrinsics: NDArray[np.float64]
    source: str
    distortion: NDArray[np.float64]
    lens_model: LensModel

    def take(self, rows: slice) -> "KnownCamera":
        """The camera of some rows."""
        return replace(self, intrinsics=self.intrinsics[rows])


def resolve_camera(sequence: KeypointSequence, min_confidence: float) -> KnownCamera:
    """Check the sequence's camera, or assume one.

    Without a picture size the assumption rests on where all joints of the sequence are; otherwise no row matters for
    another.

    Raises:
        InputError: There is a lens but no matrix, or no matrix and the coordinates are not pixels of a picture.
        GeometryError: The intrinsics or the distortion are impossible.
    """
    distortion = validate_distortion(sequence.distortion, sequence.lens_model)
    if sequence.intrinsics is not None:
        matrices, source = validate_intrinsics(sequence.intrinsics), "given"
    elif not is_ideal(distortion, sequence.lens_model):
        raise InputError(
            "distortion: expected intrinsics beside it, got none; coefficients mean nothing without the matrix that "
            "they were calibrated with",
            field="intrinsics",
        )
    else:
        points_px = sequence.keypoints_px[joints_seen(sequence, min_confidence)]
        if len(points_px):
            refuse_normalized(points_px.min(axis=0), points_px.max(axis=0))
        if sequence.image_size is None and len(points_px):
            refuse_centred(np.median(points_px, axis=0))
        matrices, source = assume_intrinsics(sequence.image_size, points_px)
    return KnownCamera(
        intrinsics=np.broadcast_to(matrices, (len(sequence), 3, 3)).copy(),
        source=source,
        distortion=distortion,
        lens_model=sequence.lens_model,
    )


def refuse_normalized(lowest_px: FloatArray, highest_px: FloatArray) -> None:
    """Fractions of the picture's width and height are a common mistake, and lifting them gives plausible nonsense.

    Args:
        lowest_px: (2,) least x and least y of all joints seen.
        highest_px: (2,) greatest x and greatest y.

    Raises:
        InputError: No coordinate is larger than fractions are.
    """
    low, high = lowest_px.min(), highest_px.max()
    if (highest_px - lowest_px).max() > 0 and max(-low, high) <= LARGEST_NORMALIZED:
        raise InputError(
            f"keypoints: expected pixels, got coordinates between {low:.3g} and {high:.3g}; "
            "multiply x by the picture's width and y by its height",
            field="keypoints",
        )


def refuse_centred(middle_px: FloatArray) -> None:
    """Pixels left of or above the picture are seen now and then; if most are, they are counted from elsewhere.

    Args:
        middle_px: (2,) medians of x and of y of all joints seen.

    Raises:
        InputError: One of them is negative.
    """
    if middle_px.min() < 0:
        raise InputError(
            f"keypoints: expected pixels counted from the upper left corner, got a median of {middle_px[0]:.0f}, "
            f"{middle_px[1]:.0f}; add the picture's centre, or give the intrinsics that belong to these coordinates",
            field="keypoints",
        )
