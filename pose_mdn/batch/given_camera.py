"""The camera that a user gives for all recordings of a batch."""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pose_mdn.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pose_mdn.geometry.camera import Camera
    from pose_mdn.poses.keypoints import KeypointSequence


@dataclass(frozen=True, kw_only=True)
class GivenCamera:
    """What replaces the camera that a file brings along; `None` leaves the file's.

    Attributes:
        camera: From a calibration file or a photograph.
        fov_deg: Horizontal field of view in degrees of an ideal lens, for pictures whose size is known.
        intrinsics: fx, fy, cx, cy in pixels.
        distortion: OpenCV coefficients k1 k2 p1 p2 k3 ....
        image_size: (width, height) in pixels.
        estimate_focal: Whether the focal length shall be estimated, instead of assumed.
    """

    camera: "Camera | None" = None
    fov_deg: float | None = None
    intrinsics: tuple[float, ...] | None = None
    distortion: tuple[float, ...] | None = None
    image_size: tuple[int, int] | None = None
    estimate_focal: bool = False

    def apply(self, sequence: "KeypointSequence") -> "KeypointSequence":
        """The sequence with this camera.

        Raises:
            InputError: The camera was calibrated for pictures of another size, or theirs must be known and is not.
        """
        import numpy as np  # noqa: PLC0415

        size = self.image_size or sequence.image_size
        if self.camera is not None:
            calibrated = self.camera.image_size
            if size is not None and calibrated is not None and size != calibrated:
                raise InputError(
                    f"camera {self.camera.name!r}: expected pictures of {calibrated[0]} x {calibrated[1]} px, for "
                    f"which it was calibrated, got {size[0]} x {size[1]}; choose another camera or scale its matrix",
                    field="camera",
                )
            return replace(
                sequence,
                intrinsics=self.camera.intrinsics,
                distortion=self.camera.distortion,
                lens_model=self.camera.lens_model,
                image_size=size or calibrated,
            )
        if self.fov_deg is not None:
            seen = _of_field_of_view(size, self.fov_deg)
            return replace(sequence, intrinsics=seen, distortion=None, lens_model="brown", image_size=size)
        if self.estimate_focal:
            return replace(sequence, image_size=size)
        intrinsics, distortion, lens_model = sequence.intrinsics, sequence.distortion, sequence.lens_model
        if self.intrinsics is not None:
            fx, fy, cx, cy = self.intrinsics
            intrinsics, distortion = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]), None
            lens_model = "brown"
        if self.distortion is not None:
            distortion, lens_model = np.array(self.distortion), "brown"
        return replace(sequence, intrinsics=intrinsics, distortion=distortion, lens_model=lens_model, image_size=size)


def _of_field_of_view(image_size: tuple[int, int] | None, degrees: float) -> "NDArray[np.float64]":
    from pose_mdn.geometry.field_of_view import intrinsics_of_field_of_view  # noqa: PLC0415

    if image_size is None:
        raise InputError(
            "--fov: expected pictures of known size, to turn degrees into pixels, got none; add --image-size",
            field="image_size",
        )
    return intrinsics_of_field_of_view(image_size, math.radians(degrees))
