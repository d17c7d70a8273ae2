"""Which sockets this process has, so that it does not end while answers are still being written."""

import os
import time

_LOOK_EVERY_S = 0.01


def open_sockets() -> frozenset[str]:
    """Names of the sockets of this process; empty where the system does not tell."""
    try:
        descriptors = os.listdir("/proc/self/fd")
    except OSError:
        return frozenset()
    return frozenset(link for link in map(_target, descriptors) if link.startswith("socket:"))


def wait_until_closed(*, but: frozenset[str], seconds: float) -> bool:
    """Wait for all sockets but some to be closed. True if they were, in time.

    gRPC calls an answer finished once it has taken it over. It closes a connection once all of its answers are written
    and it was told that no more will come; whoever ends the process before that loses them.
    """
    end = time.monotonic() + seconds
    while open_sockets() - but:
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_EVERY_S)
    return True


def _target(descriptor: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""
