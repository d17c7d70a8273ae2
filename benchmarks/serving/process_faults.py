"""Faults of processes: killed, stopped, told to end, a clock that jumps, a model that is swapped."""

import json
import os
import shutil
import signal
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import grpc
from accounts import Account, judged
from fault_setting import FaultSettings, Outcome, after, missing_option, under_load
from prepared_requests import INFER, MODEL, graph_path, infer_message, people
from real_client import channel
from served import Served, wait_until

from pose_mdn_server.rpc import open_inference_pb2 as oip

RESTART_S = 30.0
STOPPED_S = 3.0
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
JUMPS_S = (3600, -7200, 0)


def kill_worker(settings: FaultSettings) -> Outcome:
    """One of two workers is killed: its calls end as UNAVAILABLE, others notice nothing, a new one takes its place."""
    return _kill_worker(settings, "kill -9 of a worker", retry=False)


def kill_worker_with_retries(settings: FaultSettings) -> Outcome:
    """The same, with clients whose service config retries what is UNAVAILABLE."""
    return _kill_worker(settings, "kill -9 of a worker, clients retry", retry=True)


def _kill_worker(settings: FaultSettings, name: str, *, retry: bool) -> Outcome:
    if reason := missing_option("--workers"):
        return Outcome(scenario=name, skipped=reason)
    with under_load(settings, workers=2, retry=retry) as (served, running):
        time.sleep(settings.seconds / 3)
        before = served.workers()
        killed = time.monotonic()
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: before[0] not in served.workers(), RESTART_S)
        replaced = wait_until(lambda: len(set(served.workers()) - {before[0]}) == len(before), RESTART_S)
        replaced_s = time.monotonic() - killed
        time.sleep(settings.seconds * 2 / 3)
        account = running.finish()
        failures = judged(account, allowed=() if retry else ("UNAVAILABLE",)) + after(served)
        if not replaced or len(before) != 2:
            failures += (f"expected two workers again, got {served.workers()} after {before}",)
        if before[-1] not in served.workers():
            failures += ("the other worker did not live on",)
    return Outcome(
        scenario=name, account=account, failures=failures, notes=(f"a new process after {replaced_s:.2f} s",)
    )


def stop_worker(settings: FaultSettings) -> Outcome:
    """SIGSTOP of a worker for some seconds: its calls wait and are answered when it goes on."""
    with under_load(settings, workers=2) as (served, running):
        time.sleep(settings.seconds / 3)
        worker = served.workers()[0]
        os.kill(worker, signal.SIGSTOP)
        time.sleep(STOPPED_S)
        os.kill(worker, signal.SIGCONT)
        time.sleep(settings.seconds / 3)
        account = running.finish()
        failures = judged(account, allowed=("UNAVAILABLE",)) + after(served)
    return Outcome(
        scenario="SIGSTOP of a worker", account=account, failures=failures, notes=(f"stopped for {STOPPED_S:g} s",)
    )


def sigterm(settings: FaultSettings) -> Outcome:
    """SIGTERM under load: calls under way are answered, new ones are UNAVAILABLE, the process ends with code 0."""
    with under_load(settings, workers=2) as (served, running):
        time.sleep(settings.seconds / 2)
        told = time.monotonic()
        code = served.stop()
        drained_s = time.monotonic() - told
        time.sleep(0.5)
        account = running.finish()
        failures = judged(account, allowed=("UNAVAILABLE",))
        if code != 0:
            failures += (f"expected exit code 0, got {code}",)
    return Outcome(
        scenario="SIGTERM under load", account=account, failures=failures, notes=(f"ended after {drained_s:.2f} s",)
    )


