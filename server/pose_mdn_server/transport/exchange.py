"""One call on the completion queue: what is read and written, one operation after the other.

The core takes operations on a call in batches and reports each batch as one event, with the tag that it was given. Tags
here are methods, which the loop calls with the event.
"""

import threading
from typing import TYPE_CHECKING, Any

from grpc._cython import cygrpc  # type: ignore[attr-defined]

from pose_mdn_server.calls import Answers, Call, StreamMethod, UnaryMethod
from pose_mdn_server.calls.method import StreamSession
from pose_mdn_server.errors import CallerGoneError, FieldViolation, RequestError
from pose_mdn_server.status import REQUEST_ID_KEY, RefusedStatus

if TYPE_CHECKING:
    from pose_mdn_server.transport.completion_queue import CompletionQueueTransport

Event = Any
_NO_FLAGS = 0
_OK = cygrpc.StatusCode.ok


class Exchange:
    """A call that was refused before anything of it was read.

    Args:
        transport: Which brought it.
        wire: The core's call.
        call: Our own view of it.
    """

    __slots__ = ("_call", "_transport", "_wire")

    def __init__(self, transport: "CompletionQueueTransport", wire: Any, call: Call) -> None:
        self._transport = transport
        self._wire = wire
        self._call = call

    def refuse(self, status: RefusedStatus) -> None:
        """End it with a status."""
        self._transport.operate(self._wire, (cygrpc.ReceiveCloseOnServerOperation(_NO_FLAGS),), _nothing)
        self._transport.operate(self._wire, (_initial_metadata(), _refusal(status)), _nothing)

    def _trailers(self) -> tuple[tuple[str, str], ...]:
        """A caller that sent a request id gets it back."""
        return ((REQUEST_ID_KEY, self._call.request_id),) if REQUEST_ID_KEY in self._call.metadata else ()


class UnaryExchange(Exchange):
    """One message in, one out."""

    __slots__ = ("_method",)

    def __init__(self, transport: "CompletionQueueTransport", wire: Any, call: Call, method: UnaryMethod) -> None:
        super().__init__(transport, wire, call)
        self._method = method

    def begin(self) -> None:
        """Read the request."""
        self._transport.operate(self._wire, (cygrpc.ReceiveCloseOnServerOperation(_NO_FLAGS),), self._closed)
        self._transport.operate(self._wire, (cygrpc.ReceiveMessageOperation(_NO_FLAGS),), self._received)

    def _received(self, event: Event) -> None:
        data = event.batch_operations[0].message()
        dispatcher = self._transport.dispatcher
        if data is not None:
            dispatcher.answer(self._method, self._call, data, self._reply)
            return
        # There was none: the caller went, or sent one that is too long, which the core has refused already.
        gone = CallerGoneError("the caller sent no message")
        missing = RequestError((FieldViolation("", "expected one request message, got none"),))
        self._reply(None, dispatcher.refuse(self._call, gone if self._call.cancelled else missing))

    def _closed(self, event: Event) -> None:
        if event.batch_operations[0].cancelled():
            self._call.cancelled = True

    def _reply(self, data: bytes | None, status: RefusedStatus | None) -> None:
        if status is not None:
            operations: tuple[Any, ...] = (_initial_metadata(), _refusal(status))
        else:
            operations = (
                _initial_metadata(),
                cygrpc.SendMessageOperation(data, _NO_FLAGS),
                cygrpc.SendStatusFromServerOperation(self._trailers(), _OK, b"", _NO_FLAGS),
            )
        self._transport.operate(self._wire, operations, _nothing)


class StreamExchange(Exchange):
    """Messages in and out.

    One message is read at a time, and only while fewer answers wait than the window has room for; one is written at a
    time. Whoever does not take its answers is thus soon not read any more, and the core's flow control tells it so.
    """

    __slots__ = ("_answers", "_lock", "_method", "_no_more", "_over", "_reading", "_session", "_started", "_writing")

    def __init__(self, transport: "CompletionQueueTransport", wire: Any, call: Call, method: StreamMethod) -> None:
        super().__init__(transport, wire, call)
        self._method = method
        self._answers = Answers(wake=self._proceed)
        self._lock = threading.RLock()
        self._session: StreamSession | None = None
        self._reading = self._writing = self._no_more = self._over = self._started = False

    def begin(self) -> None:
        """Read the first message."""
        opened = self._transport.dispatcher.open_stream(self._method, self._call, self._answers)
        if isinstance(opened, RefusedStatus):
            self.refuse(opened)
            return
        self._session = opened
        self._transport.operate(self._wire, (cygrpc.ReceiveCloseOnServerOperation(_NO_FLAGS),), self._closed)
        self._proceed()

    def _received(self, event: Event) -> None:
        data = event.batch_operations[0].message()
        assert self._session is not None
        with self._lock:
            self._reading = False
        if data is None:
            self._no_more = True
            self._transport.dispatcher.end_stream(self._session, self._answers)
        else:
            self._transport.dispatcher.receive(self._method, self._call, self._session, data, self._answers)
        self._proceed()

    def _sent(self, event: Event) -> None:
        with self._lock:
            self._writing = False
        self._proceed()

    def _closed(self, event: Event) -> None:
        if event.batch_operations[0].cancelled():
            self._call.cancelled = True
            with self._lock:
                if not self._over:
                    self._finish(self._transport.dispatcher.refuse(self._call, CallerGoneError("the caller cancelled")))

    def _proceed(self) -> None:
        """Write the next answer if it is there, and read the next message if there is room for its answer."""
        with self._lock:
            if self._session is None or self._over:
                return
            if not self._writing:
                self._write_next()
            if (
                not (self._over or self._reading or self._no_more)
                and len(self._answers) < self._transport.stream_window
            ):
                self._reading = True
                self._transport.operate(self._wire, (cygrpc.ReceiveMessageOperation(_NO_FLAGS),), self._received)

    def _write_next(self) -> None:
        taken = self._answers.take()
        dispatcher = self._transport.dispatcher
        if taken is None:
            if self._answers.finished:
                dispatcher.finished(self._call, "OK")
                self._finish(None)
            return
        try:
            data = dispatcher.encode(self._method, self._call, *taken)
        except Exception as error:
            self._finish(dispatcher.refuse(self._call, error))
            return
        self._writing = True
        message = cygrpc.SendMessageOperation(data, _NO_FLAGS)
        self._transport.operate(self._wire, (*self._first_of_all(), message), self._sent)

    def _finish(self, status: RefusedStatus | None) -> None:
        assert self._session is not None
        self._over = True
        ending = (
            cygrpc.SendStatusFromServerOperation(self._trailers(), _OK, b"", _NO_FLAGS)
            if status is None
            else _refusal(status)
        )
        # Before the caller knows of the end and opens the next one.
        self._transport.dispatcher.close_stream(self._session)
        self._transport.operate(self._wire, (*self._first_of_all(), ending), _nothing)

    def _first_of_all(self) -> tuple[Any, ...]:
        """Headers, before whatever is sent first."""
        started, self._started = self._started, True
        return () if started else (_initial_metadata(),)


def _initial_metadata() -> Any:
    return cygrpc.SendInitialMetadataOperation((), _NO_FLAGS)


def _refusal(status: RefusedStatus) -> Any:
    return cygrpc.SendStatusFromServerOperation(
        status.trailing_metadata, status.code.value[0], status.details.encode(), _NO_FLAGS
    )


def _nothing(event: Event) -> None:
    """What was sent needs no more care."""
