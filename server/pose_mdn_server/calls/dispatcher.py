"""Around every call, whichever transport brings it: who asks, which method, what went wrong, and the count.

A transport finds out what a call wants with `begin`, hands its bytes over with `answer`, and gets back bytes or a
status, at once or later. Streams bring their messages one by one to a session that `open_stream` begins.
"""

import itertools
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import grpc
from google.protobuf.message import DecodeError

from pose_mdn_server.calls.answers import Answers
from pose_mdn_server.calls.call import Call, Client, Priority, Quotas
from pose_mdn_server.calls.method import Method, StreamMethod, StreamSession, UnaryMethod
from pose_mdn_server.calls.pending import Pending
from pose_mdn_server.errors import (
    DrainingError,
    FieldViolation,
    NotOfferedError,
    QueueFullError,
    RequestError,
    TooManyStreamsError,
)
from pose_mdn_server.status import REQUEST_ID_KEY, RefusedStatus, code_and_reason, to_status

_LOG = logging.getLogger(__name__)

PRIORITY_KEY = "x-priority"
"""Metadata key under which a caller may ask to be served after others: "bulk"."""

_OPEN_WHILE_DRAINING = "/grpc.health.v1.Health/"
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._:/-]{1,128}")
_MOST_WAITING = 16
"""Long calls that may wait for each thread that answers them."""

Reply = Callable[[bytes | None, RefusedStatus | None], None]
"""Takes the answer's bytes, or the status in their place."""


class Gatekeeper(Protocol):
    """Who decides who may call what."""

    def admit(self, path: str, metadata: Mapping[str, str | bytes], peer: str, identity: str | None) -> Client:
        """Who calls; a `ServerError` refuses."""


class CallObserver(Protocol):
    """Who counts calls."""

    def call_started(self, path: str) -> None:
        """A call came in."""

    def call_finished(self, call: Call, code: str, seconds: float) -> None:
        """It ended, with that status."""

    def call_refused(self, reason: str) -> None:
        """It was refused, for a reason as in `ErrorInfo`."""

    def message_received(self, call: Call) -> None:
        """A stream brought a message."""

    def message_answered(self, call: Call, message: Call | None, seconds: float) -> None:
        """A stream was sent one, perhaps in answer to a message, so long after that came."""


