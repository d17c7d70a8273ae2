"""Options of `pose-mdn lift` beside camera and size: how to read, by which model, what to write, and who does it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pose_mdn.batch.engines.engine import DEFAULT_PATIENCE_S

if TYPE_CHECKING:
    from pose_mdn.skeletons.mapping import MappingName

_READING, _MODEL, _OUTPUT, _BATCH = "Reading", "Model", "Output", "Batch"

InputsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Files or folders of keypoints (docs/formats.md), folders of such files and folders, quoted globs, "
        "addresses such as s3://bucket/clips, or - for stdin.",
    ),
]
FormatOption = Annotated[
    str | None, typer.Option("--format", help="Input format, if it is not recognised.", rich_help_panel=_READING)
]
SkeletonOption = Annotated[
    str | None,
    typer.Option(
        help="Layout of the joints (coco17, body25, blazepose33, ...), if the file does not say.",
        rich_help_panel=_READING,
    ),
]
MappingOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="How these joints become Human3.6M-17: names, or mmpose (docs/skeletons.md).",
        rich_help_panel=_READING,
    ),
]
FpsOption = Annotated[
    float | None, typer.Option(min=0.1, help="Frames per second, if the file does not say.", rich_help_panel=_READING)
]
TrustPickleOption = Annotated[
    bool,
    typer.Option(
        "--trust-pickle",
        help="Load pickles inside of files. They can run any program: only of files that you made yourself.",
        rich_help_panel=_READING,
    ),
]
ModelOption = Annotated[
    str, typer.Option(help="Bundled model, NAME/VERSION, or the folder of a bundle.", rich_help_panel=_MODEL)
]
MinConfidenceOption = Annotated[
    float,
    typer.Option(min=0, max=1, help="Joints that the detector trusts less count as missing.", rich_help_panel=_MODEL),
]
NumHypothesesOption = Annotated[
    int | None,
    typer.Option(min=1, help="Poses per person, for models that sample (cvae_lifter).", rich_help_panel=_MODEL),
]
SeedOption = Annotated[
    int, typer.Option(min=0, help="Seed of the noise of models that sample.", rich_help_panel=_MODEL)
]
ServerOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST[:PORT]", help="Lift at this running server instead of on this machine.", rich_help_panel=_MODEL
    ),
]
ServerCaOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Encrypt to the server, trusting the authorities of this PEM file, or the system's if it is 'system'.",
        rich_help_panel=_MODEL,
    ),
]
ServerTokenFileOption = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="File that holds the server's token.", rich_help_panel=_MODEL),
]
OutputOption = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="Result file, whose ending is its format, or a folder for several inputs; a path or an address.",
        rich_help_panel=_OUTPUT,
    ),
]
ToOption = Annotated[
    str | None,
    typer.Option(
        metavar="FORMAT[,...]",
        help="File types of the results in a folder, such as npz (the default) or parquet,trc; beside a file OUT, "
        "further ones.",
        rich_help_panel=_OUTPUT,
    ),
]
ColumnsOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME[,...]",
        help="Columns of parquet results, for large files: frame,status,means, ... (docs/bulk.md); all if left out.",
        rich_help_panel=_OUTPUT,
    ),
]
PoseOption = Annotated[
    Literal["mean", "top", "linked"],
    typer.Option(
        help="Which pose stands for all in file types that hold one: the mixture's mean, its most probable component, "
        "or the components that make the most probable motion.",
        rich_help_panel=_OUTPUT,
    ),
]
RowsPerPartOption = Annotated[
    int | None,
    typer.Option(
        min=512,
        metavar="ROWS",
        help="Cut large tables into results of so many rows, a multiple of 512, in a folder.",
        rich_help_panel=_OUTPUT,
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option(
        "--json", help="Print events for machines on stdout, one JSON object a line.", rich_help_panel=_OUTPUT
    ),
]
IndexOption = Annotated[
    bool | None,
    typer.Option(
        "--index/--no-index",
        help="Write OUT/index.html, a page of all clips with thumbnails and flags (docs/folder_page.md); done by "
        "default for several inputs.",
        rich_help_panel=_OUTPUT,
    ),
]
WorkersOption = Annotated[
    int, typer.Option(min=0, help="Processes that work; 0 means one per core.", rich_help_panel=_BATCH)
]
ThreadsOption = Annotated[
    int,
    typer.Option(min=0, help="Threads of the model in each; 0 shares the cores out.", rich_help_panel=_BATCH),
]
ResumeOption = Annotated[
    bool,
    typer.Option("--resume", help="Leave out what an earlier run into OUT has done.", rich_help_panel=_BATCH),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.", rich_help_panel=_BATCH)]
PatienceOption = Annotated[
    float,
    typer.Option(
        min=0, metavar="SECONDS", help="A file in which nothing moves for so long is given up.", rich_help_panel=_BATCH
    ),
]
EngineOption = Annotated[
    str, typer.Option(help="Who works: local (this machine) or ray (a cluster).", rich_help_panel=_BATCH)
]
ClusterOption = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Of the cluster, for engines that have one.", rich_help_panel=_BATCH),
]

DEFAULT_PATIENCE = DEFAULT_PATIENCE_S


@dataclass(frozen=True, kw_only=True)
class ResultFormats:
    """In which formats results are written.

    Attributes:
        names: Names of the formats; the first is that of jobs' targets.
        suffix: Ending of targets in a folder.
        suffixes: Endings that make OUT a file.
    """

    names: tuple[str, ...]
    suffix: str
    suffixes: tuple[str, ...]


def parse_output(output: str) -> Path | str:
    """OUT as a path; one of another storage as the address that it is."""
    from pose_mdn.batch import storage  # noqa: PLC0415

    return output if storage.is_url(output) else Path(storage.local_path(output))


def parse_result_formats(to: str | None, output: Path | str) -> ResultFormats:
    """The formats of `npz,trc` and of OUT's own ending.

    Raises:
        typer.BadParameter: There is no such format, or two of them would be written to one file.
    """
    from pose_mdn.errors import InputError  # noqa: PLC0415
    from pose_mdn.formats.results.registry import result_format, result_formats  # noqa: PLC0415

    known = result_formats().values()
    try:
        wanted = [result_format(name.strip()) for name in (to or "").split(",") if name.strip()]
    except InputError as error:
        raise typer.BadParameter(f"--to: {error}") from error
    fitting = [] if os.path.isdir(output) else [entry for entry in known if str(output).lower().endswith(entry.suffix)]
    own = max(fitting, key=lambda entry: len(entry.suffix), default=None)  # one's ending may be the end of another's
    chosen = list({entry.name: entry for entry in [*([own] if own else []), *wanted]}.values())
    chosen = chosen or [result_format("npz")]
    endings = [entry.suffix for entry in chosen]
    if len(set(endings)) < len(endings):
        raise typer.BadParameter(f"--to: expected formats with different endings, got {', '.join(endings)}")
    return ResultFormats(
        names=tuple(entry.name for entry in chosen), suffix=endings[0], suffixes=tuple(entry.suffix for entry in known)
    )


def check_mapping(name: str) -> "MappingName":
    """The mapping of a name; raises `typer.BadParameter`."""
    from pose_mdn.skeletons.mapping import MAPPINGS  # noqa: PLC0415

    return _one_of("--mapping", name, MAPPINGS)  # type: ignore[return-value]


def check_names(format_: str | None, skeleton: str | None) -> None:
    """Refuse names of formats and skeletons that do not exist before any file is opened.

    Raises:
        InputError: There is no such format; the nearest is suggested.
        UnknownSkeletonError: There is no such skeleton.
    """
    from pose_mdn.formats import keypoint_formats  # noqa: PLC0415
    from pose_mdn.formats.registry import named  # noqa: PLC0415
    from pose_mdn.skeletons import get_skeleton  # noqa: PLC0415

    if format_ is not None:
        named(keypoint_formats(), format_)
    if skeleton is not None:
        get_skeleton(skeleton)


def _one_of(option: str, name: str, known: Sequence[str]) -> str:
    if name not in known:
        raise typer.BadParameter(f"{option}: expected one of {', '.join(known)}, got {name!r}")
    return name


def parse_columns(text: str | None, outputs: Sequence[str]) -> tuple[str, ...] | None:
    """The columns of parquet results.

    Raises:
        typer.BadParameter: No result is a parquet file, or there is no such column.
    """
    if text is None:
        return None
    if "parquet" not in outputs:
        raise typer.BadParameter("--columns is for parquet results; add --to parquet")
    from pose_mdn.errors import InputError  # noqa: PLC0415
    from pose_mdn.formats.hypotheses.columns import choose_columns  # noqa: PLC0415

    try:
        return tuple(column.key for column in choose_columns([name.strip() for name in text.split(",")]))
    except InputError as error:
        raise typer.BadParameter(f"--{error}") from error
