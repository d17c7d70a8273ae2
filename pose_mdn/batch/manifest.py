"""Which jobs of a folder are done: a SQLite file, written by one process, that makes resuming exact.

`OUT/.pose-mdn/manifest.sqlite` holds two tables. `about` has one row for each fact of the whole folder: `settings` (the
JSON of `LiftSettings.document`), `model` and `checksum`. `jobs` has one row for each job that ended, under the path of
its target relative to OUT: its state ("done" or "failed"), the result (of a failed one, the job) as JSON, and the
reason if it failed. A job is entered after its files are in place, so whatever ends the process at whatever moment, no
file is called done that is not; at most the jobs of the last quarter of a second are done again.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pose_mdn.batch import storage
from pose_mdn.batch.backend import ModelIdentity
from pose_mdn.batch.events import Failed
from pose_mdn.batch.job import STATE_FOLDER, STDIN, Job, stamp
from pose_mdn.batch.result import JobResult
from pose_mdn.batch.settings import LiftSettings, differences
from pose_mdn.errors import FormatError, InputError

MANIFEST_FILE = "manifest.sqlite"
COMMIT_EVERY_S = 0.25
"""Each commit waits for the disk; jobs that end within this time share one."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs (
    target TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('done', 'failed')),
    result TEXT NOT NULL,
    error TEXT
) WITHOUT ROWID;
"""


class Manifest:
    """The record of a folder of results. One process may write it at a time (`pose_mdn.batch.lock`)."""

    def __init__(self, connection: sqlite3.Connection, root: str) -> None:
        """Wrap an open database; use `Manifest.open`."""
        self._connection = connection
        self._root = root
        self._sizes: dict[str, int] | None = None
        self._committed_s = time.monotonic()

    @classmethod
    def open(cls, root: str | os.PathLike[str], *, folder: Path | None = None) -> Self:
        """The manifest of the folder `root`, made if there is none.

        Args:
            root: OUT, a path or an address; targets are kept relative to it.
            folder: Where the file is; `root/.pose-mdn` by default, which an address does not have.

        Raises:
            FormatError: There is a file of that name that is no manifest.
            InputError: The folder cannot be written to.
        """
        folder = Path(root) / STATE_FOLDER if folder is None else folder
        path = folder / MANIFEST_FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, isolation_level=None)
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(_SCHEMA)
        except OSError as error:
            raise InputError(
                f"{folder}: expected a folder that can be written to, got {str(error.strerror).lower()!r}",
                field="output",
            ) from error
        except sqlite3.Error as error:
            raise FormatError(
                f"{path}: expected the manifest of an earlier run, got {error}; "
                "delete it to have everything done again, or choose another OUT"
            ) from error
        return cls(connection, os.fspath(root) if storage.is_url(root) else str(Path(root)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what was recorded and close the file."""
        self.commit()
        self._connection.close()

    def commit(self) -> None:
        """Write what was recorded; it survives a loss of power after this."""
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")
        self._committed_s = time.monotonic()

    def differences(self, settings: LiftSettings, model: ModelIdentity) -> list[str]:
        """How the settings and the model that the folder was made with differ from these; empty for a new folder."""
        about = self._about()
        if not about:
            return []
        found = differences(json.loads(about["settings"]), settings.document)
        if about["model"] != model.label:
            found.insert(0, f"model was {about['model']}, is {model.label}")
        elif about["checksum"] != model.checksum:
            found.insert(0, f"model {model.label} has other contents than it had")
        return found

    def begin(self, settings: LiftSettings, model: ModelIdentity, *, resume: bool) -> None:
        """Say what the folder is made with from now on.

        Raises:
            InputError: It shall be resumed, and was begun with other settings or another model.
        """
        found = self.differences(settings, model)
        if resume:
            refuse_differences(self._root, found)
        if found:
            # Results of other settings would be taken for results of these.
            self._change("DELETE FROM jobs")
        about = {"settings": json.dumps(settings.document), "model": model.label, "checksum": model.checksum}
        for name, value in about.items():
            self._change("INSERT OR REPLACE INTO about VALUES (?, ?)", name, value)
        self.commit()

    def is_done(self, job: Job) -> bool:
        """Whether a job needs not be done again: its source is unchanged, and its files are there, in their sizes."""
        row = self._connection.execute(
            "SELECT result FROM jobs WHERE target = ? AND state = 'done'", (self._key(job.target),)
        ).fetchone()
        if row is None:
            return False
        result = self._restored(row[0])
        same_work = (_place(result.job.source), result.job.clip, result.job.rows) == (
            _place(job.source),
            job.clip,
            job.rows,
        )
        unchanged = bool(result.source_stamp) and stamp(job.source) == result.source_stamp
        return same_work and unchanged and self._outputs_there(result)

    def forget(self, jobs: Sequence[Job]) -> None:
        """Drop what is known of jobs that will be done again."""
        for job in jobs:
            self._change("DELETE FROM jobs WHERE target = ?", self._key(job.target))
        self.commit()

    def record_done(self, result: JobResult) -> None:
        """Enter a job whose files are in place."""
        key = self._key(result.job.target)
        outputs = tuple(replace(output, path=self._key(output.path)) for output in result.outputs)
        stored = replace(result, job=replace(result.job, target=key), outputs=outputs)
        self._enter(key, result.job, "done", stored.to_document(), None)

    def record_failed(self, failed: Failed) -> None:
        """Enter a job that could not be done; it is tried again when the folder is resumed."""
        key = self._key(failed.job.target)
        self._enter(key, failed.job, "failed", replace(failed.job, target=key).to_document(), failed.error)

    def results(self) -> Iterator[JobResult]:
        """All jobs that are done, by target; paths begin with OUT."""
        rows = self._connection.execute("SELECT result FROM jobs WHERE state = 'done' ORDER BY target")
        for (document,) in rows.fetchall():
            yield self._restored(document)

    def failures(self) -> Iterator[Failed]:
        """All jobs that could not be done, by target; paths begin with OUT."""
        rows = self._connection.execute("SELECT result, error FROM jobs WHERE state = 'failed' ORDER BY target")
        for document, error in rows.fetchall():
            job = Job.from_document(json.loads(document))
            yield Failed(job=replace(job, target=self._path(job.target)), error=error)

    def _outputs_there(self, result: JobResult) -> bool:
        if storage.is_url(self._root):
            if self._sizes is None:
                self._sizes = storage.sizes(self._root)
            return all(self._sizes.get(output.path) == output.size for output in result.outputs)
        try:
            return all(os.stat(output.path).st_size == output.size for output in result.outputs)
        except OSError:
            return False

    def _about(self) -> dict[str, str]:
        return dict(self._connection.execute("SELECT name, value FROM about").fetchall())

    def _key(self, target: str) -> str:
        """A path relative to OUT, so that the folder can be moved."""
        return Path(os.path.relpath(target, self._root)).as_posix()

    def _path(self, key: str) -> str:
        return storage.join(self._root, key)

    def _restored(self, document: str) -> JobResult:
        result = JobResult.from_document(json.loads(document))
        outputs = tuple(replace(output, path=self._path(output.path)) for output in result.outputs)
        return replace(result, job=replace(result.job, target=self._path(result.job.target)), outputs=outputs)

    def _enter(self, key: str, job: Job, state: str, document: dict[str, Any], error: str | None) -> None:
        values = (key, job.source, state, json.dumps(document), error)
        self._change("INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?, ?)", *values)
        if time.monotonic() - self._committed_s > COMMIT_EVERY_S:
            self.commit()

    def _change(self, statement: str, *values: object) -> None:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")
        self._connection.execute(statement, values)


def refuse_differences(root: Path | str, found: Sequence[str]) -> None:
    """Raise `InputError` if a folder shall be resumed that was begun with other settings or another model."""
    if found:
        raise InputError(
            f"{root}: expected the settings that it was begun with, got others: {'; '.join(found)}; "
            "use the same, choose another OUT, or leave out --resume to do everything again",
            field="resume",
        )


def _place(source: str) -> str:
    """A source as it is called from wherever the command is run."""
    return source if source == STDIN or "://" in source else os.path.abspath(source)
