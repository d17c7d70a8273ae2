"""`pose-mdn camera`: what calibration files say."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from pose_mdn.geometry.camera import Camera

_FAR_M = 100.0
"""A camera farther from the world's origin than this is rather one whose file is not in metres."""


@dataclass(frozen=True, kw_only=True)
class CameraFacts:
    """A camera in numbers for people and programs.

    Attributes:
        name: As the file calls it; `lift --camera FILE:NAME` takes it.
        image_size: Width and height in pixels, or `None`.
        focal_px: fx and fy.
        principal_point_px: cx and cy.
        skew_px: What makes pixels slanted; nearly always 0.
        field_of_view_deg: Horizontal and vertical, `None` where unknown.
        lens_model: `brown` or `fisheye`.
        distortion: Its coefficients in OpenCV's order.
        position_m: Where it stands in the world, metres.
        looks_along: Unit vector of its optical axis in the world.
        rotation: World to camera, row by row.
        translation_m: Of the world's origin in the camera frame.
    """

    name: str
    image_size: tuple[int, int] | None
    focal_px: list[float]
    principal_point_px: list[float]
    skew_px: float
    field_of_view_deg: list[float | None]
    lens_model: str
    distortion: list[float]
    position_m: list[float]
    looks_along: list[float]
    rotation: list[list[float]]
    translation_m: list[float]


def register(app: typer.Typer) -> None:
    """Add the command group `camera`."""
    group = typer.Typer(name="camera", help="Calibrated cameras.", no_args_is_help=True, rich_markup_mode="markdown")
    group.callback()(_group)
    group.command("show")(show)
    app.add_typer(group)


def show(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE[:NAME]",
            help="Calibration of any known format, a COLMAP folder, a photograph, or human36m[:SUBJECT.CAMERA].",
        ),
    ],
    *,
    format_: Annotated[str | None, typer.Option("--format", help="Its format, if it is not recognised.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show the cameras of a file: size, focal length, field of view, lens, and where they stand and look, in metres."""
    from rich.console import Console  # noqa: PLC0415

    from pose_mdn.formats.cameras.registry import pick_camera, read_cameras, split_camera_name  # noqa: PLC0415

    path, name = split_camera_name(file)
    cameras = read_cameras(path, format=format_)
    if name is not None:
        cameras = {name: pick_camera(Path(path), cameras, name)}
    facts = [_facts(camera) for camera in cameras.values()]
    if as_json:
        typer.echo(json.dumps({"file": path, "cameras": [asdict(entry) for entry in facts]}, allow_nan=False))
        return
    console = Console(highlight=False)
    console.print(_table(facts))
    if any(math.hypot(*entry.position_m) > _FAR_M for entry in facts):
        console.print(f"cameras stand over {_FAR_M:g} m away: is the file in millimetres? (docs/cameras.md, units)")


def _group() -> None:
    """Calibrated cameras."""


def _facts(camera: "Camera") -> CameraFacts:
    from pose_mdn.geometry.field_of_view import field_of_view_rad  # noqa: PLC0415

    (fx, skew, cx), (_, fy, cy) = camera.intrinsics[:2].tolist()
    view = field_of_view_rad(camera) or (math.nan, math.nan)
    return CameraFacts(
        name=camera.name,
        image_size=camera.image_size,
        focal_px=[fx, fy],
        principal_point_px=[cx, cy],
        skew_px=skew,
        field_of_view_deg=[math.degrees(angle) if math.isfinite(angle) else None for angle in view],
        lens_model=camera.lens_model,
        distortion=camera.distortion.tolist(),
        position_m=camera.optical_center.tolist(),
        looks_along=camera.rotation[2].tolist(),
        rotation=camera.rotation.tolist(),
        translation_m=camera.translation.tolist(),
    )


def _table(facts: list[CameraFacts]) -> "Table":
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    table.add_column("camera", no_wrap=True)
    table.add_column("size\npx", justify="right", no_wrap=True)
    for heading in ("fx fy\npx", "cx cy\npx", "view\ndegrees"):
        table.add_column(heading, justify="right")
    for heading in ("stands at\nm", "looks\nalong", "lens"):
        table.add_column(heading, overflow="fold")
    for entry in facts:
        view = [f"{angle:.1f}" for angle in entry.field_of_view_deg if angle is not None]
        table.add_row(
            Text(entry.name),
            "?" if entry.image_size is None else "x".join(map(str, entry.image_size)),
            _row(entry.focal_px, 1),
            _row(entry.principal_point_px, 1),
            " x ".join(view) if len(view) == 2 else "?",
            _row(entry.position_m, 3),
            _row(entry.looks_along, 2),
            _lens(entry),
        )
    return table


def _lens(entry: CameraFacts) -> str:
    if entry.lens_model == "brown" and not any(entry.distortion):
        return "ideal"
    return f"{entry.lens_model} {' '.join(f'{value:.4g}' for value in entry.distortion)}"


def _row(values: list[float], digits: int) -> str:
    # Adding zero turns -0.0 into 0.0.
    return " ".join(f"{round(value, digits) + 0.0:.{digits}f}" for value in values)
