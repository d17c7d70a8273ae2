"""Which files of a watched folder are ready: whole, and left alone by whoever writes them."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pose_mdn.batch.job import Job, stamp

DEFAULT_SETTLE_S = 2.0
DEFAULT_PATIENCE_S = 60.0

_PARQUET_END = b"PAR1"
_ZIP_END, _ZIP_END_BYTES = b"PK\x05\x06", 22
_ZIP_COMMENT_BYTES = 65_535
_BRACKETS = {b"[": b"]", b"{": b"}"}


@dataclass
class _Seen:
    """What is known of a source: its stamp, since when it has been so, and the stamp with which it was handed out."""

    stamp: str
    since_s: float
    handed_out: str = ""


class Arrivals:
    """Tells from repeated looks at jobs which of them have become ready.

    A source is ready when nothing of it has changed for `settle_s`, and its end looks like the end of such a file. One
    that has no proper end is waited for longer, and handed out after `patience_s` all the same, so that whoever reads
    it can say what is wrong. Each state of a source is handed out once.
    """

    def __init__(self, *, settle_s: float = DEFAULT_SETTLE_S, patience_s: float = DEFAULT_PATIENCE_S) -> None:
        """Begin without having seen anything."""
        self._settle_s = settle_s
        self._patience_s = max(patience_s, settle_s)
        self._seen: dict[Job, _Seen] = {}

    @property
    def waiting(self) -> int:
        """How many sources have been seen and were not handed out as they are now."""
        return sum(seen.handed_out != seen.stamp for seen in self._seen.values())

    def wait_longer(self, job: Job, now_s: float) -> bool:
        """Take back a source that could not be read: perhaps it is not whole yet.

        Returns:
            Whether it will be handed out again, even if nothing changes; `False` once it was waited for long enough.
        """
        seen = self._seen.get(job)
        if seen is None or now_s - seen.since_s >= self._patience_s:
            return False
        seen.handed_out = ""
        return True

    def look(self, jobs: Iterable[Job], now_s: float) -> list[Job]:
        """Look at all jobs of the folder as it is now.

        Args:
            jobs: The plan of the folder; sources that are gone are forgotten.
            now_s: A clock that only goes forward.

        Returns:
            Those that have become ready, in the order of `jobs`.
        """
        present: dict[Job, _Seen] = {}
        ready = []
        for job in jobs:
            found = stamp(job.source)
            if not found:
                continue
            seen = self._seen.get(job)
            if seen is None or seen.stamp != found:
                seen = _Seen(found, now_s, seen.handed_out if seen else "")
            present[job] = seen
            if seen.handed_out != found and self._is_ready(job, now_s - seen.since_s):
                seen.handed_out = found
                ready.append(job)
        self._seen = present
        return ready

    def _is_ready(self, job: Job, unchanged_s: float) -> bool:
        if unchanged_s < self._settle_s:
            return False
        return unchanged_s >= self._patience_s or ends_properly(Path(job.source))


def ends_properly(path: Path) -> bool:
    """Whether a file ends as its kind does; true for kinds that have no end of their own.

    JSON ends with the bracket that it began with, Parquet with its mark, an `.npz` with the directory of a zip archive.
    Of a folder of frames the file that was written last is looked at.
    """
    try:
        if path.is_dir():
            with os.scandir(path) as entries:
                files = [entry for entry in entries if entry.is_file() and not entry.name.startswith(".")]
            return not files or ends_properly(Path(max(files, key=lambda entry: entry.stat().st_mtime_ns).path))
        return _END_CHECKS.get(path.suffix.lower(), _anything)(path)
    except OSError:
        return False


def _anything(_path: Path) -> bool:
    return True


def _json_ends(path: Path) -> bool:
    with path.open("rb") as stream:
        first = stream.read(256).lstrip()[:1]
    return _tail(path, 256).rstrip()[-1:] == _BRACKETS.get(first)


def _parquet_ends(path: Path) -> bool:
    return path.stat().st_size > 2 * len(_PARQUET_END) and _tail(path, len(_PARQUET_END)) == _PARQUET_END


def _zip_ends(path: Path) -> bool:
    tail = _tail(path, _ZIP_END_BYTES + _ZIP_COMMENT_BYTES)
    record = tail[max(0, tail.rfind(_ZIP_END)) :]
    # The record's last field says how long the comment is that follows it.
    return record.startswith(_ZIP_END) and len(record) - _ZIP_END_BYTES == int.from_bytes(record[20:22], "little")


_END_CHECKS = {".json": _json_ends, ".parquet": _parquet_ends, ".npz": _zip_ends}


def _tail(path: Path, count: int) -> bytes:
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - count))
        return stream.read()
