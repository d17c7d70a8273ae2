"""What the user names as INPUT and OUT, turned into pairs of one input and one result."""

import glob
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

STDIN = "-"
RESULT_SUFFIXES = (".npz", ".parquet")
_KEYPOINT_SUFFIXES = (".npz", ".json")
_ZIP_MAGIC = b"PK"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One input and where its result goes.

    Attributes:
        source: A file, a folder that is one recording, or "-" for stdin.
        target: A hypotheses file.
    """

    source: str
    target: Path


def plan_jobs(
    inputs: Sequence[str],
    output: Path,
    *,
    suffix: str = ".npz",
    suffixes: Sequence[str] = RESULT_SUFFIXES,
    readable: Sequence[str] = _KEYPOINT_SUFFIXES,
) -> list[Job]:
    """Pair every input with its result.

    One input goes to the file OUT, if OUT ends as results do. Otherwise OUT is a folder, and results are named after
    their inputs, in the same subfolders.

    Args:
        inputs: Files, folders, glob patterns or "-".
        output: OUT.
        suffix: Suffix of results in a folder.
        suffixes: Endings of results.
        readable: Endings of the files that are taken from folders.

    Raises:
        typer.BadParameter: A pattern matches nothing, or the inputs do not fit OUT.
    """
    sources = list(dict.fromkeys(source for given in inputs for source in _expand(given, readable)))
    endings = " or ".join(suffixes)
    if output.name.endswith(tuple(suffixes)) and not output.is_dir():
        if len(sources) > 1:
            raise typer.BadParameter(f"{len(sources)} inputs need a folder as OUT, got the file {output}")
        return [Job(source=sources[0], target=output)]
    if output.is_file():
        raise typer.BadParameter(f"OUT must be a folder or end in {endings}, got the file {output}")
    if output.suffix and len(sources) == 1 and not output.is_dir():
        raise typer.BadParameter(
            f"the result of one input must end in {endings}, got {output}; for a folder of that name, create it first"
        )
    jobs = [Job(source=source, target=output / name) for source, name in _names(sources, suffix)]
    seen: dict[Path, str] = {}
    for job in jobs:
        if job.target in seen:
            raise typer.BadParameter(f"{seen[job.target]} and {job.source} would both be written to {job.target}")
        seen[job.target] = job.source
    return jobs


@contextmanager
def opened(source: str) -> Iterator[Path]:
    """A path to read an input from; what comes by stdin is kept in a temporary file meanwhile."""
    if source != STDIN:
        yield Path(source)
        return
    if sys.stdin.isatty():
        raise typer.BadParameter("'-' reads a keypoints .npz or JSON from stdin, and nothing is piped into it")
    content = sys.stdin.buffer.read()
    with tempfile.TemporaryDirectory(prefix="pose-mdn-") as folder:
        path = Path(folder) / ("stdin.npz" if content.startswith(_ZIP_MAGIC) else "stdin.json")
        path.write_bytes(content)
        yield path


def _expand(given: str, readable: Sequence[str]) -> list[str]:
    if given == STDIN:
        return [given]
    path = Path(given)
    if path.is_dir():
        # Reading a folder without keypoints explains what was expected in it.
        return _expand_folder(path, readable) or [given]
    if path.exists() or not glob.has_magic(given):
        return [given]
    matches = sorted(glob.glob(given, recursive=True))
    if not matches:
        raise typer.BadParameter(f"no file or folder matches {given!r}")
    return matches


def _expand_folder(folder: Path, readable: Sequence[str]) -> list[str]:
    """A folder of frames is one recording; of any other one, each file and each recording below it is an input."""
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    documents = [path for path in entries if path.suffix == ".json"]
    if documents and _is_recording(folder, documents[0]):
        return [str(folder)]
    files = [str(path) for path in entries if path.suffix in readable]
    below = [source for path in entries if path.is_dir() for source in _expand_folder(path, readable)]
    return files + below


def _is_recording(folder: Path, document: Path) -> bool:
    """Whether a format takes this folder as a whole, and this document as one of its frames."""
    from pose_mdn.formats import keypoint_formats  # noqa: PLC0415

    return any(entry.recognise(folder) and entry.recognise(document) for entry in keypoint_formats().values())


def _names(sources: Sequence[str], suffix: str) -> list[tuple[str, str]]:
    """Each source with the name of its result, relative to the folder that all sources share."""
    absolute = {source: Path(source).absolute() for source in sources if source != STDIN}
    shared = os.path.commonpath([path.parent for path in absolute.values()]) if absolute else ""
    return [
        (
            source,
            "stdin" + suffix if source == STDIN else os.path.relpath(absolute[source].with_suffix(""), shared) + suffix,
        )
        for source in sources
    ]
