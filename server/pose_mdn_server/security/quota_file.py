"""Accounts of clients in a file that several processes have mapped into their memory.

The file begins with a header (magic, number of groups, a random key). Then come groups of eight slots of 64 bytes. A
client's name, digested with the key, says its group; in there it has whichever slot is its own. Who comes new takes an
empty slot, or that of whoever was idle longest.

A group is held by a record lock (`fcntl`) on its bytes: the kernel frees the locks of a process that dies, however it
dies. These locks do not keep apart the threads of one process, so each process has a mutex of its own beside them.
"""

import fcntl
import hashlib
import mmap
import os
import secrets
import struct
import threading
from functools import lru_cache
from pathlib import Path

from pose_mdn.errors import ConfigError
from pose_mdn_server.security.rate_limit import Account

GROUPS = 512
SLOTS_IN_GROUP = 8
_SLOT = struct.Struct("<16sqqq24x")
_HEADER = struct.Struct("<8sI16s36x")
_GROUP_BYTES = SLOTS_IN_GROUP * _SLOT.size
_MAGIC = b"pmdnqt01"


class QuotaFile:
    """The accounts in a shared file."""

    def __init__(self, path: Path) -> None:
        """Map a file that `create` made.

        Raises:
            ConfigError: There is none, or it is of another kind.
        """
        try:
            # The descriptor stays open for good: closing any descriptor of a file frees all locks of the process on it.
            self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            self._memory = mmap.mmap(self._descriptor, 0)
            magic, self._groups, self._secret = _HEADER.unpack_from(self._memory)
        except (OSError, ValueError, struct.error) as error:
            raise ConfigError(f"quotas: expected a file that the supervisor made, got {path} ({error})") from None
        size = _HEADER.size + self._groups * _GROUP_BYTES
        if magic != _MAGIC or not self._groups or len(self._memory) != size:
            raise ConfigError(f"quotas: expected a file that the supervisor made, got {path}, which is something else")
        self._mutex = threading.Lock()
        self._place = lru_cache(maxsize=4096)(self._find_place)

    @staticmethod
    def create(path: Path, *, groups: int = GROUPS) -> None:
        """Make an empty file, which replaces one that is there."""
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            # Written rather than left sparse: a full disk shows here, and not as a SIGBUS in a worker.
            content = _HEADER.pack(_MAGIC, groups, secrets.token_bytes(16)) + bytes(groups * _GROUP_BYTES)
            written = os.write(descriptor, content)
            if written < len(content):
                raise ConfigError(f"quotas: expected room for {len(content)} bytes at {path}, got {written}")
        finally:
            os.close(descriptor)

    def open(self, name: str) -> Account:
        """Hold the account of a client, alone, until it is closed."""
        account = Account(name)
        account.key, account.group_at = self._place(name)
        self._mutex.acquire()
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX, _GROUP_BYTES, account.group_at)
        except BaseException:
            self._mutex.release()
            raise
        self._read(account)
        return account

    def close(self, account: Account) -> None:
        """Write the account and let others have it."""
        try:
            # The time of use comes last in the slot; an account that was only looked at is not worth a place.
            if account.used_at:
                _SLOT.pack_into(
                    self._memory,
                    account.slot_at,
                    account.key,
                    account.calls_full_at,
                    account.poses_full_at,
                    account.used_at,
                )
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, _GROUP_BYTES, account.group_at)
            self._mutex.release()

    def _find_place(self, name: str) -> tuple[bytes, int]:
        key = hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=16, key=self._secret).digest()
        return key, _HEADER.size + int.from_bytes(key[:8], "little") % self._groups * _GROUP_BYTES

    def _read(self, account: Account) -> None:
        slot_at = self._memory.find(account.key, account.group_at, account.group_at + _GROUP_BYTES)
        # Times in a slot could spell a key only by a chance of 2^-128, but at another place than a slot's beginning.
        if slot_at >= 0 and (slot_at - account.group_at) % _SLOT.size == 0:
            _, account.calls_full_at, account.poses_full_at, account.used_at = _SLOT.unpack_from(self._memory, slot_at)
            account.slot_at = slot_at
            return
        slots = range(account.group_at, account.group_at + _GROUP_BYTES, _SLOT.size)
        # Empty slots were used at 0, before all others.
        account.slot_at = min(slots, key=lambda at: int(_SLOT.unpack_from(self._memory, at)[3]))
