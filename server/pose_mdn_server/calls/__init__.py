"""What a call is, whichever transport brings it: methods, answers that come later, streams of answers in order."""

from pose_mdn_server.calls.answers import Answers
from pose_mdn_server.calls.call import ANYONE, Call, Client, Priority
from pose_mdn_server.calls.method import Method, StreamMethod, StreamSession, UnaryMethod
from pose_mdn_server.calls.pending import Pending

__all__ = [
    "ANYONE",
    "Answers",
    "Call",
    "Client",
    "Method",
    "Pending",
    "Priority",
    "StreamMethod",
    "StreamSession",
    "UnaryMethod",
]
