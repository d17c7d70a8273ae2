"""The camera, as the user gives it on the command line."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pose_mdn.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pose_mdn.geometry.camera import Camera
    from pose_mdn.poses.keypoints import KeypointSequence


_PANEL = "Camera"

CameraOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILE[:NAME]",
        help="Calibration: OpenCV, Pose2Sim, Qualisys, COLMAP, ... (docs/cameras.md).",
        rich_help_panel=_PANEL,
    ),
]
FovOption = Annotated[
    float | None,
    typer.Option(
        metavar="DEGREES", help="Horizontal field of view of the pictures, if that is known.", rich_help_panel=_PANEL
    ),
]
ExifOption = Annotated[
    Path | None,
    typer.Option(
        metavar="PHOTO",
        help="JPEG by the same camera and zoom, with its focal length in EXIF.",
        rich_help_panel=_PANEL,
    ),
]
EstimateFocalOption = Annotated[
    bool,
    typer.Option(
        "--estimate-focal",
        help="Estimate the focal length from the people, with its uncertainty, and carry that into the result; it is "
        "large (docs/focal_length.md).",
        rich_help_panel=_PANEL,
    ),
]
IntrinsicsOption = Annotated[
    str | None,
    typer.Option(
        metavar="FX,FY,CX,CY",
        help="Pinhole matrix in pixels; assumed, and said so, if unknown.",
        rich_help_panel=_PANEL,
    ),
]
DistortionOption = Annotated[
    str | None,
    typer.Option(metavar="K1,K2,P1,P2[,...]", help="Lens distortion in OpenCV's order.", rich_help_panel=_PANEL),
]
ImageSizeOption = Annotated[
    str | None,
    typer.Option(
        metavar="WxH", help="Size of the pictures in pixels, if the file does not say.", rich_help_panel=_PANEL
    ),
]


@dataclass(frozen=True, kw_only=True)
class CameraOptions:
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


def parse_camera_options(
    camera: str | None,
    intrinsics: str | None,
    distortion: str | None,
    image_size: str | None,
    *,
    fov: float | None = None,
    exif: Path | None = None,
    estimate_focal: bool = False,
) -> CameraOptions:
    """Read the options' texts: `FILE[:NAME]`, `fx,fy,cx,cy`, `k1,k2,p1,p2[,...]` and `WxH`.

    Args:
        camera: A calibration file.
        intrinsics: A pinhole matrix.
        distortion: OpenCV coefficients.
        image_size: The size of the pictures.
        fov: Horizontal field of view in degrees.
        exif: A photograph that the same camera took.
        estimate_focal: Whether to estimate the focal length.

    Raises:
        typer.BadParameter: One of them has another form, or they exclude each other.
        FormatError: The calibration file cannot be read or has no such camera.
    """
    _refuse_several(
        **{"estimate-focal": True if estimate_focal else None},
        camera=camera,
        fov=fov,
        exif=exif,
        intrinsics=intrinsics,
        distortion=distortion,
    )
    if fov is not None and not 0 < fov < 180:
        raise typer.BadParameter(f"--fov: expected degrees between 0 and 180, got {fov:g}")
    return CameraOptions(
        camera=_camera(camera, exif),
        fov_deg=fov,
        intrinsics=None if intrinsics is None else _numbers("--intrinsics", intrinsics, "fx,fy,cx,cy", (4,)),
        distortion=None
        if distortion is None
        else _numbers("--distortion", distortion, "k1,k2,p1,p2[,k3,...]", (4, 5, 8, 12, 14)),
        image_size=None if image_size is None else _image_size(image_size),
        estimate_focal=estimate_focal,
    )


def parse_camera(text: str) -> "Camera":
    """The camera of `FILE` or `FILE:NAME`."""
    from pose_mdn.formats.cameras.registry import read_camera, split_camera_name  # noqa: PLC0415

    return read_camera(*split_camera_name(text))


def _refuse_several(**given: object) -> None:
    """Each of the first four says all about the camera."""
    named = [f"--{name}" for name, value in given.items() if value is not None]
    whole = [name for name in named if name in {"--camera", "--fov", "--exif", "--estimate-focal"}]
    if whole and len(named) > 1:
        others = " and ".join(name for name in named if name != whole[0])
        raise typer.BadParameter(f"{whole[0]} brings its own matrix and lens; leave out {others}")


def _camera(text: str | None, photograph: Path | None) -> "Camera | None":
    from pose_mdn.formats.cameras.registry import read_cameras  # noqa: PLC0415

    if photograph is not None:
        return next(iter(read_cameras(photograph, format="exif").values()))
    return None if text is None else parse_camera(text)


def _of_field_of_view(image_size: tuple[int, int] | None, degrees: float) -> "NDArray[np.float64]":
    from pose_mdn.geometry.field_of_view import intrinsics_of_field_of_view  # noqa: PLC0415

    if image_size is None:
        raise InputError(
            "--fov: expected pictures of known size, to turn degrees into pixels, got none; add --image-size",
            field="image_size",
        )
    return intrinsics_of_field_of_view(image_size, math.radians(degrees))


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
