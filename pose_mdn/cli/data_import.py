"""`pose-mdn data import`."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from pose_mdn.cli import EXIT_FAILED, print_error


def register(app: typer.Typer) -> None:
    """Add the command group `data`."""
    group = typer.Typer(name="data", help="Motion data to train on.", no_args_is_help=True, rich_markup_mode="markdown")
    group.command("import")(import_motions)
    app.add_typer(group)


def import_motions(
    *,
    inputs: Annotated[list[str], typer.Argument(help="Motion files, folders of them (and below), or glob patterns.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The motion data file, .npz.")],
    format: Annotated[  # noqa: A002 - it is the word that users look for
        str, typer.Option(help="bvh, asf_amc, c3d or human36m; by the file's name if auto.")
    ] = "auto",
    joint_map: Annotated[
        Path | None, typer.Option(help='TOML file: joint of human36m17 = "Name in the file" or ["A", "B"] for a mean.')
    ] = None,
    skeleton: Annotated[Path | None, typer.Option(help="Skeleton (.asf) of .amc files; else the one beside.")] = None,
    unit: Annotated[str | None, typer.Option(help="m, cm, mm, in, ft, dm or cmu; else found by stature.")] = None,
    up: Annotated[str | None, typer.Option(help="Axis that points up: y, z, x, -y, ...; else found.")] = None,
    fps: Annotated[float, typer.Option(min=1.0, help="Frames per second to store.")] = 30.0,
    source_fps: Annotated[
        float | None, typer.Option(help="Frames per second of the files, where they do not say it or wrongly.")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="Who moves, in all inputs.")] = None,
    action: Annotated[str | None, typer.Option(help="What they do, in all inputs.")] = None,
    path_pattern: Annotated[
        str | None, typer.Option(help="Labels in paths, such as '{subject}/{action}_{trial}.bvh'.")
    ] = None,
    split_by: Annotated[
        Literal["subject", "none"], typer.Option(help="Keep subjects back for validation and test, or none.")
    ] = "subject",
    validation: Annotated[list[str] | None, typer.Option(help="Subject kept for validation; repeat, or a,b.")] = None,
    test: Annotated[list[str] | None, typer.Option(help="Subject kept for test; repeat, or a,b.")] = None,
    licence: Annotated[str, typer.Option(help="Terms of the data, stored with every motion.")] = "",
    source: Annotated[str | None, typer.Option(help="Where the data came from; else the file's name.")] = None,
    append: Annotated[bool, typer.Option("--append", help="Add to OUTPUT instead of replacing it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Turn motion capture into the file that `pose-mdn train` reads.

    BVH, Acclaim ASF/AMC (CMU), C3D and Human3.6M's data_3d_h36m.npz become Human3.6M-17 joints in metres, Y up, at 30
    frames a second. A file that cannot be read is reported and left out; the exit code is then 1.

    Example: pose-mdn data import mocap/ -o motions.npz --validation anna --test ben --licence "CC BY 4.0"
    """
    from rich.console import Console  # noqa: PLC0415  (heavy imports wait until the command runs)

    from pose_mdn.cli.import_run import ImportRun, report  # noqa: PLC0415
    from pose_mdn.cli.motion_labels import PathPattern, find_motion_files  # noqa: PLC0415
    from pose_mdn.formats.motions.conversion import ConversionOptions  # noqa: PLC0415
    from pose_mdn.formats.motions.joint_selection import read_joint_map  # noqa: PLC0415
    from pose_mdn.formats.motions.motion_format import ReadOptions  # noqa: PLC0415
    from pose_mdn.formats.motions.registry import motion_formats  # noqa: PLC0415

    conversion = ConversionOptions(
        joint_map=read_joint_map(joint_map) if joint_map is not None else {}, unit=unit, up=up, fps=fps
    )
    run = ImportRun(
        format=None if format == "auto" else format,
        reading=ReadOptions(skeleton=skeleton, fps=source_fps),
        conversion=conversion,
        pattern=PathPattern(path_pattern) if path_pattern is not None else None,
        subject=subject,
        action=action,
        source=source,
        licence=licence,
    )
    if append and output.exists():
        run.keep(output)
    files = find_motion_files(inputs, [entry.suffix for entry in motion_formats().values()])
    run.read(files)
    run.write(output, split_by, _names(validation), _names(test))
    if as_json:
        typer.echo(json.dumps(run.as_dict(), indent=2))
    else:
        report(run, output, Console())
    for failure in run.failures:
        print_error(failure)
    if run.failures:
        raise typer.Exit(EXIT_FAILED)


def _names(given: list[str] | None) -> list[str]:
    return [name.strip() for entry in given or [] for name in entry.split(",") if name.strip()]