def clock_jump(settings: FaultSettings) -> Outcome:
    """The wall clock jumps by hours, forwards and back (libfaketime); the steady clock goes on, as in a real jump."""
    name = "clock jumps"
    if not Path(FAKETIME).exists():
        return Outcome(scenario=name, skipped="libfaketime is not installed (Debian: faketime)")
    with tempfile.TemporaryDirectory(prefix="pose-mdn-clock-") as folder:
        offset = Path(folder) / "offset"
        offset.write_text("+0\n")
        environment = {
            "LD_PRELOAD": FAKETIME,
            "FAKETIME_TIMESTAMP_FILE": str(offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
        with under_load(settings, workers=2, environment=environment) as (served, running):
            for jump in JUMPS_S:
                time.sleep(settings.seconds / (len(JUMPS_S) + 1))
                offset.write_text(f"{jump:+d}\n")
            time.sleep(settings.seconds / (len(JUMPS_S) + 1))
            account = running.finish()
            failures = judged(account) + after(served)
    return Outcome(
        scenario=name, account=account, failures=failures, notes=(f"by {', '.join(f'{j:+d} s' for j in JUMPS_S)}",)
    )


def model_swap(settings: FaultSettings) -> Outcome:
    """A second version appears and SIGHUP is sent, then a broken third one: the second serves, the third is refused."""
    name = "model swap"
    with tempfile.TemporaryDirectory(prefix="pose-mdn-repository-") as folder:
        repository = Path(folder)
        add_version(repository, 1)
        with under_load(settings, workers=2, options={"--repository": repository}) as (served, running):
            if missing_option("--workers"):
                return Outcome(scenario=name, skipped="this server does not reload on SIGHUP")
            time.sleep(settings.seconds / 4)
            add_version(repository, 2)
            served.process.send_signal(signal.SIGHUP)
            swapped = wait_until(lambda: newest_version(served) == "2", RESTART_S)
            time.sleep(settings.seconds / 4)
            add_version(repository, 3, graph=b"not a graph")
            served.process.send_signal(signal.SIGHUP)
            time.sleep(settings.seconds / 2)
            account = running.finish()
            failures = judged(account) + after(served)
            if not swapped or newest_version(served) != "2":
                failures += (f"expected version 2 to serve, got {newest_version(served)}",)
    return Outcome(
        scenario=name, account=account, failures=failures, notes=("version 2 took over; a broken version 3 did not",)
    )


def add_version(repository: Path, version: int, graph: bytes | None = None) -> None:
    """Put a version of the bundled lifter into a repository at once; with another graph, its checksums do not fit."""
    source = graph_path().parent
    staged = repository.parent / f"{repository.name}-staged-{version}"
    shutil.copytree(source, staged)
    config = json.loads((staged / "config.json").read_text())
    (staged / "config.json").write_text(json.dumps({**config, "version": version}))
    files = sorted(path for path in staged.iterdir() if path.name != "SHA256SUMS")
    sums = [f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (staged / "SHA256SUMS").write_text("".join(sums))
    if graph is not None:
        (staged / "model.onnx").write_bytes(graph)
    (repository / MODEL).mkdir(exist_ok=True)
    staged.rename(repository / MODEL / str(version))


def newest_version(served: Served) -> str:
    """Which version answers requests that name none; every worker is likely asked, over connections of their own."""
    request = oip.ModelInferRequest.FromString(infer_message(people(1, seed=5)))
    request.model_version = ""
    versions = set()
    for _ in range(8):
        with channel(served.address) as connection:
            try:
                answer = connection.unary_unary(INFER)(request.SerializeToString(), timeout=10)
            except grpc.RpcError as error:
                return error.code().name
        versions.add(oip.ModelInferResponse.FromString(answer).model_version)
    return ", ".join(sorted(versions))


def no_fault(settings: FaultSettings) -> Outcome:
    """Nothing goes wrong: what clients see otherwise, to compare with."""
    with under_load(settings, workers=2) as (served, running):
        time.sleep(settings.seconds)
        account: Account = running.finish()
        failures = judged(account) + after(served)
    return Outcome(scenario="no fault", account=account, failures=failures)
