"""Faults of what a server lives on: a queue that is full, a disk that is full, no descriptors left."""

import shutil
import socket
import time
from pathlib import Path

import grpc
import http2_frames as h2
from accounts import judged
from fault_load import LoadSettings, load
from fault_setting import FaultSettings, Outcome, after, close_all, missing_option, under_load
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from prepared_requests import INFER, LIFT, infer_message, lift_message, people
from real_client import channel
from served import Served, pose_mdn

SMALL_QUEUE_POSES = 256
FLOOD_POSES = 64
FLOOD_THREADS = 48
FEW_FILES = 128
MANY_CONNECTIONS = 400


def queue_full(settings: FaultSettings) -> Outcome:
    """More poses than the queue holds: some are refused, and told when to come back; none is lost."""
    name = "queue full"
    if reason := missing_option("--max-queued-poses"):
        return Outcome(scenario=name, skipped=reason)
    with pose_mdn(options={"--max-queued-poses": SMALL_QUEUE_POSES}) as served:
        flood = LoadSettings(
            address=served.address,
            kinds=("several", "several-lift", "infer"),
            threads=FLOOD_THREADS,
            seed=settings.seed,
        )
        with load(flood, settings.processes) as running:
            time.sleep(settings.seconds / 2)
            advice = _retry_advice(served)
            time.sleep(settings.seconds / 2)
            account = running.finish()
        failures = judged(account, allowed=("RESOURCE_EXHAUSTED",)) + after(served)
    if not account.refused.get("RESOURCE_EXHAUSTED"):
        failures += ("expected refusals, got none",)
    if "RetryInfo" not in advice and advice != "no refusal seen":
        failures += (f"expected RetryInfo with a refusal, got {advice}",)
    return Outcome(scenario=name, account=account, failures=failures, notes=(f"a refusal carries {advice}",))


def _retry_advice(served: Served) -> str:
    """What a refusal says of when to come again."""
    feed = people(FLOOD_POSES, seed=9)
    with channel(served.address) as connection:
        calls = [
            connection.unary_unary(method).future(message, timeout=30)
            for method, message in ((INFER, infer_message(feed)), (LIFT, lift_message(feed))) * 64
        ]
        for call in calls:
            if call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                status: Status | None = rpc_status.from_call(call)
                return _details(status)
    return "no refusal seen"


def _details(status: Status | None) -> str:
    retry = RetryInfo()
    for detail in status.details if status is not None else ():
        if detail.Unpack(retry):
            return f"RetryInfo of {retry.retry_delay.ToMilliseconds()} ms"
    return "no RetryInfo"


def disk_full(settings: FaultSettings) -> Outcome:
    """The disk that takes the log is full, with one line of log for each call: calls are answered all the same."""
    with under_load(settings, options={"--access-log": True}, stderr=Path("/dev/full")) as (served, running):
        time.sleep(settings.seconds)
        account = running.finish()
        failures = judged(account) + after(served)
    return Outcome(scenario="disk full", account=account, failures=failures, notes=("access log to /dev/full",))


def descriptors_exhausted(settings: FaultSettings) -> Outcome:
    """More connections than the server may have descriptors: those it has go on, and new ones come in later."""
    name = "no descriptors left"
    if shutil.which("prlimit") is None:
        return Outcome(scenario=name, skipped="prlimit is not installed (Debian: util-linux)")
    opened: list[socket.socket] = []
    with under_load(settings, prefix=("prlimit", f"--nofile={FEW_FILES}:{FEW_FILES}")) as (served, running):
        time.sleep(settings.seconds / 4)
        for _ in range(MANY_CONNECTIONS):
            try:
                connection = h2.connect(served.address, timeout_s=1)
                opened.append(connection)
                connection.sendall(h2.PREFACE + h2.settings())
            except OSError:
                continue
        time.sleep(settings.seconds / 2)
        close_all(opened)
        time.sleep(settings.seconds / 4)
        account = running.finish()
        failures = judged(account) + after(served)
    note = f"{len(opened)} connections, {FEW_FILES} descriptors"
    return Outcome(scenario=name, account=account, failures=failures, notes=(note,))
