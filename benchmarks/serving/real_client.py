"""A real gRPC client that sends prepared bytes and checks the answers; it sees the statuses that h2load does not."""

from dataclasses import dataclass

import grpc
from prepared_requests import LIFT_STREAM, TOLERANCE, Prepared, framed

MAX_MESSAGE_BYTES = 256 * 1024 * 1024
OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What came back for a prepared call.

    Attributes:
        answer_bytes: Length of all answers as gRPC frames them.
        worst_difference: From ONNX Runtime's answer.
    """

    answer_bytes: int
    worst_difference: float


def channel(address: str) -> grpc.Channel:
    """A connection of its own that takes large answers."""
    return grpc.insecure_channel(address, options=OPTIONS)


def sample(address: str, prepared: Prepared, timeout_s: float = 60.0) -> Sample:
    """Send a call once and check its answer.

    Raises:
        grpc.RpcError: The status is not OK.
        RuntimeError: The answer is not ONNX Runtime's.
    """
    with channel(address) as connection:
        if prepared.method == LIFT_STREAM:
            call = connection.stream_stream(prepared.method)
            answers = list(call(iter(prepared.messages), timeout=timeout_s))
        else:
            answers = [connection.unary_unary(prepared.method)(prepared.messages[0], timeout=timeout_s)]
    worst = prepared.worst_difference(answers)
    if not worst <= TOLERANCE:
        raise RuntimeError(f"{address} answers {prepared.name} otherwise than ONNX Runtime, by {worst:g}")
    return Sample(answer_bytes=sum(len(framed(answer)) for answer in answers), worst_difference=worst)
