"""Quotas of clients, exact across the processes of one server."""

import threading
import time
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from pose_mdn_server.calls.call import Client
from pose_mdn_server.errors import QuotaExceededError
from pose_mdn_server.security.rate_limit import Account, Bucket, take, wait_ns

MAX_CLIENTS = 4096
"""Clients that are remembered; beyond them, whoever was idle longest is forgotten, and so has a full bucket again."""

_bucket = lru_cache(maxsize=1024)(Bucket.of)


class Accounts(Protocol):
    """Where accounts are kept."""

    def open(self, name: str) -> Account:
        """Hold the account of a client, alone, until it is closed."""

    def close(self, account: Account) -> None:
        """Write the account and let others have it."""


class Quotas:
    """Takes calls and poses from the buckets of clients.

    Time is `CLOCK_MONOTONIC`, which is the same in all processes of a machine and which no clock setting moves.
    """

    def __init__(self, path: Path | None = None) -> None:
        """`path` is of a file that `Quotas.create` made and that all workers share; without it, this process is alone.

        Raises:
            ConfigError: There is no such file, or it is not one of quotas.
        """
        self._accounts: Accounts = _InProcess() if path is None else _shared(path)

    @staticmethod
    def create(path: Path) -> None:
        """Make the file that workers share, for this user alone. Made anew whenever a server starts."""
        from pose_mdn_server.security.quota_file import QuotaFile  # noqa: PLC0415

        QuotaFile.create(path)

    def take(self, client: Client, poses: int, *, calls: int = 1) -> None:
        """Take a call with so many poses from a client's buckets: from both or from neither.

        Raises:
            QuotaExceededError: There is not enough left; `retry_after_s` is when there will be, if nobody else of that
                name takes it.
        """
        if client.calls_per_s is None and client.poses_per_s is None:
            return
        of_calls = None if client.calls_per_s is None else _bucket(client.calls_per_s)
        of_poses = None if client.poses_per_s is None else _bucket(client.poses_per_s)
        account = self._accounts.open(client.name)
        try:
            now = time.monotonic_ns()
            for_calls = 0 if of_calls is None else wait_ns(of_calls, account.calls_full_at, calls, now)
            for_poses = 0 if of_poses is None else wait_ns(of_poses, account.poses_full_at, poses, now)
            if for_calls <= 0 and for_poses <= 0:
                if of_calls is not None:
                    account.calls_full_at = take(of_calls, account.calls_full_at, calls, now)
                if of_poses is not None:
                    account.poses_full_at = take(of_poses, account.poses_full_at, poses, now)
                account.used_at = now
                return
        finally:
            self._accounts.close(account)
        raise _refused(client, for_calls, for_poses)


def _refused(client: Client, for_calls: int, for_poses: int) -> QuotaExceededError:
    if for_calls >= for_poses:
        what, quota = "calls", client.calls_per_s
    else:
        what, quota = "poses", client.poses_per_s
    wait_s = max(for_calls, for_poses) / 1e9
    return QuotaExceededError(
        f"quota: expected at most {quota:g} {what} per second from this client, got more; try again in {wait_s:.3g} s",
        retry_after_s=wait_s,
    )


def _shared(path: Path) -> Accounts:
    # Windows has no record locks of this kind, and no need of them: there, one worker serves.
    from pose_mdn_server.security.quota_file import QuotaFile  # noqa: PLC0415

    return QuotaFile(path)


class _InProcess:
    """Accounts of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Account] = OrderedDict()

    def open(self, name: str) -> Account:
        self._lock.acquire()
        account = self._known.get(name)
        if account is None:
            account = self._known[name] = Account(name)
            if len(self._known) > MAX_CLIENTS:
                self._known.popitem(last=False)
        self._known.move_to_end(name)
        return account

    def close(self, account: Account) -> None:
        self._lock.release()
