"""What the HTTP port asks of whoever runs the server."""

from typing import Protocol


class Supervisor(Protocol):
    """Knows the workers. Both questions may take their time: they are asked on threads, never on the event loop."""

    def metrics(self, openmetrics: bool) -> tuple[bytes, str]:
        """Metrics of all workers in OpenMetrics' or Prometheus' text format, and their content type."""
        ...

    def readiness(self) -> dict[str, object]:
        """What is ready, as JSON; `ready` is true if calls are answered."""
        ...
