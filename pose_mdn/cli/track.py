"""`pose-mdn track`: persistent numbers for the people of a recording."""

import json
import zipfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pose_mdn.batch.job import Job
from pose_mdn.batch.work import opened
from pose_mdn.cli import EXIT_FAILED
from pose_mdn.cli.job_run import run_jobs
from pose_mdn.cli.sources import plan_jobs

if TYPE_CHECKING:
    from pose_mdn.cli.progress import RowProgress
    from pose_mdn.people import Presence, TrackingSettings
    from pose_mdn.poses.hypotheses import HypothesisSequence
    from pose_mdn.poses.keypoints import KeypointSequence

_PEOPLE_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Following:
    """How input files are read and people followed, for all of them."""

    format: str | None
    skeleton: str | None
    fps: float | None
    online: bool
    settings: "TrackingSettings"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What became of one input.

    Attributes:
        input: As the user named it.
        output: The file with the numbers.
        rows: How many there are.
        without_number: Rows that are no further person.
        frames: How many the recording has.
        fps: Frames per second; `None` if unknown.
        fps_used: The rate that people were followed at.
        people: When each of them was seen.
    """

    input: str
    output: str
    rows: int
    without_number: int
    frames: int
    fps: float | None
    fps_used: float
    people: list["Presence"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("track")(track)


def track(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Keypoints as `lift` reads them, or hypotheses .npz or .parquet, which are told apart by depth and "
            "bone lengths, too.",
        ),
    ],
    *,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="OUT", help="Result .npz (or .parquet of hypotheses), or a folder."),
    ],
    format_: Annotated[str | None, typer.Option("--format", help="Input format, if it is not recognised.")] = None,
    skeleton: Annotated[
        str | None, typer.Option(help="Layout of the joints (coco17, body25, ...), if the file does not say.")
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(min=0.1, help="Frames per second; the file's, or 30 if it does not say."),
    ] = None,
    memory: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="For how long somebody out of sight is waited for.")
    ] = 2.0,
    joining: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Longest gap over which two tracks are joined afterwards.")
    ] = 3.0,
    online: Annotated[
        bool, typer.Option("--online", help="Look at no later frame, as in a stream: no joining, nobody taken back.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary for machines on stdout.")] = False,
) -> None:
    """Give the people of a recording numbers that stay with them.

    Detectors that know no identities count the people of each frame in any order. Here they are followed by where their
    joints are and how they move, through crossings, gaps and double detections. `person` of the result is 0, 1, 2, ...
    in order of appearance, and -1 for rows that are no further person: false, or double detections. Rows keep their
    order.

    Example: pose-mdn track openpose_folder -o keypoints.npz --fps 25; then pose-mdn lift keypoints.npz -o people.npz.
    """
    from pose_mdn.people import TrackingSettings  # noqa: PLC0415

    jobs = plan_jobs(inputs, output)
    settings = TrackingSettings(memory_s=memory, joining_s=joining)
    how = Following(format=format_, skeleton=skeleton, fps=fps, online=online, settings=settings)
    done, failed = run_jobs(jobs, lambda job, progress, name: _track_one(job, how, progress, name))
    _report(done, failed, as_json=as_json)
    if failed:
        raise typer.Exit(EXIT_FAILED)


def _track_one(job: Job, how: Following, progress: "RowProgress", description: str) -> Summary:
    import numpy as np  # noqa: PLC0415

    from pose_mdn.people import NOBODY, presences, track_people  # noqa: PLC0415

    with opened(job.source) as path:
        sequence = _read(path, how)
    fps = how.fps or sequence.fps
    progress.begin(description, len(sequence))
    person = track_people(
        replace(sequence, fps=fps), settings=how.settings, look_ahead=not how.online, on_progress=progress.advance
    )
    Path(job.target).parent.mkdir(parents=True, exist_ok=True)
    _write(Path(job.target), replace(sequence, person=person, fps=fps, tracked=True))
    return Summary(
        input=job.source,
        output=job.target,
        rows=len(sequence),
        without_number=int((person == NOBODY).sum()),
        frames=len(np.unique(sequence.frame)),
        fps=fps,
        fps_used=fps or how.settings.assumed_fps,
        people=presences(sequence.frame, person),
    )


def _read(path: Path, how: Following) -> "KeypointSequence | HypothesisSequence":
    from pose_mdn.formats import read_hypotheses, read_keypoints  # noqa: PLC0415

    if how.format is None and how.skeleton is None and _holds_hypotheses(path):
        return read_hypotheses(path)
    return read_keypoints(path, format=how.format, skeleton=how.skeleton)


def _holds_hypotheses(path: Path) -> bool:
    if path.suffix == ".parquet":
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            return "means.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _write(path: Path, sequence: "KeypointSequence | HypothesisSequence") -> None:
    from pose_mdn.formats import write_hypotheses, write_keypoints  # noqa: PLC0415
    from pose_mdn.poses.hypotheses import HypothesisSequence  # noqa: PLC0415

    if isinstance(sequence, HypothesisSequence):
        write_hypotheses(path, sequence)
    else:
        write_keypoints(path, sequence)


def _report(done: list[Summary], failed: list[dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"results": [asdict(summary) for summary in done], "failed": failed}))
        return
    for summary in done:
        typer.echo(f"{summary.input} -> {summary.output}")
        rate = "" if summary.fps else f", at {summary.fps_used:g} fps, which was assumed: --fps says otherwise"
        people = f"{len(summary.people)} {'person' if len(summary.people) == 1 else 'people'}"
        typer.echo(f"  {people} in {summary.frames} frames, {summary.rows} rows{rate}")
        for presence in summary.people[:_PEOPLE_SHOWN]:
            typer.echo(f"  {_presence_line(presence, summary.fps_used)}")
        if len(summary.people) > _PEOPLE_SHOWN:
            typer.echo(f"  and {len(summary.people) - _PEOPLE_SHOWN} more, see --json")
        if summary.without_number:
            typer.echo(f"  {summary.without_number} rows are no further person (person -1)")


def _presence_line(presence: "Presence", fps: float) -> str:
    gaps = "no gap" if not presence.gaps else f"{presence.gaps} gap{'s' if presence.gaps > 1 else ''}, "
    gaps += f"longest {presence.longest_gap / fps:.2f} s" if presence.gaps else ""
    seen = f"seen for {presence.frames / fps:.1f} s, frames {presence.first} to {presence.last}"
    return f"person {presence.person}: {seen}, {gaps}"
