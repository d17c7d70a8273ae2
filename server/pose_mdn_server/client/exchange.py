"""A request with what is to be made of its answer, whichever way it travels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pose_mdn_server.codec.methods import MethodName

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Exchange(Generic[Answer]):
    """One call that is ready to be sent.

    Attributes:
        method: Which.
        request: The message.
        read: From the answering message to what the caller wants.
    """

    method: MethodName
    request: Any
    read: Callable[[Any], Answer]