class Dispatcher:
    """Knows the methods and carries out calls of them. Methods may be called from any thread.

    Args:
        gate: Who may call; may be exchanged at any time.
        quotas: What clients have left.
        observers: Who counts.
        threads: Long calls that are answered at the same time.
        max_streams: Streams that are served at the same time.
    """

    def __init__(
        self,
        *,
        gate: Gatekeeper,
        quotas: Quotas | None = None,
        observers: Iterable[CallObserver] = (),
        threads: int = 4,
        max_streams: int = 256,
    ) -> None:
        self._methods: dict[str, Method] = {}
        self.gate = gate
        self._quotas = quotas
        self._observers = tuple(observers)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="long-call")
        self._most_long_calls = threads * (1 + _MOST_WAITING)
        self._long_calls = threading.Semaphore(self._most_long_calls)
        self._most_streams = max_streams
        self._open_streams = 0
        self._lock = threading.Lock()
        self._ids = itertools.count()
        self._id_prefix = secrets.token_hex(6)
        self.is_draining = False

    @property
    def open_streams(self) -> int:
        """How many streams are served now."""
        return self._open_streams

    def offer(self, methods: Iterable[Method]) -> None:
        """Carry out calls of these methods as well."""
        self._methods |= {method.path: method for method in methods}

    def method(self, path: str) -> Method | None:
        """The method of that path, if there is one."""
        return self._methods.get(path)

    def begin(
        self,
        path: str,
        metadata: Mapping[str, str | bytes],
        *,
        peer: str,
        identity: str | None,
        deadline: float,
    ) -> tuple[Call, Method | RefusedStatus]:
        """Who calls what, or why not.

        Args:
            path: "/package.Service/Method".
            metadata: By lower-case key.
            peer: Address of the other end.
            identity: Common name of its certificate, if it showed one.
            deadline: `time.monotonic()` after which nobody waits.
        """
        wanted = metadata.get(REQUEST_ID_KEY)
        if isinstance(wanted, str) and _ACCEPTABLE_ID.fullmatch(wanted):
            request_id = wanted
        else:
            request_id = f"{self._id_prefix}-{next(self._ids)}"
        call = Call(
            path=path,
            request_id=request_id,
            peer=peer,
            metadata=metadata,
            deadline=deadline,
            quotas=self._quotas,
        )
        for observer in self._observers:
            observer.call_started(path)
        try:
            if self.is_draining and not path.startswith(_OPEN_WHILE_DRAINING):
                raise DrainingError("the server is stopping; try again, or elsewhere")
            call.client = self.gate.admit(path, metadata, peer, identity)
            if self._quotas is not None:
                self._quotas.take(call.client, 0)
            call.priority = call.client.priority
            if metadata.get(PRIORITY_KEY) == "bulk":
                call.priority = Priority.BULK
            method = self._methods.get(path)
            if method is None:
                raise NotOfferedError(f"expected a method that reflection lists, got {path[:128]!r}")
        except Exception as error:
            return call, self.refuse(call, error)
        return call, method

    def answer(self, method: UnaryMethod, call: Call, data: bytes, reply: Reply) -> None:
        """Answer a call; `reply` is called once, now or later, perhaps by another thread."""
        if method.in_thread:
            self.run_long(lambda: _handle(method, call, data)).then(lambda done: self._reply(method, call, done, reply))
            return
        try:
            found = _handle(method, call, data)
        except Exception as error:
            reply(None, self.refuse(call, error))
            return
        if isinstance(found, Pending):
            found.then(lambda done: self._reply(method, call, done, reply))
        else:
            self._send(method, call, found, reply)

    def run_long(self, work: Callable[[], Any]) -> Pending[Any]:
        """Have a thread do something that takes long.

        Raises:
            QueueFullError: More waits for the threads than may; it is what the `Pending` holds then.
        """
        pending: Pending[Any] = Pending()
        if not self._long_calls.acquire(blocking=False):
            pending.fail(
                QueueFullError(
                    f"expected at most {self._most_long_calls} long calls at a time, got one more; try again when "
                    "RetryInfo says",
                    retry_after_s=1.0,
                )
            )
            return pending

        def run() -> None:
            try:
                pending.resolve(work())
            except Exception as error:  # whatever happened, the caller gets a status
                pending.fail(error)
            finally:
                self._long_calls.release()

        self._threads.submit(run)
        return pending

    def open_stream(self, method: StreamMethod, call: Call, answers: Answers) -> StreamSession | RefusedStatus:
        """Begin a stream, unless there is a reason not to. Whoever gets a session ends it with `close_stream`."""
        with self._lock:
            has_room = self._open_streams < self._most_streams
            self._open_streams += has_room
        if not has_room:
            error = TooManyStreamsError(
                f"expected at most {self._most_streams} streams at the same time, got one more; try again when one has "
                "ended, or send several people or cameras over one stream",
                retry_after_s=1.0,
            )
            return self.refuse(call, error)
        try:
            return method.open(call, answers)
        except Exception as error:
            self._stream_ended()
            return self.refuse(call, error)

    def receive(self, method: StreamMethod, call: Call, session: StreamSession, data: bytes, answers: Answers) -> None:
        """Hand the next message of a stream to its session; what goes wrong ends the answers."""
        for observer in self._observers:
            observer.message_received(call)
        try:
            session.receive(_decoded(method, data))
        except Exception as error:
            answers.fail(error)

    def encode(self, method: StreamMethod, call: Call, answer: Pending[Any], message: Call | None) -> bytes:
        """The bytes of an answer of a stream.

        Raises:
            Exception: The error that is there in its place.
        """
        data = method.encode(answer.value())
        seconds = 0.0 if message is None else time.perf_counter() - message.arrived
        for observer in self._observers:
            observer.message_answered(call, message, seconds)
        return data

    def end_stream(self, session: StreamSession, answers: Answers) -> None:
        """Tell a session that no more messages come."""
        try:
            session.end()
        except Exception as error:
            answers.fail(error)

    def close_stream(self, session: StreamSession) -> None:
        """A stream is over."""
        self._stream_ended()
        try:
            session.close()
        except Exception:
            _LOG.exception("a stream could not be closed")

    def _stream_ended(self) -> None:
        with self._lock:
            self._open_streams -= 1

    def refuse(self, call: Call, error: Exception) -> RefusedStatus:
        """The status for an error, with which the call is over."""
        if isinstance(error, DecodeError):
            error = _no_message()
        code, reason = code_and_reason(error)
        if code is grpc.StatusCode.INTERNAL:
            _LOG.error("%s failed, request id %s", call.path, call.request_id, exc_info=error)
        for observer in self._observers:
            observer.call_refused(reason)
        self.finished(call, code.name)
        return to_status(error, call.request_id)

    def finished(self, call: Call, code: str) -> None:
        """A call is over."""
        seconds = time.perf_counter() - call.arrived
        for observer in self._observers:
            observer.call_finished(call, code, seconds)

    def close(self) -> None:
        """Let threads go; long calls that did not begin are forgotten."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _reply(self, method: UnaryMethod, call: Call, done: Pending[Any], reply: Reply) -> None:
        if done.error is not None:
            reply(None, self.refuse(call, done.error))
        elif isinstance(later := done.value(), Pending):
            later.then(lambda last: self._reply(method, call, last, reply))
        else:
            self._send(method, call, later, reply)

    def _send(self, method: UnaryMethod, call: Call, found: Any, reply: Reply) -> None:
        try:
            data = method.encode(found)
        except Exception as error:
            reply(None, self.refuse(call, error))
            return
        reply(data, None)
        self.finished(call, "OK")


def _handle(method: UnaryMethod, call: Call, data: bytes) -> Any:
    return method.handle(_decoded(method, data), call)


def _decoded(method: Method, data: bytes) -> Any:
    try:
        return method.decode(data)
    except (DecodeError, ValueError, RecursionError) as error:
        raise _no_message() from error


def _no_message() -> RequestError:
    description = "expected the request message of this method, got bytes that are not one"
    return RequestError((FieldViolation("", description),))
