"""Coming to a Ray cluster and leaving it: one that runs already, or a new one on this machine."""

import logging
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pose_mdn.errors import InputError, MissingExtraError

AUTO = "auto"
VERBOSE_VARIABLE = "POSE_MDN_RAY_LOG"
"""If this environment variable is set, Ray's own messages are let through."""

_CLIENT = "ray://"
_ANSWER_TIME_S = 5.0
_OBJECT_STORE_BYTES = 100 * 2**20
"""Of a new cluster. What passes through it are names of jobs and what became of them; Ray asks for 75 MiB at least."""

_CPUS_PER_WORKER = 0.5
_SMALLEST_CPUS = 0.001
_REMOVALS, _BETWEEN_REMOVALS_S = 10, 0.2
_HTTP2_OPENING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""The connection preface and an empty SETTINGS frame (RFC 9113, sections 3.4 and 6.5)."""


@dataclass(frozen=True, kw_only=True)
class Crew:
    """How many workers a cluster gets.

    Attributes:
        workers: How many.
        cpus: What each reserves, in cores.
    """

    workers: int
    cpus: float


def plan_crew(*, total_cpus: float, free_cpus: float, wanted: int, jobs: int) -> Crew:
    """As many workers as there are cores, or as are wanted; each reserves half a core or less.

    A worker keeps a core busy, but must not reserve a whole one: if a node dies, its workers are started again on the
    others, where they have to fit, or the jobs that they had would wait for ever. Half a core each leaves room for the
    loss of half the cluster.

    Args:
        total_cpus: Cores of the cluster.
        free_cpus: How many of them nobody has reserved.
        wanted: How many workers the user asks for; 0 leaves it to the cluster.
        jobs: How many there are; more workers would have nothing to do.

    Raises:
        InputError: No worker fits.
    """
    if total_cpus <= 0:
        raise InputError("cluster: expected a node with a core at least, got none; start one", field="cluster")
    workers = max(1, min(wanted or int(total_cpus), jobs))
    cpus = max(min(_CPUS_PER_WORKER, total_cpus / (2 * workers)), _SMALLEST_CPUS)
    fitting = int(free_cpus / cpus + 1e-9)
    if fitting < 1:
        raise InputError(
            f"cluster: expected {cpus:g} cores that nobody has reserved, got {free_cpus:g} of {total_cpus:g}; "
            "wait for the other work to end or add nodes",
            field="cluster",
        )
    return Crew(workers=min(workers, fitting), cpus=round(cpus, 3))


@contextmanager
def joined(address: str | None, *, cores: int) -> Iterator[Any]:
    """The module `ray`, connected to a cluster; a connection that is there already is used and left.

    Args:
        address: "auto", "host:port" or "ray://host:port"; `None` starts a cluster on this machine, reachable from
            nowhere else, and ends it afterwards.
        cores: Of a new cluster.

    Raises:
        MissingExtraError: Ray is not installed.
        InputError: The cluster does not answer or does not let us in.
    """
    ray = _imported(local=address is None)
    if ray.is_initialized():
        yield ray
        return
    folder = tempfile.mkdtemp(prefix="pose-mdn-ray-")
    try:
        _connect(ray, address, cores, folder)
        yield ray
    finally:
        # Ends a cluster of our own, and of another one just our job with its workers.
        ray.shutdown()
        _remove(Path(folder))


def _remove(folder: Path) -> None:
    """Remove what a cluster wrote; its last processes may still be writing."""
    for _ in range(_REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_BETWEEN_REMOVALS_S)


def _connect(ray: Any, address: str | None, cores: int, folder: str) -> None:
    quiet = os.environ.get(VERBOSE_VARIABLE) is None
    options: dict[str, Any] = {"log_to_driver": not quiet, "logging_level": logging.ERROR if quiet else logging.INFO}
    if address is None:
        options |= {
            "address": "local",
            "num_cpus": cores,
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE_BYTES,
            "_temp_dir": folder,
        }
    else:
        _knock(address)
        options["address"] = address
    if quiet:
        _silence(ray)
    try:
        ray.init(**options)
    except Exception as error:  # Ray has no class of its own for a connection that fails.
        said = " ".join(f"{type(error).__name__}: {error}".split())[:240]
        where = f"cluster {address}" if address else "a Ray cluster on this machine"
        cure = (
            "check the address and that its versions of Ray and Python are those of this machine"
            if address
            else ("see whether /tmp and /dev/shm have room")
        )
        raise InputError(f"{where}: expected it to take our job, got {said!r}; {cure}", field="cluster") from error


def _silence(ray: Any) -> None:
    """Keep what Ray says of nodes and tasks from stdout, where it prints it whatever `log_to_driver` says."""
    worker: Any = getattr(getattr(ray, "_private", None), "worker", None)
    # The switch of Ray's own debugger; where a version has none, its messages are merely a nuisance.
    if hasattr(worker, "_worker_logs_enabled"):
        worker._worker_logs_enabled = False


def _imported(*, local: bool) -> Any:
    # Ray reads these when it is imported, and hands them down to the processes that it starts.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if local:
        # In spite of its name it decides on every system whether Ray listens on the loopback interface only.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray  # noqa: PLC0415

        constants = getattr(getattr(ray, "_private", None), "ray_constants", None)
        if local and constants is not None:
            # The same once more, for those who had imported Ray before.
            constants.ENABLE_RAY_CLUSTER = False
    except ImportError as error:
        raise MissingExtraError(
            f"--engine ray: expected the package ray, got {error}; install it: pip install 'pose-mdn[ray]'"
        ) from error
    return ray


def _knock(address: str) -> None:
    """Refuse an address where no Ray answers; Ray itself would try for minutes."""
    if address == AUTO:
        return
    host, colon, port = address.removeprefix(_CLIENT).partition("/")[0].rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise InputError(
            f"cluster: expected 'auto', 'host:port' or 'ray://host:port', got {address!r}; "
            "leave it out to use this machine alone",
            field="cluster",
        )
    try:
        with closing(socket.create_connection((host.strip("[]"), int(port)), _ANSWER_TIME_S)) as connection:
            answers = _speaks_grpc(connection)
    except (OSError, OverflowError) as error:
        raise InputError(
            f"cluster {address}: expected a Ray cluster, got {str(error).lower()!r}; check the address, the firewall "
            "and that the head node runs",
            field="cluster",
        ) from error
    if not answers:
        raise InputError(
            f"cluster {address}: expected a Ray cluster, got another kind of server; give the address that "
            "'ray start --head' printed, with its port",
            field="cluster",
        )


def _speaks_grpc(connection: socket.socket) -> bool:
    """Whether a server answers HTTP/2's opening with settings of its own."""
    if os.environ.get("RAY_USE_TLS", "0") == "1":
        return True
    connection.settimeout(_ANSWER_TIME_S)
    heard = b""
    with suppress(OSError):
        connection.sendall(_HTTP2_OPENING)
        while len(heard) < 4 and (part := connection.recv(64)):
            heard += part
    return len(heard) >= 4 and heard[3] == 4
