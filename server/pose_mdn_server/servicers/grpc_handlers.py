"""Neutral methods on a `grpc.server`, until a transport carries them."""

import threading
import time
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import grpc

from pose_mdn_server.calls import ANYONE, Answers, Call, Client, Method, Pending, StreamMethod, UnaryMethod
from pose_mdn_server.status import to_status


def add_methods(
    server: grpc.Server, service: str, methods: Iterable[Method], *, client: Client = ANYONE, explain: bool = False
) -> None:
    """Serve methods as calls of `client`; with `explain` refusals become statuses here, not in an interceptor."""
    handlers = {
        method.path.rpartition("/")[2]: _unary(method, client, explain)
        if isinstance(method, UnaryMethod)
        else _stream(method, client)
        for method in methods
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))


class LoadedModels:
    """A store of models that cannot list what is not loaded."""

    def __init__(self, models: Any) -> None:
        self._models = models

    def __getattr__(self, name: str) -> Any:
        return getattr(self._models, name)

    def index(self, *, ready_only: bool = False) -> list[Any]:
        """Every loaded graph."""
        return [
            SimpleNamespace(name=graph.name, version=graph.version, state="READY", reason="")
            for graph in self._models.graphs()
        ]


def _call(path: str, client: Client, context: grpc.ServicerContext) -> Call:
    left_s = context.time_remaining()
    call = Call(
        path=path,
        request_id="",
        client=client,
        metadata=dict(context.invocation_metadata()),
        deadline=float("inf") if left_s is None else time.monotonic() + left_s,
    )
    context.add_callback(lambda: setattr(call, "cancelled", True))
    return call


def _unary(method: UnaryMethod, client: Client, explain: bool) -> "grpc.RpcMethodHandler[Any, Any]":
    def handle(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            answer = method.handle(request, _call(method.path, client, context))
            return answer.wait() if isinstance(answer, Pending) else answer
        except Exception as error:
            if not explain:
                raise
            failure = error
        return context.abort_with_status(to_status(failure, ""))

    return grpc.unary_unary_rpc_method_handler(
        handle, request_deserializer=method.decode, response_serializer=method.encode
    )


def _stream(method: StreamMethod, client: Client) -> "grpc.RpcMethodHandler[Any, Any]":
    def handle(requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        something = threading.Semaphore(0)
        answers = Answers(wake=something.release)
        session = method.open(_call(method.path, client, context), answers)

        def read() -> None:
            try:
                for request in requests:
                    session.receive(request)
                session.end()
            except Exception as error:  # the caller has gone, or the session gave up
                answers.fail(error)

        threading.Thread(target=read, daemon=True).start()
        try:
            while not answers.finished:
                place = answers.take()
                if place is None:
                    something.acquire()
                elif place.error is not None:
                    context.abort_with_status(to_status(place.error, ""))
                else:
                    yield place.value()
        finally:
            session.close()

    return grpc.stream_stream_rpc_method_handler(
        handle, request_deserializer=method.decode, response_serializer=method.encode
    )
