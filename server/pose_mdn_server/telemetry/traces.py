"""Traces of calls, for OpenTelemetry: one span for a call, and below it one for waiting and one for the model.

Spans are made when a call has ended, from the times that it carries, so a call that is not traced costs next to
nothing. Whether a call is traced is the caller's decision, which it sends in `traceparent` (W3C Trace Context); of
calls without one a small share is traced.
"""

import os
import random
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pose_mdn import __version__
from pose_mdn.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.export import SpanExporter

    from pose_mdn_server.calls.call import Call

SHARE_VARIABLE = "OTEL_TRACES_SAMPLER_ARG"
"""Environment variable, of OpenTelemetry's specification, with the share of calls without a parent that is traced."""

_DEFAULT_SHARE = 0.01
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-([0-9a-f]{2})")
_SERVER_FAULTS = {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
"""Codes that make a server's span an error, by OpenTelemetry's conventions for gRPC."""


class Tracer:
    """Turns calls that have ended into spans, which a thread of the SDK sends on in batches."""

    def __init__(self, exporter: "SpanExporter", *, share: float = _DEFAULT_SHARE) -> None:
        """Give spans to `exporter`; `share` of the calls without a parent is traced."""
        from opentelemetry import trace  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        self._share = share
        self._api = trace
        self._propagator = TraceContextTextMapPropagator()
        resource = Resource.create(
            {"service.name": "pose-mdn", "service.version": __version__, "process.pid": os.getpid()}
        )
        # What is not to be traced never comes as far as the SDK, so its sampler has nothing to decide.
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("pose_mdn_server", __version__)

    def call_finished(self, call: "Call", code: str) -> None:
        """Make the spans of a call that has just ended with the status `code`, "OK", if it is to be traced."""
        parent = call.metadata.get("traceparent")
        if parent is None:
            if random.random() < self._share:
                self._trace(call, code, None)
            return
        found = _TRACEPARENT.match(parent) if isinstance(parent, str) else None
        if found is not None and int(found[1], 16) & 1:
            self._trace(call, code, self._context_of(call))

    def close(self, timeout_s: float = 2.0) -> None:
        """Send what is there, as far as it can be sent in time."""
        import threading  # noqa: PLC0415

        # The SDK waits half a minute for a collector that does not answer.
        sending = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        sending.start()
        sending.join(timeout_s)

    def _context_of(self, call: "Call") -> "Context":
        carrier = {
            key: value for key in ("traceparent", "tracestate") if isinstance(value := call.metadata.get(key), str)
        }
        return self._propagator.extract(carrier)

    def _trace(self, call: "Call", code: str, context: "Context | None") -> None:
        end_ns = time.time_ns()
        begin_ns = end_ns - round((time.perf_counter() - call.arrived) * 1e9)
        span = self._tracer.start_span(
            call.path.removeprefix("/"),
            context=context,
            kind=self._api.SpanKind.SERVER,
            attributes=_attributes(call, code),
            start_time=begin_ns,
        )
        if code in _SERVER_FAULTS:
            span.set_status(self._api.StatusCode.ERROR, code)
        inside = self._api.set_span_in_context(span)
        run_ns = begin_ns
        for name, seconds in (("queue", call.queued_s), ("model", call.ran_s)):
            if seconds > 0.0:
                # A call says how long each took, not when it began: they stand one after the other from its arrival.
                stop_ns = min(run_ns + round(seconds * 1e9), end_ns)
                self._tracer.start_span(name, context=inside, start_time=run_ns).end(stop_ns)
                run_ns = stop_ns
        span.end(end_ns)


def open_tracer(endpoint: str) -> Tracer | None:
    """A tracer that sends to an OpenTelemetry collector, "http://HOST:4318/v1/traces"; `None` for an empty endpoint.

    Raises:
        ConfigError: That is no such address, the share of calls is no number from 0 to 1, or the extra is missing.
    """
    if not endpoint:
        return None
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"traces: expected an address as http://127.0.0.1:4318/v1/traces, got {endpoint!r}")
    share = _share()
    try:
        import opentelemetry.sdk.trace  # noqa: F401, PLC0415
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            f"traces: expected OpenTelemetry to be installed, got no {error.name}; "
            "install it with: pip install 'pose-mdn[traces]'"
        ) from None
    return Tracer(OTLPSpanExporter(endpoint=endpoint), share=share)


def _share() -> float:
    given = os.environ.get(SHARE_VARIABLE, "")
    try:
        share = float(given) if given else _DEFAULT_SHARE
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise ConfigError(f"{SHARE_VARIABLE}: expected a share of the calls, from 0 to 1, got {given!r}")
    return share


def _attributes(call: "Call", code: str) -> dict[str, Any]:
    service, _, method = call.path.removeprefix("/").rpartition("/")
    attributes = {
        "rpc.system": "grpc",
        "rpc.service": service,
        "rpc.method": method,
        "rpc.grpc.status_code": _CODES.get(code, _CODES["UNKNOWN"]),
        "pose_mdn.request_id": call.request_id,
        "pose_mdn.model": call.model,
        "pose_mdn.poses": call.poses,
        "pose_mdn.client": call.client.name,
    }
    return {name: value for name, value in attributes.items() if value != ""}


_CODES = {
    name: number
    for number, name in enumerate(
        (
            "OK",
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED",
        )
    )
}
"""Numbers of gRPC's codes, in their order."""
