import json
import subprocess
import sys
import threading
import timeit
from itertools import repeat

import pytest

from pose_mdn_server.telemetry.labels import OTHER, key_of
from pose_mdn_server.telemetry.metrics import Metrics, merge, retired

LIFT = "/pose_mdn.v1.PoseLiftingService/Lift"
STREAM = "/pose_mdn.v1.PoseLiftingService/LiftStream"
METHOD, STREAM_METHOD = LIFT[1:], STREAM[1:]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(worker="3", paths=[LIFT], stream_paths=[STREAM])


def finish(metrics: Metrics, *, code: str = "OK", path: str = LIFT, model: str = "mdn_lifter") -> None:
    metrics.call_started(path)
    metrics.call_finished(path, model, code, 0.004, 5, 0.001, 0.002)


def test_a_call_is_counted_with_its_poses_and_stages(metrics: Metrics) -> None:
    finish(metrics)
    taken = metrics.snapshot()
    assert taken["counters"]["calls"] == {key_of(METHOD, "mdn_lifter", "OK"): 1}
    assert taken["counters"]["poses"] == {key_of(METHOD, "mdn_lifter"): 5}
    stages = taken["histograms"]["stage_seconds"]
    sums_ns = {stage: stages[key_of(stage, "mdn_lifter")][0] for stage in ("queue", "model", "rest")}
    assert sums_ns == {"queue": 1_000_000, "model": 2_000_000, "rest": 1_000_000}
    assert taken["histograms"]["call_seconds"][key_of(METHOD, "mdn_lifter", "OK")][0] == sum(sums_ns.values())


def test_a_refused_call_has_a_code_but_neither_poses_nor_stages(metrics: Metrics) -> None:
    metrics.call_started(LIFT)
    metrics.call_finished(LIFT, "", "RESOURCE_EXHAUSTED", 0.0001, 5, 0.0, 0.0)
    metrics.refused("OVERLOADED")
    taken = metrics.snapshot()
    assert taken["counters"]["calls"] == {key_of(METHOD, "", "RESOURCE_EXHAUSTED"): 1}
    assert taken["counters"]["poses"] == {}
    assert taken["counters"]["refused"] == {"OVERLOADED": 1}
    assert taken["histograms"]["stage_seconds"] == {}


def test_what_is_in_flight_is_what_started_and_did_not_end(metrics: Metrics) -> None:
    for _ in range(3):
        metrics.call_started(LIFT)
    metrics.call_finished(LIFT, "mdn_lifter", "OK", 0.001, 1, 0.0, 0.0)
    assert metrics.snapshot()["gauges"]["calls_in_flight"] == {key_of(METHOD, "3"): 2.0}


def test_a_stream_is_timed_answer_by_answer(metrics: Metrics) -> None:
    metrics.call_started(STREAM)
    for _ in range(4):
        metrics.stream_message(STREAM, "received")
        metrics.stream_answered(STREAM, "mdn_lifter", 0.002, 8, 0.0005, 0.001)
        metrics.stream_message(STREAM, "sent")
    metrics.call_finished(STREAM, "mdn_lifter", "OK", 600.0, 32, 0.002, 0.004)
    taken = metrics.snapshot()
    assert taken["counters"]["calls"] == {key_of(STREAM_METHOD, "mdn_lifter", "OK"): 1}
    assert taken["counters"]["poses"] == {key_of(STREAM_METHOD, "mdn_lifter"): 32}
    assert taken["counters"]["stream_messages"] == {
        key_of(STREAM_METHOD, direction): 4 for direction in ("received", "sent")
    }
    assert taken["histograms"]["call_seconds"] == {}
    total_ns, *counts = taken["histograms"]["stream_answer_seconds"][key_of(STREAM_METHOD, "mdn_lifter")]
    assert (total_ns, sum(counts)) == (8_000_000, 4)


def test_methods_may_be_made_known_later(metrics: Metrics) -> None:
    late = Metrics(worker="3")
    late.know_methods([LIFT, STREAM], stream_paths=[STREAM])
    for either in (metrics, late):
        for path in (LIFT, STREAM, "/nobody.Knows/It"):
            finish(either, path=path)
    assert late.snapshot()["counters"]["calls"] == metrics.snapshot()["counters"]["calls"]
    assert late.snapshot()["histograms"] == metrics.snapshot()["histograms"]
    assert len(late.snapshot()["histograms"]["call_seconds"]) == 2, "the stream is not among them"


def test_batches_gauges_reloads_and_restarts(metrics: Metrics) -> None:
    metrics.batch_ran("mdn_lifter", 12, 0.003)
    metrics.set_gauge("queue_poses", 7)
    metrics.reloaded("swapped")
    metrics.worker_restarted()
    taken = metrics.snapshot()
    assert taken["histograms"]["batch_poses"]["mdn_lifter"][0] == 12
    assert taken["histograms"]["batch_seconds"]["mdn_lifter"][0] == 3_000_000
    assert taken["gauges"]["queue_poses"] == {"3": 7.0}
    assert taken["counters"]["reloads"] == {"swapped": 1}
    assert taken["counters"]["worker_restarts"] == {"": 1}


