"""Making the page of a folder of results, and each clip's own, from the files that lie there."""

import hashlib
import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pose_mdn.batch.folder_clips import VIEWERS_FOLDER, ClipFiles, find_clips
from pose_mdn.batch.folder_memory import FolderMemory, stamp_of
from pose_mdn.errors import InputError, PoseMDNError
from pose_mdn.formats.hypotheses.files import read_hypotheses_parts
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.visualization.folder_entries import ClipDescriber, ClipEntry, FailedEntry
from pose_mdn.visualization.folder_page import write_folder_page
from pose_mdn.visualization.html_report import write_report

PAGE = "index.html"
VIEWER_MEGABYTES = 1.0
"""Bound on the data of each viewer unless another is asked for: about 350 rows of five hypotheses."""
_ROWS_AT_ONCE = 4096
_VIEWER_ROWS = 4 * _ROWS_AT_ONCE
"""Of longer clips the viewer shows the first rows alone."""
_LONGEST_NAME = 200
"""Bytes of a file's name; most file systems allow 255, of which some are for what is added."""
_FEW_CLIPS = 16
"""So few are done before another process has started."""


@dataclass(frozen=True, kw_only=True)
class IndexSettings:
    """How a folder's page is made.

    Attributes:
        viewers: Whether each clip gets a page of its own.
        most_viewers: If there are more clips than that, none does; no limit if `None`.
        max_megabytes: Bound on the data of each of these.
        title: Heading; the folder's name if empty.
        workers: Processes; one for each core if 0.
    """

    viewers: bool = True
    most_viewers: int | None = None
    max_megabytes: float = VIEWER_MEGABYTES
    title: str = ""
    workers: int = 0


@dataclass(frozen=True, kw_only=True)
class FolderPage:
    """What was written.

    Attributes:
        path: The page.
        clips: What it says of each clip.
        failed: Inputs that failed, and results that could not be read.
        unreadable: How many of the latter there are.
    """

    path: Path
    clips: tuple[ClipEntry, ...]
    failed: tuple[FailedEntry, ...]
    unreadable: int


