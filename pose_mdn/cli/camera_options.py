"""The camera, as the user gives it on the command line."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pose_mdn.batch.given_camera import GivenCamera

if TYPE_CHECKING:
    from pose_mdn.geometry.camera import Camera

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


def parse_camera_options(
    camera: str | None,
    intrinsics: str | None,
    distortion: str | None,
    image_size: str | None,
    *,
    fov: float | None = None,
    exif: Path | None = None,
    estimate_focal: bool = False,
) -> GivenCamera:
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
    return GivenCamera(
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
