"""What a process and all its descendants use: processor time, memory, descriptors, read from /proc."""

import os
import signal
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def tree(pid: int) -> list[int]:
    """The process and all its descendants, parents first; those that are gone are left out."""
    found = [pid] if Path(f"/proc/{pid}").exists() else []
    for parent in found:
        for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in tasks.read_text().split()]
            except OSError:
                continue
    return found


def _stat(pid: int) -> list[str]:
    # The name of the program, in parentheses, may hold spaces; what follows may not.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_s(pid: int) -> float:
    """Processor seconds, user and system, of the tree, with those of children that ended and were waited for."""
    total = 0
    for member in tree(pid):
        try:
            fields = _stat(member)
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / _TICKS_PER_S


def resident_bytes(pid: int) -> dict[int, int]:
    """Resident memory of each process of the tree."""
    sizes = {}
    for member in tree(pid):
        try:
            sizes[member] = int(Path(f"/proc/{member}/statm").read_text().split()[1]) * _PAGE_BYTES
        except OSError:
            continue
    return sizes


def descriptors(pid: int) -> dict[int, int]:
    """Open file descriptors of each process of the tree."""
    counts = {}
    for member in tree(pid):
        try:
            counts[member] = len(os.listdir(f"/proc/{member}/fd"))
        except OSError:
            continue
    return counts


def command_line(pid: int) -> str:
    """What a process was started with; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def threads_off_core(pid: int, cores: set[int]) -> list[int]:
    """Processes of the tree that may run on other cores than these."""
    return [member for member in tree(pid) if not os.sched_getaffinity(member) <= cores]


def kill_tree(pid: int) -> None:
    """End a process and all its descendants at once."""
    for member in tree(pid):
        try:
            os.kill(member, signal.SIGKILL)
        except ProcessLookupError:
            continue
