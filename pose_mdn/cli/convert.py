"""`pose-mdn convert`: results for other tools, and detectors' files as keypoints files."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pose_mdn.batch.job import STDIN, Job
from pose_mdn.cli import EXIT_FAILED
from pose_mdn.cli.job_run import run_jobs
from pose_mdn.cli.sources import plan_jobs

if TYPE_CHECKING:
    from pose_mdn.batch.settings import LiftSettings
    from pose_mdn.cli.progress import RowProgress
    from pose_mdn.poses.single import PoseChoice

_READING = "Reading keypoints"


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How all inputs are converted.

    Attributes:
        to: Name of the format of the results.
        pose: Which pose stands for all, in formats that hold one.
        reading: How keypoints files are read.
    """

    to: str
    pose: "PoseChoice"
    reading: "LiftSettings"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What became of one input.

    Attributes:
        input: As the user named it.
        outputs: The files written, the main one first.
        holds: "hypotheses" or "keypoints".
        rows: How many there are.
        with_pose: How many of them hold a pose, or somebody's keypoints.
        pose: Which pose was written, if the format holds one.
    """

    input: str
    outputs: list[str]
    holds: Literal["hypotheses", "keypoints"]
    rows: int
    with_pose: int
    pose: str | None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("convert")(convert)


def convert(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Results of `pose-mdn lift` (.npz, .parquet, .jsonl), keypoints in any format that lift reads, "
            "folders of such files, or quoted globs.",
        ),
    ],
    *,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="OUT", help="File to write, by its ending, or a folder for several inputs."
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT",
            help="Format to write: npz, parquet, jsonl, csv, trc, c3d, bvh, bvh_rigid, gltf, netcdf; of keypoints npz "
            "or parquet. Told by OUT's ending if left out.",
        ),
    ] = None,
    pose: Annotated[
        Literal["mean", "top", "linked"],
        typer.Option(
            help="The one pose that formats without hypotheses get: the mean of all, the most probable one of each "
            "frame, or those on the most probable path over time."
        ),
    ] = "mean",
    format_: Annotated[
        str | None,
        typer.Option("--format", help="Input format, if it is not recognised.", rich_help_panel=_READING),
    ] = None,
    skeleton: Annotated[
        str | None,
        typer.Option(help="Layout of the joints, if the file does not say.", rich_help_panel=_READING),
    ] = None,
    image_size: Annotated[
        str | None,
        typer.Option(
            metavar="WxH", help="Size of the pictures in pixels, if the file does not say.", rich_help_panel=_READING
        ),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(min=0.001, help="Frames per second, if the file does not say.", rich_help_panel=_READING),
    ] = None,
    trust_pickle: Annotated[
        bool,
        typer.Option(
            "--trust-pickle", help="Load pickles inside of files. They can run any program.", rich_help_panel=_READING
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary for machines on stdout.")] = False,
) -> None:
    """Convert results for other tools, and detectors' files to keypoints files.

    Results become any format: for OpenSim (trc), Blender (bvh, gltf), biomechanics (c3d), movement (netcdf),
    spreadsheets and R (csv), any language (jsonl). Formats that hold one pose say by --pose which, and get its standard
    deviations in a file beside, OUT.uncertainty.csv, if they have no place for them. Keypoints become npz or parquet;
    of a file with several recordings, each becomes a file. Rows keep their order, and none is lost. With several
    inputs, one that cannot be converted is reported, the others are done, and the exit code is 1.

    Example: pose-mdn convert walk_3d.npz -o walk.trc --pose linked
    """
    from pose_mdn.batch.settings import LiftSettings  # noqa: PLC0415

    size = _parse_image_size(image_size)
    reading = LiftSettings(format=format_, skeleton=skeleton, image_size=size, fps=fps, trust_pickle=trust_pickle)
    name, jobs = _plan(inputs, output, to, reading)
    manner = Manner(to=name, pose=pose, reading=reading)
    done, failed = run_jobs(jobs, lambda job, progress, name: _convert_one(job, manner, progress, name))
    _report(done, failed, as_json=as_json)
    if failed:
        raise typer.Exit(EXIT_FAILED)


def _plan(inputs: list[str], output: Path, to: str | None, reading: "LiftSettings") -> tuple[str, list[Job]]:
    """The name of the format to write, and what to do."""
    from pose_mdn.batch.parts import split_jobs  # noqa: PLC0415
    from pose_mdn.formats import result_formats  # noqa: PLC0415
    from pose_mdn.formats.hypotheses.files import HYPOTHESES_SUFFIXES  # noqa: PLC0415
    from pose_mdn.formats.results.registry import result_format, result_format_of  # noqa: PLC0415

    if to is None and (not output.suffix or output.is_dir()):
        raise typer.BadParameter(f"{output} tells no format; say which with --to {'|'.join(result_formats())}")
    entry = result_format_of(output) if to is None else result_format(to)
    ending = output.name[-len(entry.suffix) :]
    endings = [entry.suffix, *([ending] if ending.lower() == entry.suffix else [])]
    planned = plan_jobs(inputs, output, suffix=entry.suffix, suffixes=endings, also_readable=HYPOTHESES_SUFFIXES)
    jobs = split_jobs(planned, reading)
    for job in jobs:
        if job.source != STDIN and Path(job.source).absolute() == Path(job.target).absolute():
            raise typer.BadParameter(f"{job.source} would be written over itself; choose another OUT")
    return entry.name, jobs


def _parse_image_size(text: str | None) -> tuple[int, int] | None:
    from pose_mdn.cli.camera_options import parse_camera_options  # noqa: PLC0415

    return parse_camera_options(None, None, None, text).image_size


def _convert_one(job: Job, manner: Manner, progress: "RowProgress", description: str) -> Summary:
    from pose_mdn.batch.work import opened  # noqa: PLC0415
    from pose_mdn.formats.hypotheses.files import holds_hypotheses  # noqa: PLC0415

    with opened(job.source) as path:
        Path(job.target).parent.mkdir(parents=True, exist_ok=True)
        is_result = manner.reading.format is None and holds_hypotheses(path)
        convert_file = _convert_hypotheses if is_result else _convert_keypoints
        return convert_file(path, job, manner, progress, description)


def _convert_hypotheses(path: Path, job: Job, manner: Manner, progress: "RowProgress", description: str) -> Summary:
    from pose_mdn.formats import read_hypotheses, result_formats  # noqa: PLC0415
    from pose_mdn.results import write_result  # noqa: PLC0415

    hypotheses = read_hypotheses(path)
    progress.begin(description, len(hypotheses))
    written = write_result(job.target, hypotheses, format=manner.to, choice=manner.pose)
    progress.advance(len(hypotheses))
    return Summary(
        input=job.label,
        outputs=[str(output) for output in written],
        holds="hypotheses",
        rows=len(hypotheses),
        with_pose=int(hypotheses.lifted.sum()),
        pose=manner.pose if result_formats()[manner.to].write_hypotheses is None else None,
    )


def _convert_keypoints(path: Path, job: Job, manner: Manner, progress: "RowProgress", description: str) -> Summary:
    from pose_mdn.errors import InputError  # noqa: PLC0415
    from pose_mdn.formats import read_keypoints, write_keypoints  # noqa: PLC0415

    if manner.to not in _KEYPOINT_OUTPUTS:
        raise InputError(
            f"{job.source}: expected hypotheses for the format {manner.to}, got keypoints; lift them first "
            f"(pose-mdn lift), or choose --to {' or '.join(_KEYPOINT_OUTPUTS)}",
            field="to",
        )
    reading = manner.reading
    sequence = read_keypoints(
        path,
        format=reading.format,
        skeleton=reading.skeleton,
        image_size=reading.image_size,
        fps=reading.fps,
        clip=job.clip,
        trust_pickle=reading.trust_pickle,
    )
    progress.begin(description, len(sequence))
    write_keypoints(job.target, sequence)
    progress.advance(len(sequence))
    return Summary(
        input=job.label,
        outputs=[job.target],
        holds="keypoints",
        rows=len(sequence),
        with_pose=int((sequence.confidence > 0).any(axis=1).sum()),
        pose=None,
    )


_KEYPOINT_OUTPUTS = ("npz", "parquet")
"""Formats that keypoints can be written in."""


def _report(done: list[Summary], failed: list[dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"results": [asdict(summary) for summary in done], "failed": failed}))
        return
    for summary in done:
        choice = "" if summary.pose is None else f", one pose each: {summary.pose}"
        held = "with a pose" if summary.holds == "hypotheses" else "with keypoints"
        typer.echo(f"{summary.input} -> {', '.join(summary.outputs)}")
        typer.echo(f"  {summary.rows} rows, {summary.with_pose} {held}{choice}")
    if len(done) + len(failed) > 1:
        typer.echo(f"{len(done)} of {len(done) + len(failed)} inputs converted")
