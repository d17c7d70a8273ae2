import math

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from pose_mdn import __version__
from pose_mdn_server.status import _CODES
from pose_mdn_server.telemetry.exposition import exposition
from pose_mdn_server.telemetry.families import FAMILIES, PREFIX
from pose_mdn_server.telemetry.metrics import Metrics, merge
from pose_mdn_server.telemetry.snapshots import Snapshot, empty

LIFT = "/pose_mdn.v1.PoseLiftingService/Lift"
READERS = {False: read_text, True: read_openmetrics}


@pytest.fixture
def snapshot() -> Snapshot:
    workers = [Metrics(worker=str(index), paths=[LIFT]) for index in range(2)]
    for metrics in workers:
        for milliseconds in (0.2, 0.9, 4.0, 20_000.0):
            metrics.call_started(LIFT)
            metrics.call_finished(LIFT, 'a "model"\\', "OK", milliseconds / 1e3, 2, 1e-5, 1e-4)
        metrics.batch_ran("mdn_lifter", 100, 0.004)
        metrics.set_gauge("queue_poses", 5)
    return merge([metrics.snapshot() for metrics in workers])


@pytest.mark.parametrize("openmetrics", [False, True], ids=["text", "OpenMetrics"])
def test_prometheus_own_parser_reads_the_page(snapshot: Snapshot, openmetrics: bool) -> None:
    body, content_type = exposition(snapshot, openmetrics)
    assert content_type.startswith("application/openmetrics-text" if openmetrics else "text/plain; version=0.0.4")
    families = {family.name: family for family in READERS[openmetrics](body.decode())}
    build = families[PREFIX + "build" if openmetrics else PREFIX + "build_info"]
    assert build.samples[0].labels == {"version": __version__}
    for name, family in FAMILIES.items():
        assert families[PREFIX + name].type == family.kind
        assert families[PREFIX + name].documentation == family.help
    (calls,) = families[PREFIX + "calls"].samples
    assert calls.name == "pose_mdn_calls_total"
    assert calls.labels == {"method": LIFT[1:], "model": 'a "model"\\', "code": "OK"}
    assert calls.value == 8
    assert {sample.labels["worker"]: sample.value for sample in families[PREFIX + "queue_poses"].samples} == {
        "0": 5,
        "1": 5,
    }


def test_buckets_hold_what_is_at_most_their_edge(snapshot: Snapshot) -> None:
    families = {family.name: family for family in read_text(exposition(snapshot)[0].decode())}
    samples = families[PREFIX + "call_seconds"].samples
    reached = {float(sample.labels["le"]): sample.value for sample in samples if sample.name.endswith("_bucket")}
    for edge, count in reached.items():
        assert count == 2 * sum(seconds <= edge for seconds in (0.0002, 0.0009, 0.004, 20.0))
    assert max(reached) == math.inf
    by_name = {sample.name: sample.value for sample in samples if "le" not in sample.labels}
    assert by_name == pytest.approx({PREFIX + "call_seconds_count": 8, PREFIX + "call_seconds_sum": 2 * 20.0051})


def test_an_observation_at_an_edge_is_within_it() -> None:
    metrics = Metrics()
    metrics.batch_ran("m", 8, 0.001)
    samples = {
        (sample.name, sample.labels.get("le")): sample.value
        for family in read_text(exposition(metrics.snapshot())[0].decode())
        for sample in family.samples
    }
    assert samples["pose_mdn_batch_poses_bucket", "8"] == 1
    assert samples["pose_mdn_batch_poses_bucket", "4"] == 0
    assert samples["pose_mdn_batch_seconds_bucket", "0.001"] == 1
    assert samples["pose_mdn_batch_seconds_bucket", "0.0007"] == 0


def test_a_server_that_did_nothing_yet_has_a_page() -> None:
    families = {family.name: family for family in read_text(exposition(empty())[0].decode())}
    assert [sample.value for sample in families[PREFIX + "worker_restarts"].samples] == [0]
    assert families[PREFIX + "calls"].samples == []
    reloads = {sample.labels["result"]: sample.value for sample in families[PREFIX + "reloads"].samples}
    assert reloads == {"swapped": 0, "unchanged": 0, "refused": 0}, "else an alert would miss the first one"


def test_a_refusal_has_the_reason_of_its_status() -> None:
    assert set(FAMILIES["refused"].always) <= {reason for _, _, reason in _CODES}
