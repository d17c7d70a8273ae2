"""One call, and who makes it."""

import enum
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pose_mdn_server.errors import PermissionDeniedError


class Priority(enum.IntEnum):
    """Who is served first when calls wait."""

    INTERACTIVE = 0
    """Somebody waits for the answer."""
    BULK = 1
    """The rest; a share of the work is kept for it, so that it never starves."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """Who calls, as far as the server knows.

    Attributes:
        name: Of the token, of the certificate, or the address; in quotas and traces, never in metrics.
        models: Names of the models that may be used; `None` for all.
        priority: The best priority that is granted; a call may ask for a lower one.
        poses_per_s: Quota of poses; `None` for no limit.
        calls_per_s: Quota of calls; `None` for no limit.
        administers: Whether models may be loaded and unloaded.
    """

    name: str
    models: frozenset[str] | None = None
    priority: Priority = Priority.INTERACTIVE
    poses_per_s: float | None = None
    calls_per_s: float | None = None
    administers: bool = False

    def require_model(self, name: str) -> None:
        """Refuse models that this client may not use.

        Raises:
            PermissionDeniedError: It may not.
        """
        if self.models is not None and name not in self.models:
            allowed = ", ".join(sorted(self.models)) or "(none)"
            raise PermissionDeniedError(f"model: expected one that this token may use: {allowed}; got {name[:64]!r}")


class Quotas(Protocol):
    """Who knows what clients have left."""

    def take(self, client: Client, poses: int, *, calls: int = 1) -> None:
        """Take calls and poses from a client's quotas; a `QuotaExceededError` refuses."""


ANYONE = Client(name="")
"""A client of whom nothing is known and to whom everything but administration is allowed."""


@dataclass(kw_only=True, slots=True, eq=False)
class Call:
    """What a servicer may know of the call that it answers.

    Attributes:
        path: "/package.Service/Method".
        request_id: Stands in logs, traces and errors.
        client: Who calls.
        peer: Address of the other end, "ipv4:127.0.0.1:52100".
        metadata: What came with the call, by lower-case key; the last value of a key that came more than once.
        deadline: `time.monotonic()` after which nobody waits for the answer; infinite if there is none.
        cancelled: Whether the caller has gone; set by the transport, at any moment.
        priority: Who is served first.
        arrived: `time.perf_counter()` of its arrival.
        model: Name of the model that answered, for metrics; empty as long as it is not known.
        poses: How many poses it brought, for metrics and quotas; see `brings`.
        queued_s: How long it waited for a model.
        ran_s: How long models worked on it, together with what else was in their batches.
        quotas: What the client has left.
        stream: The stream that this is a message of, if it is.
    """

    path: str
    request_id: str
    client: Client = ANYONE
    peer: str = ""
    metadata: Mapping[str, str | bytes] = field(default_factory=dict)
    deadline: float = float("inf")
    cancelled: bool = False
    priority: Priority = Priority.INTERACTIVE
    arrived: float = field(default_factory=time.perf_counter)
    model: str = ""
    poses: int = 0
    queued_s: float = 0.0
    ran_s: float = 0.0
    quotas: "Quotas | None" = None
    stream: "Call | None" = None

    @property
    def is_abandoned(self) -> bool:
        """Whether the caller has gone."""
        return (self.stream or self).cancelled

    @property
    def is_over(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return (self.stream or self).cancelled or time.monotonic() > self.deadline

    def brings(self, poses: int) -> None:
        """Note that the call brought so many poses, and take them from the client's quota.

        Raises:
            QuotaExceededError: The client has not so many left.
        """
        self.poses += poses
        if self.quotas is not None:
            self.quotas.take(self.client, poses, calls=0)

    def message(self) -> "Call":
        """A message of this stream, with times of its own."""
        return Call(
            path=self.path,
            request_id=self.request_id,
            client=self.client,
            peer=self.peer,
            deadline=self.deadline,
            priority=self.priority,
            quotas=self.quotas,
            stream=self,
        )