class FolderIndex:
    """The page of one folder, while it is made: `for _ in index.describe(): ...`, then `index.write()`."""

    def __init__(self, out: str | os.PathLike[str], settings: IndexSettings | None = None) -> None:
        """Find the clips.

        Raises:
            InputError: There is no such folder.
            FormatError: Its manifest is none.
        """
        self._out = Path(out)
        self._clips, self._failed = find_clips(self._out)
        self._settings = settings or IndexSettings()
        most = self._settings.most_viewers
        if most is not None and len(self._clips) > most:
            self._settings = replace(self._settings, viewers=False)
        self._memory = FolderMemory(self._out, [self._settings.viewers, self._settings.max_megabytes])
        self._done: list[tuple[ClipFiles, list[list[int]], ClipEntry | FailedEntry]] = []

    def __len__(self) -> int:
        return len(self._clips)

    def describe(self) -> Iterator[ClipEntry | FailedEntry]:
        """Read every new or changed clip, write its viewer, and yield what is said of it, or why it cannot be read."""
        self._done = []
        # Stamped before they are read: what changes meanwhile is read again the next time.
        stamps = {clip.result: stamp_of(clip) for clip in self._clips}
        known = {clip.result: self._memory.entry(clip) for clip in self._clips}
        unknown = self._described([clip for clip in self._clips if known[clip.result] is None])
        for clip in self._clips:
            entry = known[clip.result] or next(unknown)
            self._done.append((clip, stamps[clip.result], entry))
            yield entry

    def write(self) -> FolderPage:
        """Write the page of all that was described.

        Raises:
            InputError: The folder cannot be written to.
        """
        clips = {clip.result: (stamp, entry) for clip, stamp, entry in self._done if isinstance(entry, ClipEntry)}
        unreadable = [entry for _, _, entry in self._done if isinstance(entry, FailedEntry)]
        failed = [*self._failed, *unreadable]
        entries = tuple(entry for _, entry in clips.values())
        path = self._out / PAGE
        write_folder_page(path, entries, failed, title=self._settings.title or self._out.resolve().name)
        self._memory.keep(clips)
        return FolderPage(path=path, clips=entries, failed=tuple(failed), unreadable=len(unreadable))

    def _described(self, clips: Sequence[ClipFiles]) -> Iterator[ClipEntry | FailedEntry]:
        tasks = [_Task(out=self._out, clip=clip, settings=self._settings) for clip in clips]
        workers = min(self._settings.workers or os.cpu_count() or 1, len(tasks))
        if workers < 2 or len(tasks) <= _FEW_CLIPS:
            yield from map(_describe, tasks)
            return
        # Spawned, because a fork of a process with threads may hang.
        context = multiprocessing.get_context("spawn")
        done = 0
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
            found = pool.map(_describe, tasks, chunksize=max(1, min(32, len(tasks) // (4 * workers))))
            with suppress(BrokenProcessPool):
                for entry in found:
                    done += 1
                    yield entry
        # If somebody killed a worker, the rest is done here.
        yield from map(_describe, tasks[done:])


def write_index(out: str | os.PathLike[str], settings: IndexSettings | None = None) -> FolderPage:
    """Make the page of a folder of results at once; after a batch, this is all that is needed.

    Raises:
        InputError: There is no such folder, or it cannot be written to.
        FormatError: Its manifest is none.
    """
    found = FolderIndex(out, settings)
    for _ in found.describe():
        pass
    return found.write()


@dataclass(frozen=True, kw_only=True)
class _Task:
    out: Path
    clip: ClipFiles
    settings: IndexSettings


def _end_with_parent() -> None:
    """Let this process end when its parent is killed; it would wait for work for ever."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent").start()


def _describe(task: _Task) -> ClipEntry | FailedEntry:
    clip = task.clip
    try:
        describer, shown = _read(clip.files)
        quality, thumbnail = describer.result()
        viewer = _write_viewer(task, shown) if task.settings.viewers else None
    except PoseMDNError as error:
        return FailedEntry(source=clip.source, reason=str(error))
    return ClipEntry(
        name=clip.name,
        source=clip.source,
        result=clip.result,
        viewer=viewer,
        quality=quality,
        thumbnail=thumbnail,
        format=clip.format,
        skeleton=shown[0].source_skeleton if shown else "",
    )


def _read(files: Sequence[Path]) -> tuple[ClipDescriber, list[HypothesisSequence]]:
    """What is said of a clip, and its first rows."""
    describer, shown, rows = ClipDescriber(), list[HypothesisSequence](), 0
    for path in files:
        for part in read_hypotheses_parts(path, _ROWS_AT_ONCE):
            describer.add(part)
            if rows < _VIEWER_ROWS:
                shown.append(part)
                rows += len(part)
    return describer, shown


def _write_viewer(task: _Task, shown: Sequence[HypothesisSequence]) -> str | None:
    """Write a clip's own page, and say where; `None` if there is nothing to see."""
    if not any(part.lifted.any() for part in shown):
        return None
    rows = shown[0] if len(shown) == 1 else HypothesisSequence.concatenate(shown)
    place = viewer_place(task.clip.name)
    path = task.out / place
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{path.parent}: expected a folder for viewers, got {(error.strerror or str(error)).lower()!r}; "
            "free the place, or use --no-viewers",
            field="viewers",
        ) from error
    write_report(
        rows,
        path,
        # A name that is no text is shown with question marks.
        title=task.clip.name.encode("utf-8", "replace").decode(),
        max_megabytes=task.settings.max_megabytes,
        back="../" * place.count("/") + PAGE,
    )
    return place


def viewer_place(name: str) -> str:
    """Where a clip's viewer is, relative to the folder; last parts too long for a file system are cut, with a hash."""
    folder, _, last = name.rpartition("/")
    content = os.fsencode(last)
    if len(content) > _LONGEST_NAME:
        digest = hashlib.sha256(content).hexdigest()[:12]
        last = f"{content[:_LONGEST_NAME].decode('utf-8', 'ignore')}-{digest}"
    return "/".join(part for part in (VIEWERS_FOLDER, folder, f"{last}.html") if part)
