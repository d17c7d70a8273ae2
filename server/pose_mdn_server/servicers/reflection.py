"""grpc.reflection.v1alpha and v1: generic clients ask which services there are, and how their messages look."""

from collections.abc import Callable, Iterable, Iterator

from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha import reflection_pb2 as pb

from pose_mdn_server.calls import Answers, Call, Method, StreamMethod

SERVICE_NAME: str = reflection.SERVICE_NAME
_VERSIONS = ("grpc.reflection.v1alpha.ServerReflection", "grpc.reflection.v1.ServerReflection")
"""The messages of the two are the same on the wire; old clients know the one, new ones ask for the other first."""


class ReflectionService:
    """Answers from the descriptors of the generated code.

    Args:
        services: Full names of the services to tell of, besides itself.
    """

    def __init__(self, services: Iterable[str]) -> None:
        self._servicer = reflection.ReflectionServicer((*services, SERVICE_NAME))

    def methods(self) -> list[Method]:
        """What to serve."""
        decode = pb.ServerReflectionRequest.FromString
        return [StreamMethod(path=f"/{name}/ServerReflectionInfo", decode=decode, open=self.open) for name in _VERSIONS]

    def open(self, call: Call, answers: Answers) -> "_Conversation":
        """Begin a conversation."""
        return _Conversation(self._servicer, answers)


class _Conversation:
    def __init__(self, servicer: reflection.ReflectionServicer, answers: Answers) -> None:
        self._servicer = servicer
        self._answers = answers

    def receive(self, message: pb.ServerReflectionRequest) -> None:
        # A generator, which needs no context; the stubs know neither.
        answer_all: Callable[..., Iterator[pb.ServerReflectionResponse]] = self._servicer.ServerReflectionInfo  # type: ignore[assignment]
        for answer in answer_all(iter([message]), None):
            self._answers.put(answer)

    def end(self) -> None:
        self._answers.end()

    def close(self) -> None:
        """Nothing is remembered."""
