"""Which clips a folder of results holds: by its manifest, and by what else lies there."""

import json
import os
import sqlite3
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pose_mdn.batch.job import STATE_FOLDER, Job
from pose_mdn.batch.manifest import MANIFEST_FILE, Manifest
from pose_mdn.batch.result import JobResult
from pose_mdn.errors import InputError, PoseMDNError
from pose_mdn.formats.faults import fault
from pose_mdn.formats.hypotheses.files import HYPOTHESES_SUFFIXES
from pose_mdn.visualization.folder_entries import FailedEntry

VIEWERS_FOLDER = "viewers"
"""Within OUT: a page for each clip."""

_FIRST_LINE_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class ClipFiles:
    """A clip and where its hypotheses are.

    Attributes:
        name: Path of its result relative to the folder, without suffix, with slashes.
        source: What it was lifted from; its result's path if that is not known.
        result: The result relative to the folder; of a clip that was lifted in parts, their folder.
        files: Hypotheses files, in the order of their rows.
        format: Format of the source; empty if it is not known.
    """

    name: str
    source: str
    result: str
    files: tuple[Path, ...]
    format: str


def find_clips(out: Path) -> tuple[list[ClipFiles], list[FailedEntry]]:
    """The clips of a folder, by name, and the inputs that failed.

    Raises:
        InputError: There is no such folder.
        FormatError: The manifest is none.
    """
    if not out.is_dir():
        raise InputError(f"{out}: expected a folder of results, got none; lift something into it", field="folder")
    clips: list[ClipFiles] = []
    failed: list[FailedEntry] = []
    known: set[Path] = set()
    if (out / STATE_FOLDER / MANIFEST_FILE).is_file():
        results, failed = _read_manifest(out)
        known = {Path(output.path) for result in results for output in result.outputs}
        clips, without = _recorded(out, results)
        failed += without
    others = [path for path in _files(out) if path not in known and not _is_something_else(path)]
    clips += [_lone(out, path) for path in others]
    return _with_own_names(clips), failed


def _read_manifest(out: Path) -> tuple[list[JobResult], list[FailedEntry]]:
    try:
        with Manifest.open(out) as manifest:
            failed = [FailedEntry(source=each.job.label, reason=each.error) for each in manifest.failures()]
            return list(manifest.results()), failed
    except (sqlite3.Error, KeyError, TypeError, ValueError) as error:
        if isinstance(error, PoseMDNError):
            raise
        raise fault(
            out / STATE_FOLDER / MANIFEST_FILE,
            expected="the manifest of a batch of this version",
            got=f"{type(error).__name__}: {error}",
            cure="lift the folder again, or delete the manifest to have the page made from the results alone",
        ) from error


def _recorded(out: Path, results: Sequence[JobResult]) -> tuple[list[ClipFiles], list[FailedEntry]]:
    """Clips of the manifest, parts of one table together, and results that hold no hypotheses."""
    groups: dict[tuple[str, str | None, str], list[JobResult]] = {}
    for result in results:
        job = result.job
        groups.setdefault((job.source, job.clip, "" if job.rows else job.target), []).append(result)
    clips, without = [], []
    for parts in groups.values():
        parts.sort(key=lambda part: part.job.rows or (0, 0))
        job = parts[0].job
        files = [_hypotheses_file(part) for part in parts]
        place = Path(job.target).parent if job.rows else Path(job.target)
        if None in files:
            without.append(FailedEntry(source=job.label, reason=_no_hypotheses(parts[0])))
            continue
        clips.append(
            ClipFiles(
                name=_relative(place if job.rows else place.with_suffix(""), out),
                source=_whole(job),
                result=_relative(place, out),
                files=tuple(file for file in files if file is not None),
                format=parts[0].recognised.format,
            )
        )
    return clips, without


def _hypotheses_file(result: JobResult) -> Path | None:
    paths = [Path(output.path) for output in result.outputs]
    return next((path for path in paths if path.suffix in HYPOTHESES_SUFFIXES), None)


def _no_hypotheses(result: JobResult) -> str:
    endings = ", ".join(sorted({Path(output.path).suffix for output in result.outputs}))
    return (
        f"lifted, but expected {' or '.join(HYPOTHESES_SUFFIXES)} to look at, got {endings}; "
        "have hypotheses written beside"
    )


def _whole(job: Job) -> str:
    """What people read of a job, without the rows of its part."""
    return job.source if job.clip is None else f"{job.source} [{job.clip}]"


def _lone(out: Path, path: Path) -> ClipFiles:
    place = _relative(path, out)
    return ClipFiles(name=_relative(path.with_suffix(""), out), source=place, result=place, files=(path,), format="")


def _with_own_names(clips: Sequence[ClipFiles]) -> list[ClipFiles]:
    """Clips by name; where results differ by suffix alone, names keep it."""
    seen: dict[str, int] = {}
    for clip in clips:
        seen[clip.name] = seen.get(clip.name, 0) + 1
    named = [clip if seen[clip.name] == 1 else ClipFiles(**{**vars(clip), "name": clip.result}) for clip in clips]
    return sorted(named, key=lambda clip: clip.name)


def _relative(path: Path, out: Path) -> str:
    """A path below the folder; of one that is elsewhere the last part, since viewers are written by these names."""
    place = Path(os.path.relpath(path, out))
    return place.name if ".." in place.parts else place.as_posix()


def _files(out: Path) -> Iterator[Path]:
    """Files that may hold hypotheses, below the folder; names with a dot before them and viewers are left out."""
    for folder, below, names in os.walk(out):
        below[:] = sorted(name for name in below if not name.startswith("."))
        if Path(folder) == out and VIEWERS_FOLDER in below:
            below.remove(VIEWERS_FOLDER)
        for name in sorted(names):
            if name.endswith(HYPOTHESES_SUFFIXES) and not name.startswith("."):
                yield Path(folder) / name


def _is_something_else(path: Path) -> bool:
    """Whether a file is whole and holds no hypotheses, such as keypoints; one that is damaged is not called so."""
    with suppress(OSError, ValueError, zipfile.BadZipFile, EOFError, RecursionError):
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                return "means.npy" not in archive.namelist()
        if path.suffix == ".jsonl":
            with path.open("rb") as stream:
                first = json.loads(stream.readline(_FIRST_LINE_BYTES))
            return not (isinstance(first, dict) and "pose_mdn" in first)
        return not _has_our_schema(path)
    return False


def _has_our_schema(path: Path) -> bool:
    import pyarrow.parquet as pq  # noqa: PLC0415  (slow to import)

    from pose_mdn.formats.hypotheses.parquet_writer import METADATA_KEY  # noqa: PLC0415

    return METADATA_KEY in (pq.read_schema(path).metadata or {})
