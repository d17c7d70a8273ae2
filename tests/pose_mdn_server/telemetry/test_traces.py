import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pose_mdn.errors import ConfigError
from pose_mdn_server.calls import Call, Client
from pose_mdn_server.telemetry.traces import _CODES, SHARE_VARIABLE, Tracer, open_tracer

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, NOT_SAMPLED = (f"00-{TRACE}-{PARENT}-{flags}" for flags in ("01", "00"))
ROOT = Path(__file__).parents[3]


def a_call(**metadata: str | bytes) -> Call:
    return Call(
        path="/pose_mdn.v1.PoseLiftingService/Lift",
        request_id="4711",
        client=Client(name="camera"),
        metadata={**metadata, "authorization": "Bearer secret-token"},
        arrived=time.perf_counter() - 0.010,
        model="mdn_lifter",
        poses=3,
        queued_s=0.002,
        ran_s=0.005,
    )


@pytest.fixture
def traced() -> Iterator[Callable[..., list[Any]]]:
    """Gives the spans of a call, by the SDK's own exporter into memory."""
    pytest.importorskip("opentelemetry.sdk.trace")
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: PLC0415

    tracers: list[Tracer] = []

    def spans(call: Call, code: str = "OK", share: float = 0.0) -> list[Any]:
        exporter = InMemorySpanExporter()
        tracers.append(Tracer(exporter, share=share))
        tracers[-1].call_finished(call, code)
        tracers[-1].close()
        return list(exporter.get_finished_spans())

    return spans


def test_a_call_that_its_caller_traces_is_a_span_below_the_callers(traced: Callable[..., list[Any]]) -> None:
    now_ns = time.time_ns()
    queue, model, call = traced(a_call(traceparent=SAMPLED, tracestate="vendor=1"))
    assert (queue.name, model.name, call.name) == ("queue", "model", "pose_mdn.v1.PoseLiftingService/Lift")
    assert format(call.context.trace_id, "032x") == TRACE
    assert format(call.parent.span_id, "016x") == PARENT
    assert call.context.trace_state["vendor"] == "1"
    assert {queue.parent.span_id, model.parent.span_id} == {call.context.span_id}
    assert call.kind.name == "SERVER"
    assert dict(call.attributes) == {
        "rpc.system": "grpc",
        "rpc.service": "pose_mdn.v1.PoseLiftingService",
        "rpc.method": "Lift",
        "rpc.grpc.status_code": 0,
        "pose_mdn.request_id": "4711",
        "pose_mdn.model": "mdn_lifter",
        "pose_mdn.poses": 3,
        "pose_mdn.client": "camera",
    }
    assert call.resource.attributes["service.name"] == "pose-mdn"
    assert queue.end_time - queue.start_time == 2_000_000
    assert model.end_time - model.start_time == 5_000_000
    assert call.start_time == queue.start_time <= queue.end_time == model.start_time < model.end_time <= call.end_time
    assert call.end_time - call.start_time >= 10_000_000
    assert abs(call.end_time - now_ns) < 60e9


@pytest.mark.parametrize(
    ("metadata", "share", "spans"),
    [
        ({"traceparent": SAMPLED}, 0.0, 3),
        ({"traceparent": NOT_SAMPLED}, 1.0, 0),
        ({"traceparent": "nonsense"}, 0.0, 0),
        ({"traceparent": SAMPLED.encode()}, 0.0, 0),
        ({}, 1.0, 3),
        ({}, 0.0, 0),
    ],
    ids=["sampled", "not sampled", "malformed", "bytes", "share of all", "share of none"],
)
def test_the_caller_decides_and_without_one_the_share(
    traced: Callable[..., list[Any]], metadata: dict[str, str | bytes], share: float, spans: int
) -> None:
    assert len(traced(a_call(**metadata), share=share)) == spans


def test_stages_never_reach_beyond_their_call(traced: Callable[..., list[Any]]) -> None:
    call = a_call(traceparent=SAMPLED)
    call.queued_s, call.ran_s = 60.0, 60.0  # slices of a long call that ran side by side
    spans = traced(call)
    assert max(span.end_time for span in spans) == spans[-1].end_time


def test_a_call_that_was_refused_has_no_stages_and_its_code(traced: Callable[..., list[Any]]) -> None:
    call = a_call(traceparent=SAMPLED)
    call.queued_s = call.ran_s = 0.0
    (refused,) = traced(call, "RESOURCE_EXHAUSTED")
    (failed,) = traced(call, "INTERNAL")
    assert refused.attributes["rpc.grpc.status_code"] == 8
    assert (refused.status.status_code.name, failed.status.status_code.name) == ("UNSET", "ERROR")


def test_the_numbers_of_codes_are_grpcs() -> None:
    grpc = pytest.importorskip("grpc")
    assert {code.name: code.value[0] for code in grpc.StatusCode} == _CODES


@pytest.fixture
def collector() -> Iterator[tuple[str, list[Any]]]:
    """An OTLP collector over HTTP: its address, and the requests that came."""
    service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    received: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, body, service.ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Be silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", received
        server.shutdown()
        thread.join()


def test_spans_reach_a_collector_without_what_authorizes(collector: tuple[str, list[Any]]) -> None:
    address, received = collector
    tracer = open_tracer(address)
    assert tracer is not None
    tracer.call_finished(a_call(traceparent=SAMPLED), "OK")
    tracer.close(10.0)
    ((path, body, request),) = received
    (resource_spans,) = request.resource_spans
    (scope_spans,) = resource_spans.scope_spans
    assert path == "/v1/traces"
    assert [span.name for span in scope_spans.spans] == ["queue", "model", "pose_mdn.v1.PoseLiftingService/Lift"]
    assert {span.trace_id.hex() for span in scope_spans.spans} == {TRACE}
    assert {attribute.key for attribute in resource_spans.resource.attributes} >= {"service.name", "service.version"}
    assert b"secret-token" not in body


def test_a_collector_that_is_not_there_keeps_nobody_waiting() -> None:
    pytest.importorskip("opentelemetry.sdk.trace")
    tracer = open_tracer("http://127.0.0.1:9/v1/traces")
    assert tracer is not None
    began = time.perf_counter()
    tracer.call_finished(a_call(traceparent=SAMPLED), "OK")
    assert time.perf_counter() - began < 1.0
    tracer.close(0.2)
    assert time.perf_counter() - began < 5.0


def test_no_endpoint_means_no_tracer() -> None:
    assert open_tracer("") is None


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4318", "grpc://127.0.0.1:4317", "http://", "yes"])
def test_an_endpoint_that_is_none_is_refused(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="traces: expected an address as http://"):
        open_tracer(endpoint)


@pytest.mark.parametrize("share", ["much", "1.5", "-1", "nan"])
def test_a_share_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, share: str) -> None:
    monkeypatch.setenv(SHARE_VARIABLE, share)
    with pytest.raises(ConfigError, match=SHARE_VARIABLE):
        open_tracer("http://127.0.0.1:4318/v1/traces")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match=r"install it with: pip install 'pose-mdn\[traces\]'"):
        open_tracer("http://127.0.0.1:4318/v1/traces")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert "traces" in extras
