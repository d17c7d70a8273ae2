"""The fast transport: one thread, one loop over gRPC's completion queue.

gRPC's core does the network on threads of its own and puts what happened into a queue: a call came, a message was read,
an answer was written. Its public Python server hands each of these to a pool of threads, which costs more than anything
that we do with a call; asyncio costs as much. This loop takes them one after the other, and whenever there is none, it
runs a batch. No call changes threads on its way, and calls gather while a batch runs: that is what fills the next one.

Only this file and `transport.exchange` touch `grpc._cython.cygrpc`, on which grpcio's own public server is built and
which is not part of its public interface. `transport.choice` falls back to the public server where something is
missing.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
from grpc._cython import cygrpc  # type: ignore[attr-defined]

from pose_mdn_server.batching import Batcher
from pose_mdn_server.calls.dispatcher import Dispatcher
from pose_mdn_server.calls.method import StreamMethod
from pose_mdn_server.security.tls import identity
from pose_mdn_server.status import RefusedStatus
from pose_mdn_server.transport.exchange import Exchange, StreamExchange, UnaryExchange
from pose_mdn_server.transport.transport import ChannelOptions

_LOG = logging.getLogger(__name__)

_AWAITED_CALLS = 512
"""New calls that the core may hand over before it is asked again. What it cannot hand over when the server stops, it
cancels."""
_EVENTS_BEFORE_BATCH = 512
"""Events between two batches, at most: those who wait for a batch must not wait for others to come forever."""
_IDLE_S = 1.0
_PARKING_S = 0.3
"""Longer than most calls take to be answered and followed by the next."""
_AT_ONCE = 0.0
"""A deadline long past. The core rounds deadlines up to milliseconds, so that "now" would wait for up to one."""

Event = Any
_IS_TIMEOUT = cygrpc.CompletionType.queue_timeout


class CompletionQueueTransport:
    """Serves on one thread.

    Args:
        dispatcher: Carries out calls.
        batcher: Whose batches the loop runs.
        options: Channel arguments of gRPC.
        stream_window: Messages of a stream that are read before their answers are taken.
    """

    def __init__(
        self, dispatcher: Dispatcher, batcher: Batcher, *, options: ChannelOptions, stream_window: int
    ) -> None:
        self.dispatcher = dispatcher
        self.stream_window = stream_window
        self._batcher = batcher
        self._queue = cygrpc.CompletionQueue()
        self._server = cygrpc.Server(tuple((name.encode(), value) for name, value in options), False)
        self._server.register_completion_queue(self._queue)
        self._on_call: Callable[[Event], None] = self._call_came
        self._on_shutdown: Callable[[Event], None] = self._shut_down
        self._thread = threading.Thread(target=self._serve, name="calls", daemon=True)
        self._lock = threading.Lock()
        self._closed = False
        self._knows_clients = False
        self._parked: list[tuple[Exchange, RefusedStatus]] = []
        self._stopping = False
        self._stopped = threading.Event()

    def bind(self, address: str, credentials: grpc.ServerCredentials | None) -> int:
        """Listen on HOST:PORT once started; gives the port, 0 if it cannot be had."""
        # Only over an encrypted connection can a client show who it is.
        self._knows_clients = credentials is not None
        try:
            if credentials is None:
                return int(self._server.add_http2_port(address.encode()))
            return int(self._server.add_http2_port(address.encode(), credentials._credentials))  # type: ignore[attr-defined]
        except RuntimeError:
            return 0

    def start(self) -> None:
        """Take calls."""
        self._server.start()
        for _ in range(_AWAITED_CALLS):
            self._server.request_call(self._queue, self._queue, self._on_call)
        self._thread.start()

    def stop(self, grace_s: float) -> bool:
        """Take no new calls, give those under way so many seconds, then cancel them. True if none was cancelled."""
        if self._stopped.is_set():
            return True
        # The core cancels calls that arrive while it is being told to stop. So whoever calls now gets its refusal only
        # afterwards, and has nothing under way meanwhile.
        self.dispatcher.is_draining = True
        time.sleep(_PARKING_S)
        self._server.shutdown(self._queue, self._on_shutdown)
        with self._lock:
            self._stopping = True
            parked, self._parked = self._parked, []
        for exchange, status in parked:
            exchange.refuse(status)
        finished = self._stopped.wait(grace_s)
        if not finished:
            self._server.cancel_all_calls()
            self._stopped.wait()
        self._thread.join()
        self.dispatcher.close()
        return finished

    def operate(self, wire: Any, operations: tuple[Any, ...], tag: Callable[[Event], None]) -> None:
        """Start operations on a call; `tag` is called with the event that reports them. From any thread.

        Threads may answer calls that were cancelled when the server stopped; the core would abort the process.
        """
        with self._lock:
            if not self._closed:
                wire.start_server_batch(operations, tag)

    def _serve(self) -> None:
        poll, batcher = self._queue.poll, self._batcher
        events = 0
        while not self._stopped.is_set():
            waiting = batcher.queued_rows
            if waiting and events >= _EVENTS_BEFORE_BATCH:
                events = 0
                self._run_batch()
                continue
            event = poll(_AT_ONCE if waiting else time.time() + _IDLE_S)
            if event.completion_type != _IS_TIMEOUT:
                events += 1
                self._handle(event)
            elif waiting:
                events = 0
                self._run_batch()
            # An event that is kept while the loop waits keeps its call, and the core waits for that.
            event = None
        with self._lock:
            self._closed = True
            self._queue.shutdown()

    def _handle(self, event: Event) -> None:
        try:
            event.tag(event)
        except Exception:  # nothing that a call brings may end the loop
            _LOG.exception("an event could not be handled")

    def _run_batch(self) -> None:
        try:
            self._batcher.run_once()
        except Exception:
            _LOG.exception("a batch could not be run")

    def _call_came(self, event: Event) -> None:
        if not event.success:
            return
        if not self._stopping:
            try:
                self._server.request_call(self._queue, self._queue, self._on_call)
            except ValueError:  # it began to stop in between
                self._stopping = True
        details, wire = event.call_details, event.call
        metadata = dict(event.invocation_metadata)
        call, method = self.dispatcher.begin(
            details.method.decode("ascii", "replace"),
            metadata,
            peer=wire.peer().decode("ascii", "replace"),
            identity=identity(cygrpc.auth_context(wire)) if self._knows_clients else None,
            deadline=time.monotonic() + (details.deadline - time.time()),
        )
        if isinstance(method, RefusedStatus):
            self._refuse(Exchange(self, wire, call), method)
        elif isinstance(method, StreamMethod):
            StreamExchange(self, wire, call, method).begin()
        else:
            UnaryExchange(self, wire, call, method).begin()

    def _refuse(self, exchange: Exchange, status: RefusedStatus) -> None:
        """Refuse a call; not before the core knows that the server stops, if that is why."""
        with self._lock:
            if self.dispatcher.is_draining and not self._stopping:
                self._parked.append((exchange, status))
                return
        exchange.refuse(status)

    def _shut_down(self, event: Event) -> None:
        self._stopped.set()
