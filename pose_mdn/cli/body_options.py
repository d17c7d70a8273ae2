"""The size of people, as the user gives it on the command line."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pose_mdn.batch.given_size import GivenSize
from pose_mdn.errors import GeometryError, InputError

if TYPE_CHECKING:
    from pose_mdn.geometry.body import KnownBodies
    from pose_mdn.geometry.camera import Camera
    from pose_mdn.geometry.ground_plane import GroundPlane

_PANEL = "Size"

StatureOption = Annotated[
    float | None,
    typer.Option(
        metavar="METRES", help="Standing height of the people, such as 1.82, if it is known.", rich_help_panel=_PANEL
    ),
]
BoneLengthsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="TOML with known lengths in metres: knee = 0.43; [person.3] for one person.",
        rich_help_panel=_PANEL,
    ),
]
KnownDistanceOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="JOINT:JOINT=METRES[@FRAME]",
        help="Two joints of known distance, such as l_hip:l_knee=0.43; joints that move against each other at one "
        "frame, as in l_wrist:r_wrist=1.1@30; one of several people as in 2/l_hip:l_knee=0.43. May be repeated.",
        rich_help_panel=_PANEL,
    ),
]
CameraHeightOption = Annotated[
    float | None,
    typer.Option(
        metavar="METRES", help="Of the camera above level ground on which people stand.", rich_help_panel=_PANEL
    ),
]
CameraTiltOption = Annotated[
    float | None,
    typer.Option(
        metavar="DEGREES", help="How far the camera looks down; with --camera-height.", rich_help_panel=_PANEL
    ),
]
CameraRollOption = Annotated[
    float,
    typer.Option(
        metavar="DEGREES", help="How far the camera is turned clockwise; with --camera-height.", rich_help_panel=_PANEL
    ),
]
GroundPlaneOption = Annotated[
    str | None,
    typer.Option(
        metavar="NX,NY,NZ,D",
        help="The ground as the plane n.x + d = 0 of the camera frame, in metres.",
        rich_help_panel=_PANEL,
    ),
]
GroundUpOption = Annotated[
    str | None,
    typer.Option(
        metavar="AXIS",
        help="The world of --camera has its ground at 0 of this axis, which points up: z, y, -y, ...",
        rich_help_panel=_PANEL,
    ),
]


def parse_size_options(
    stature_m: float | None,
    bone_lengths: Path | None,
    *,
    distances: Sequence[str] = (),
    camera_height_m: float | None = None,
    camera_tilt_deg: float | None = None,
    camera_roll_deg: float = 0.0,
    ground_plane: str | None = None,
    ground_up: str | None = None,
    camera: "Camera | None" = None,
) -> GivenSize:
    """What is known of people's size.

    Args:
        stature_m: Of everybody whom the file does not list as a person of their own.
        bone_lengths: TOML file of known bodies.
        distances: `[PERSON/]JOINT:JOINT=METRES[@FRAME]`.
        camera_height_m: Above the ground.
        camera_tilt_deg: Downwards.
        camera_roll_deg: Clockwise.
        ground_plane: `nx,ny,nz,d`.
        ground_up: Axis of the calibrated world.
        camera: The calibrated camera, if there is one.

    Raises:
        typer.BadParameter: One of them has another form, or they exclude each other.
        FormatError: The file cannot be read as known bodies.
    """
    from pose_mdn.geometry.known_distance import parse_known_distance  # noqa: PLC0415

    grounds = {"--camera-height": camera_height_m, "--ground-plane": ground_plane, "--ground-up": ground_up}
    named = [name for name, value in grounds.items() if value is not None]
    if len(named) > 1:
        raise typer.BadParameter(f"{named[0]} says where the ground is; leave out {' and '.join(named[1:])}")
    if (camera_height_m is None) != (camera_tilt_deg is None):
        raise typer.BadParameter("--camera-height and --camera-tilt: expected both or none, got one of them")
    if camera_roll_deg and camera_height_m is None:
        raise typer.BadParameter("--camera-roll: expected --camera-height and --camera-tilt beside it, got neither")
    try:
        known = tuple(parse_known_distance(text) for text in distances)
        ground = _ground(
            height_m=camera_height_m,
            tilt_deg=camera_tilt_deg,
            roll_deg=camera_roll_deg,
            plane=ground_plane,
            up_axis=ground_up,
            camera=camera,
        )
    except (InputError, GeometryError) as error:
        raise typer.BadParameter(str(error)) from error
    return GivenSize(bodies=parse_body_options(stature_m, bone_lengths), distances=known, ground=ground)


def parse_body_options(stature_m: float | None, bone_lengths: Path | None) -> "KnownBodies | None":
    """Statures and bone lengths; `None` if nothing is known.

    Args:
        stature_m: Of everybody whom the file does not list as a person of their own.
        bone_lengths: TOML file of known bodies.

    Raises:
        typer.BadParameter: The stature is no human one in metres, or both options give one.
        FormatError: The file cannot be read as known bodies.
    """
    if stature_m is None and bone_lengths is None:
        return None
    from pose_mdn.geometry.body import KnownBodies, KnownBody  # noqa: PLC0415
    from pose_mdn.geometry.body_file import read_bodies  # noqa: PLC0415

    bodies = KnownBodies() if bone_lengths is None else read_bodies(bone_lengths)
    if stature_m is None:
        return bodies
    if bodies.everyone is not None and bodies.everyone.stature_m is not None:
        raise typer.BadParameter(f"--stature: {bone_lengths} gives a stature, too; leave one of them out")
    lengths = None if bodies.everyone is None else bodies.everyone.bone_lengths_m
    try:
        return replace(bodies, everyone=KnownBody(stature_m=stature_m, bone_lengths_m=lengths))
    except InputError as error:
        raise typer.BadParameter(f"--stature: {str(error).partition(': ')[2]}") from error


def _ground(
    *,
    height_m: float | None,
    tilt_deg: float | None,
    roll_deg: float,
    plane: str | None,
    up_axis: str | None,
    camera: "Camera | None",
) -> "GroundPlane | None":
    from pose_mdn.geometry.ground_plane import GroundPlane  # noqa: PLC0415

    if height_m is not None and tilt_deg is not None:
        return GroundPlane.of_height_and_tilt(height_m, math.radians(tilt_deg), math.radians(roll_deg))
    if plane is not None:
        try:
            x, y, z, offset_m = (float(part) for part in plane.split(","))
        except ValueError:
            raise InputError(f"--ground-plane: expected nx,ny,nz,d, got {plane!r}", field="ground_plane") from None
        return GroundPlane.of_plane((x, y, z), offset_m)
    if up_axis is None:
        return None
    if camera is None:
        raise InputError("--ground-up: expected --camera with a place in the world, got none", field="ground_plane")
    return GroundPlane.of_camera(camera, up_axis)
