"""The size of people, as the user gives it on the command line."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pose_mdn.errors import InputError

if TYPE_CHECKING:
    from pose_mdn.geometry.body import KnownBodies


def parse_body_options(stature_m: float | None, bone_lengths: Path | None) -> "KnownBodies | None":
    """What is known of people's size; `None` if nothing is.

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
