"""One unit of work of a batch, and the plan of all: what the user names as INPUT and OUT, turned into jobs."""

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from pose_mdn.batch import storage
from pose_mdn.errors import InputError

STDIN = "-"
RESULT_SUFFIXES = (".npz", ".parquet")
STATE_FOLDER = ".pose-mdn"
"""Within OUT: the manifest and the lock. Its name begins with a dot, so that it is never taken for an input."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One recording and where its result goes.

    Attributes:
        source: A file, a folder that is one recording, an address, or "-" for stdin.
        target: The result's file: a path or an address, with its ending. No two jobs of a batch have the same.
        clip: Which recording, for files that hold several.
        rows: (start, stop) if only these rows of a large file are lifted.
    """

    source: str
    target: str
    clip: str | None = None
    rows: tuple[int, int] | None = None

    @property
    def label(self) -> str:
        """What people read: the source, and which part of it."""
        clip = "" if self.clip is None else f" [{self.clip}]"
        rows = "" if self.rows is None else f" rows {self.rows[0]}-{self.rows[1]}"
        return f"{self.source}{clip}{rows}"

    def to_document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """The inverse of `to_document`, also of what came back from JSON text."""
        rows = document.get("rows")
        return cls(**{**document, "rows": None if rows is None else (int(rows[0]), int(rows[1]))})


def plan_jobs(
    inputs: Sequence[str],
    output: str | os.PathLike[str],
    *,
    suffix: str = ".npz",
    suffixes: Sequence[str] = RESULT_SUFFIXES,
    also_readable: Sequence[str] = (),
) -> list[Job]:
    """Pair every input with its result, in the order of the inputs.

    One input goes to the file OUT, if OUT ends as a result does. Otherwise OUT is a folder, and results are named after
    their inputs, in the same subfolders. Folders are searched for files with the endings of `keypoint_formats()`; a
    folder of frames is one recording. Names that begin with a dot are left out.

    Args:
        inputs: Files, folders, glob patterns, addresses of such, or "-".
        output: OUT: a path or an address.
        suffix: Ending of results in a folder.
        suffixes: Endings of results.
        also_readable: Further endings, in lower case, that folders are searched for.

    Raises:
        InputError: A pattern matches nothing, or the inputs do not fit OUT.
    """
    out = os.fspath(output) if storage.is_url(output) else str(Path(storage.local_path(output)))
    storage.refuse_secrets(out)
    sources = {source: base for given in inputs for source, base in _expand(storage.local_path(given), also_readable)}
    ending, is_folder = Path(out).suffix, os.path.isdir(out)
    if Path(out).name.endswith(tuple(suffixes)) and not is_folder:
        if len(sources) > 1:
            raise InputError(f"{len(sources)} inputs need a folder as OUT, got the file {out}", field="output")
        return [Job(source=next(iter(sources)), target=out)]
    endings = " or ".join(suffixes)
    if os.path.isfile(out):
        raise InputError(f"OUT must be a folder or end in {endings}, got the file {out}", field="output")
    if ending and len(sources) == 1 and not is_folder and not storage.is_url(out):
        raise InputError(
            f"the result of one input must end in {endings}, got {out}; for a folder of that name, create it first",
            field="output",
        )
    jobs = [Job(source=source, target=storage.join(out, name)) for source, name in _names(sources, suffix)]
    refuse_clashes(jobs)
    return jobs


def refuse_clashes(jobs: Sequence[Job]) -> None:
    """Raise `InputError` if two jobs would be written to the same file."""
    seen: dict[str, Job] = {}
    for job in jobs:
        if job.target in seen:
            first = seen[job.target].label
            raise InputError(f"{first} and {job.label} would both be written to {job.target}", field="output")
        seen[job.target] = job


def stamp(source: str) -> str:
    """What changes when a source does: sizes and times of change of its files; empty if it cannot be told.

    Args:
        source: A path, an address, or "-".
    """
    if source == STDIN:
        return ""
    if storage.is_url(source):
        return storage.stamp(source)
    path = Path(source)
    try:
        state = path.stat()
        if not path.is_dir():
            return f"{state.st_size} {state.st_mtime_ns}"
        with os.scandir(path) as entries:
            files = [entry.stat() for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return ""
    # Of a folder of frames: how many, how large together, and the last change of the list or of one of them.
    changed = max([state.st_mtime_ns, *(file.st_mtime_ns for file in files)])
    return f"{len(files)} {sum(file.st_size for file in files)} {changed}"


def _expand(given: str, also_readable: Sequence[str]) -> list[tuple[str, str]]:
    """The sources that an input stands for, each with the folder that it was found in."""
    if given == STDIN:
        return [(given, "")]
    from pose_mdn.formats.keypoints.registry import is_recording, keypoint_suffixes  # noqa: PLC0415

    if storage.is_url(given):
        return storage.expand(given, keypoint_suffixes(), lambda folder, _document: is_recording(folder))
    path = Path(given)
    if path.is_dir():
        # Reading a folder without keypoints explains what was expected in it.
        found = _expand_folder(path, (*keypoint_suffixes(), *also_readable)) or [given]
        whole = [Path(source) for source in found] == [path]
        return [(source, _parent(given) if whole else os.path.abspath(given)) for source in found]
    if path.exists() or not glob.has_magic(given):
        return [(given, _parent(given))]
    matches = sorted(glob.glob(given, recursive=True))
    if not matches:
        raise InputError(f"no file or folder matches {given!r}", field="inputs")
    return [(match, _parent(match)) for match in matches]


def _parent(source: str) -> str:
    return os.path.dirname(os.path.abspath(source))


def _expand_folder(folder: Path, suffixes: tuple[str, ...]) -> list[str]:
    """A folder of frames is one recording; of any other one, each file and each recording below it is an input."""
    from pose_mdn.formats.keypoints.registry import is_recording  # noqa: PLC0415

    with os.scandir(folder) as found:
        # The kind of an entry is known from the listing; asking for each file again would take most of the time.
        entries = sorted(
            ((entry.name, entry.is_dir()) for entry in found if not entry.name.startswith(".")), key=lambda e: e[0]
        )
    files = [name for name, is_folder in entries if not is_folder and name.lower().endswith(suffixes)]
    if files and is_recording(folder):
        return [str(folder)]
    below = [name for name, is_folder in entries if is_folder]
    return [str(folder / name) for name in files] + [
        source for name in below for source in _expand_folder(folder / name, suffixes)
    ]


def _names(sources: Mapping[str, str], suffix: str) -> list[tuple[str, str]]:
    """Each source with the name of its result, relative to what the folders that sources were found in share.

    The name of a result in a folder that was given does not depend on what else is in it.
    """
    bases = [base for base in sources.values() if base]
    here = _shared(base for base in bases if not storage.is_url(base))
    elsewhere = _shared(base for base in bases if storage.is_url(base))
    return [(source, _name(source, elsewhere if storage.is_url(source) else here) + suffix) for source in sources]


def _shared(bases: Iterable[str]) -> str:
    """The folder that all of them are in, or are; addresses of different storages share nothing."""
    given = list(bases)
    return os.path.commonpath(given) if given else ""


def _name(source: str, shared: str) -> str:
    if source == STDIN:
        return "stdin"
    return os.path.relpath(os.path.splitext(os.path.abspath(source))[0], shared)
