"""What a server tells its metrics, its access log and its traces about calls."""

from pose_mdn_server.calls.call import Call
from pose_mdn_server.telemetry import logs
from pose_mdn_server.telemetry.metrics import Metrics
from pose_mdn_server.telemetry.traces import Tracer


class TelemetryObserver:
    """Passes on what happens to whoever wants to know it.

    Args:
        metrics: Counts everything.
        tracer: Follows single calls, if anybody wants that.
        access_log: Whether each call gets a line.
    """

    def __init__(self, metrics: Metrics, *, tracer: Tracer | None, access_log: bool) -> None:
        self._metrics = metrics
        self._tracer = tracer
        self._access_log = access_log

    def call_started(self, path: str) -> None:
        """A call came in."""
        self._metrics.call_started(path)

    def call_finished(self, call: Call, code: str, seconds: float) -> None:
        """It ended, with that status."""
        self._metrics.call_finished(call.path, call.model, code, seconds, call.poses, call.queued_s, call.ran_s)
        if self._access_log:
            logs.access(call, code, seconds)
        if self._tracer is not None:
            self._tracer.call_finished(call, code)

    def call_refused(self, reason: str) -> None:
        """It was refused, for a reason as in `ErrorInfo`."""
        self._metrics.refused(reason)

    def message_received(self, call: Call) -> None:
        """A stream brought a message."""
        self._metrics.stream_message(call.path, "received")

    def message_answered(self, call: Call, message: Call | None, seconds: float) -> None:
        """A stream was sent one, perhaps in answer to a message, so long after that came."""
        self._metrics.stream_message(call.path, "sent")
        if message is not None:
            self._metrics.stream_answered(
                call.path, message.model, seconds, message.poses, message.queued_s, message.ran_s
            )
