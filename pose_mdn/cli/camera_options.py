"""The camera, as the user gives it on the command line."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pose_mdn.errors import InputError

if TYPE_CHECKING:
    from pose_mdn.geometry.camera import Camera
    from pose_mdn.poses.keypoints import KeypointSequence


@dataclass(frozen=True, kw_only=True)
class CameraOptions:
    """What replaces the camera that a file brings along; `None` leaves the file's.

    Attributes:
        camera: From a calibration file.
        intrinsics: fx, fy, cx, cy in pixels.
        distortion: OpenCV coefficients k1 k2 p1 p2 k3 ....
        image_size: (width, height) in pixels.
    """

    camera: "Camera | None" = None
    intrinsics: tuple[float, ...] | None = None
    distortion: tuple[float, ...] | None = None
    image_size: tuple[int, int] | None = None

    def apply(self, sequence: "KeypointSequence") -> "KeypointSequence":
        """The sequence with this camera.

        Raises:
            InputError: The camera was calibrated for pictures of another size.
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
                image_size=size or calibrated,
            )
        intrinsics, distortion = sequence.intrinsics, sequence.distortion
        if self.intrinsics is not None:
            fx, fy, cx, cy = self.intrinsics
            intrinsics, distortion = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]), None
        if self.distortion is not None:
            distortion = np.array(self.distortion)
        return replace(sequence, intrinsics=intrinsics, distortion=distortion, image_size=size)


def parse_camera_options(
    camera: str | None, intrinsics: str | None, distortion: str | None, image_size: str | None
) -> CameraOptions:
    """Read the options' texts: `FILE[:NAME]`, `fx,fy,cx,cy`, `k1,k2,p1,p2[,...]` and `WxH`.

    Raises:
        typer.BadParameter: One of them has another form, or they exclude each other.
        FormatError: The calibration file cannot be read or has no such camera.
    """
    if camera is not None and (intrinsics is not None or distortion is not None):
        raise typer.BadParameter("--camera brings its own matrix and lens; leave out --intrinsics and --distortion")
    return CameraOptions(
        camera=None if camera is None else parse_camera(camera),
        intrinsics=None if intrinsics is None else _numbers("--intrinsics", intrinsics, "fx,fy,cx,cy", (4,)),
        distortion=None
        if distortion is None
        else _numbers("--distortion", distortion, "k1,k2,p1,p2[,k3,...]", (4, 5, 8, 12, 14)),
        image_size=None if image_size is None else _image_size(image_size),
    )


def parse_camera(text: str) -> "Camera":
    """The camera of `FILE` or `FILE:NAME`."""
    from pose_mdn.geometry.camera_file import read_camera  # noqa: PLC0415

    file, separator, name = text.rpartition(":")
    # A path may contain a colon itself, as on Windows.
    if separator and not Path(text).exists():
        return read_camera(file, name)
    return read_camera(text)


def _numbers(option: str, text: str, form: str, sizes: tuple[int, ...]) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) not in sizes:
        raise typer.BadParameter(f"{option}: expected {form}, got {text!r}")
    return values


def _image_size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) > 0 and int(height) > 0):
        raise typer.BadParameter(f"--image-size: expected WIDTHxHEIGHT in pixels, such as 1920x1080, got {text!r}")
    return int(width), int(height)