def test_the_process_is_described(metrics: Metrics) -> None:
    first, second = metrics.snapshot(), metrics.snapshot()
    assert 0 < first["counters"]["process_cpu_seconds"]["3"] <= second["counters"]["process_cpu_seconds"]["3"]
    assert first["gauges"]["process_resident_memory_bytes"]["3"] > 1e6
    assert first["gauges"]["process_open_fds"]["3"] >= 3


def test_names_that_nobody_knows_are_refused(metrics: Metrics) -> None:
    with pytest.raises(ValueError, match="queue_poses"):
        metrics.set_gauge("queue", 1)
    with pytest.raises(ValueError, match="received, sent"):
        metrics.stream_message(STREAM, "up")


@pytest.mark.parametrize("closed", [True, False], ids=["known methods", "methods as they come"])
def test_no_caller_can_make_series_without_end(closed: bool) -> None:
    metrics = Metrics(paths=[LIFT] if closed else None)
    finish(metrics)
    for number in range(1000):
        finish(metrics, path=f"/a.Service{number}/Method", model=f"model{number}", code=f"CODE{number}")
        finish(metrics, path=f"no path {number}")
        metrics.refused(f"REASON{number}")
        metrics.batch_ran(f"model{number}", 1, 0.001)
        metrics.reloaded(f"result{number}")
    taken = metrics.snapshot()
    methods = {key.split("\t")[0] for key in taken["counters"]["calls_started"]}
    assert {METHOD, OTHER} <= methods
    assert len(methods) <= (2 if closed else 65)
    assert sum(taken["counters"]["calls"].values()) == 2001
    assert len({key.split("\t")[1] for key in taken["counters"]["calls"]}) <= 66
    assert len({key.split("\t")[2] for key in taken["counters"]["calls"]}) <= 18
    for name in ("refused", "reloads"):
        assert sum(taken["counters"][name].values()) == 1000
        assert len(taken["counters"][name]) <= 33
    assert len(taken["histograms"]["batch_poses"]) <= 66
    assert len(json.dumps(taken)) < 500_000


def test_nothing_is_lost_when_many_threads_count_and_one_looks(metrics: Metrics) -> None:
    threads, calls = 4, 5000
    begin, done = threading.Barrier(threads + 1), threading.Event()
    seen: list[int] = []

    def work() -> None:
        begin.wait()
        for _ in range(calls):
            finish(metrics)
            metrics.refused("OVERLOADED")

    def look() -> None:
        while not done.is_set():
            seen.append(sum(metrics.snapshot()["counters"].get("calls", {}).values()))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    watcher = threading.Thread(target=look)
    for thread in (*workers, watcher):
        thread.start()
    begin.wait()
    for thread in workers:
        thread.join()
    done.set()
    watcher.join()
    taken = metrics.snapshot()
    assert taken["counters"]["calls"] == {key_of(METHOD, "mdn_lifter", "OK"): threads * calls}
    assert taken["counters"]["refused"] == {"OVERLOADED": threads * calls}
    assert sum(taken["histograms"]["call_seconds"][key_of(METHOD, "mdn_lifter", "OK")][1:]) == threads * calls
    assert taken["gauges"]["calls_in_flight"] == {key_of(METHOD, "3"): 0.0}
    assert seen == sorted(seen)


def test_threads_that_have_ended_leave_their_counts_and_nothing_else(metrics: Metrics) -> None:
    for _ in range(20):
        thread = threading.Thread(target=finish, args=(metrics,))
        thread.start()
        thread.join()
        taken = metrics.snapshot()
    assert sum(taken["counters"]["calls"].values()) == 20
    assert metrics._shards == []


def test_the_counts_of_a_worker_that_died_stay_and_its_state_goes() -> None:
    dead, alive = Metrics(worker="0", paths=[LIFT]), Metrics(worker="0", paths=[LIFT])
    finish(dead)
    dead.call_started(LIFT)
    dead.set_gauge("queue_poses", 40)
    last = json.loads(json.dumps(dead.snapshot()))
    finish(alive)
    alive.set_gauge("queue_poses", 2)
    total = merge([retired(last), alive.snapshot()])
    assert total["counters"]["calls"] == {key_of(METHOD, "mdn_lifter", "OK"): 2}
    assert total["gauges"]["queue_poses"] == {"0": 2.0}
    assert total["gauges"]["calls_in_flight"] == {key_of(METHOD, "0"): 0.0}
    assert total["counters"]["calls_started"] == {METHOD: 3}, "the call that died with it can be told"


def test_counting_a_call_costs_next_to_nothing(metrics: Metrics) -> None:
    finish(metrics)
    count = 2000
    best_s = min(timeit.repeat(lambda: finish(metrics), number=count, repeat=7)) / count
    assert best_s < 9e-6, "three times the budget, since the machine may be busy"


def test_counting_imports_neither_grpc_nor_the_page_writer() -> None:
    program = "import sys, pose_mdn_server.telemetry.metrics, pose_mdn_server.telemetry.logs; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"grpc", "prometheus_client", "google.protobuf", "opentelemetry"} & set(done.stdout.split()) == set()


def test_unknown_methods_share_one_series_however_often_they_come() -> None:
    metrics = Metrics(paths=[LIFT])
    for path in repeat("/other/other", 3):
        finish(metrics, path=path, model="")
    assert metrics.snapshot()["counters"]["calls"] == {key_of(OTHER, "", "OK"): 3}
