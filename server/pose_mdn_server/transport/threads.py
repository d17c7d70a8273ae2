"""The plain transport: gRPC's public server, a thread for each call, and one more for batches."""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc

from pose_mdn_server.batching import Batcher
from pose_mdn_server.calls import Answers, Call, StreamMethod, UnaryMethod
from pose_mdn_server.calls.dispatcher import Dispatcher
from pose_mdn_server.calls.method import StreamSession
from pose_mdn_server.calls.pending import Pending
from pose_mdn_server.errors import CallerGoneError
from pose_mdn_server.security.tls import identity
from pose_mdn_server.status import REQUEST_ID_KEY, RefusedStatus
from pose_mdn_server.transport.transport import ChannelOptions

_LOG = logging.getLogger(__name__)

_IDLE_S = 1.0
_PARKING_S = 0.3
"""Longer than most calls take to be answered and followed by the next."""


class ThreadsTransport:
    """Serves on many threads.

    Args:
        dispatcher: Carries out calls.
        batcher: Whose batches a thread of this runs.
        options: Channel arguments of gRPC.
        stream_window: Messages of a stream that are read before their answers are taken.
        threads: Calls at the same time, streams among them.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        batcher: Batcher,
        *,
        options: ChannelOptions,
        stream_window: int,
        threads: int,
    ) -> None:
        self._dispatcher = dispatcher
        self._stream_window = stream_window
        self._batches = _BatchThread(batcher)
        self._stopping = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(threads, thread_name_prefix="call"), options=tuple(options))
        self._server.add_generic_rpc_handlers((_AnyMethod(self),))

    def bind(self, address: str, credentials: grpc.ServerCredentials | None) -> int:
        """Listen on HOST:PORT once started; gives the port, 0 if it cannot be had."""
        try:
            if credentials is None:
                return int(self._server.add_insecure_port(address))
            return int(self._server.add_secure_port(address, credentials))
        except RuntimeError:
            return 0

    def start(self) -> None:
        """Take calls."""
        self._batches.start()
        self._server.start()

    def stop(self, grace_s: float) -> bool:
        """Take no new calls, give those under way so many seconds, then cancel them. True if none was cancelled."""
        # As in the other transport: who is refused because the server stops learns it once gRPC knows that, too.
        self._dispatcher.is_draining = True
        time.sleep(_PARKING_S)
        # gRPC would cancel calls just when we look whether any is left.
        stopped = self._server.stop(grace_s + _PARKING_S)
        self._stopping.set()
        finished = stopped.wait(grace_s)
        if not finished:
            self._server.stop(None)
            stopped.wait()
        self._batches.stop()
        self._dispatcher.close()
        return finished

    def handler(self, path: str) -> "grpc.RpcMethodHandler[bytes, bytes]":
        """What gRPC calls for a method, known or not."""
        if isinstance(self._dispatcher.method(path), StreamMethod):
            return grpc.stream_stream_rpc_method_handler(
                lambda messages, context: self._stream(path, messages, context)
            )
        return grpc.unary_unary_rpc_method_handler(lambda data, context: self._unary(path, data, context))

    def _unary(self, path: str, data: bytes, context: grpc.ServicerContext) -> bytes:
        call, method = self._begin(path, context)
        if isinstance(method, RefusedStatus):
            self._refuse(context, method)
        assert isinstance(method, UnaryMethod)
        done: Pending[tuple[bytes | None, RefusedStatus | None]] = Pending()
        self._dispatcher.answer(method, call, data, lambda answer, status: done.resolve((answer, status)))
        answer, status = done.wait()
        if answer is None:
            assert status is not None
            _abort(context, status)
        return answer

    def _stream(self, path: str, messages: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        call, method = self._begin(path, context)
        if isinstance(method, RefusedStatus):
            self._refuse(context, method)
        assert isinstance(method, StreamMethod)
        news = threading.Condition()
        answers = Answers(wake=lambda: _notify(news))
        session = self._dispatcher.open_stream(method, call, answers)
        if isinstance(session, RefusedStatus):
            _abort(context, session)
        context.add_callback(lambda: _notify(news))
        reader = threading.Thread(
            target=self._read, args=(method, session, messages, answers, news, call), daemon=True, name="stream"
        )
        reader.start()
        try:
            yield from self._answers(method, call, answers, news, context)
        finally:
            call.cancelled = True
            _notify(news)
            self._dispatcher.close_stream(session)

    def _answers(
        self, method: StreamMethod, call: Call, answers: Answers, news: threading.Condition, context: Any
    ) -> Iterator[bytes]:
        while True:
            with news:
                while (taken := answers.take()) is None and not answers.finished:
                    if not context.is_active():
                        self._dispatcher.refuse(call, CallerGoneError("the caller cancelled"))
                        return
                    news.wait(_IDLE_S)
                news.notify_all()
            if taken is None:
                self._dispatcher.finished(call, "OK")
                return
            try:
                data = self._dispatcher.encode(method, call, *taken)
            except Exception as error:
                _abort(context, self._dispatcher.refuse(call, error))
            yield data

    def _read(  # noqa: PLR0917 - a thread's arguments
        self,
        method: StreamMethod,
        session: StreamSession,
        messages: Iterator[bytes],
        answers: Answers,
        news: threading.Condition,
        call: Call,
    ) -> None:
        try:
            for data in messages:
                with news:
                    while len(answers) >= self._stream_window and not call.cancelled:
                        news.wait(_IDLE_S)
                self._dispatcher.receive(method, call, session, data, answers)
        except Exception:  # gRPC ends the messages of a call that is over with an error without a text
            return
        self._dispatcher.end_stream(session, answers)

    def _refuse(self, context: grpc.ServicerContext, status: RefusedStatus) -> NoReturn:
        if self._dispatcher.is_draining:
            self._stopping.wait(2 * _PARKING_S)
        _abort(context, status)

    def _begin(self, path: str, context: Any) -> tuple[Call, UnaryMethod | StreamMethod | RefusedStatus]:
        remaining = context.time_remaining()
        call, method = self._dispatcher.begin(
            path,
            dict(context.invocation_metadata()),
            peer=context.peer(),
            identity=identity(context.auth_context()),
            deadline=time.monotonic() + remaining if remaining is not None else float("inf"),
        )
        if REQUEST_ID_KEY in call.metadata:
            context.set_trailing_metadata(((REQUEST_ID_KEY, call.request_id),))
        context.add_callback(lambda: _cancel(call))
        return call, method


class _AnyMethod(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    def __init__(self, transport: ThreadsTransport) -> None:
        self._transport = transport

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        return self._transport.handler(handler_call_details.method)


class _BatchThread:
    """Runs batches as long as something waits."""

    def __init__(self, batcher: Batcher) -> None:
        self._batcher = batcher
        self._work = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="batches", daemon=True)
        batcher.on_work = self._work.set

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._work.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            self._work.wait()
            self._work.clear()
            while self._try_batch():
                pass

    def _try_batch(self) -> bool:
        try:
            return self._batcher.run_once()
        except Exception:
            _LOG.exception("a batch could not be run")
            return True


def _notify(news: threading.Condition) -> None:
    with news:
        news.notify_all()


def _cancel(call: Call) -> None:
    call.cancelled = True


def _abort(context: grpc.ServicerContext, status: RefusedStatus) -> NoReturn:
    context.abort_with_status(status)
    raise AssertionError("abort_with_status raises")
