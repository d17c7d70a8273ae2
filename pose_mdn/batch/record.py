"""The manifest of a batch, wherever OUT is.

SQLite needs a file of this machine. So the manifest of an OUT that is an address is a temporary file, fetched at the
beginning and published every few seconds and at the end, as `.pose-mdn/manifest.sqlite` beside the results. If this
machine dies, jobs of those last seconds are done again, which gives the same files again.
"""

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path

from pose_mdn.batch import storage
from pose_mdn.batch.job import STATE_FOLDER
from pose_mdn.batch.lock import locked
from pose_mdn.batch.manifest import MANIFEST_FILE, Manifest
from pose_mdn.errors import PoseMDNError

PUBLISH_EVERY_S = 5.0
_SHARE_OF_TIME = 0.05
"""Uploads of a large manifest may take no more of the time than that."""


class Record:
    """An open manifest, and the copy of it that others see.

    Attributes:
        manifest: The one that is written.
    """

    def __init__(self, manifest: Manifest, file: Path, address: str | None) -> None:
        """Wrap a manifest.

        Args:
            manifest: It.
            file: Where it is on this machine.
            address: Where it is published; `None` if others see the file itself.
        """
        self.manifest = manifest
        self._file = file
        self._address = address
        self._due_s = time.monotonic() + PUBLISH_EVERY_S

    def keep(self) -> None:
        """Publish the manifest if it is time to. A storage that fails gets another chance, at the latest at the end."""
        if self._address is not None and time.monotonic() >= self._due_s:
            with suppress(PoseMDNError):
                self.publish()

    def publish(self) -> None:
        """Publish the manifest; raises `InputError` if the storage cannot be written to."""
        if self._address is None:
            return
        began_s = time.monotonic()
        self.manifest.commit()
        with tempfile.TemporaryDirectory(prefix="pose-mdn-") as folder:
            copy = Path(folder) / MANIFEST_FILE
            # A copy of the database as a whole, which copying its file would not be.
            with closing(sqlite3.connect(self._file)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
            storage.publish(copy, self._address)
        now_s = time.monotonic()
        self._due_s = now_s + max(PUBLISH_EVERY_S, (now_s - began_s) / _SHARE_OF_TIME)


@contextmanager
def opened_record(out: str | Path, *, lock: bool = True) -> Iterator[Record]:
    """The manifest of OUT while the block runs, made if there is none.

    Args:
        out: A folder or an address. Only a folder can be locked: two runs into the same address must be avoided.
        lock: Whether to hold OUT's lock; not if nothing will be written.

    Raises:
        InputError: Another run holds the folder, or it cannot be written to.
        FormatError: There is a file of that name that is no manifest.
    """
    if not storage.is_url(out):
        root = Path(storage.local_path(out))
        with locked(root) if lock else nullcontext(), Manifest.open(root) as manifest:
            yield Record(manifest, root / STATE_FOLDER / MANIFEST_FILE, None)
        return
    address = storage.join(storage.join(str(out), STATE_FOLDER), MANIFEST_FILE)
    with tempfile.TemporaryDirectory(prefix="pose-mdn-") as folder:
        file = Path(folder) / MANIFEST_FILE
        if storage.exists(address):
            with storage.fetched(address) as copy:
                copy.replace(file)
        with Manifest.open(str(out), folder=Path(folder)) as manifest:
            record = Record(manifest, file, address)
            try:
                yield record
            finally:
                if lock:
                    record.publish()
