"""What the operating system says of this process."""

import os
import resource
import sys
import time
from pathlib import Path

_STARTED = time.time()
_DESCRIPTORS = Path("/proc/self/fd")
_MEMORY = Path("/proc/self/statm")


def start_time_s() -> float:
    """Seconds since 1970 at which this process started, or imported this, which is soon after."""
    return _STARTED


def cpu_ns() -> int:
    """Processor time of all threads, user and system."""
    return time.process_time_ns()


def resident_bytes() -> int:
    """Memory that this process holds; its highest value so far where the system does not tell the present one."""
    try:
        return int(_MEMORY.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return highest if sys.platform == "darwin" else highest * 1024


def open_descriptors() -> int | None:
    """Files and sockets that are open; `None` where the system does not tell."""
    try:
        return len(os.listdir(_DESCRIPTORS)) - 1  # one of them is this listing
    except OSError:
        return None
