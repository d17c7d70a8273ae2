"""Headers of requests that were seen before.

Clients send the same names, types and shapes again and again, and reading and checking them costs more than running
small models does. So requests are parsed with a twin whose headers stay bytes; those bytes lead to the plan that the
first request with them made. Whatever is not settled by the header is checked each time: that there are as many
buffers as inputs, and that each is exactly as long as its shape says.
"""

import threading
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from google.protobuf.message import DecodeError, Message

from pose_mdn_server.codec.open_inference.request import InferJob, decode_infer_request
from pose_mdn_server.codec.twins import twin
from pose_mdn_server.errors import FieldViolation, RequestError
from pose_mdn_server.models.graph import Graph
from pose_mdn_server.rpc import open_inference_pb2 as oip

InferRequestTwin: Any = twin(oip.ModelInferRequest, bytes_fields=("inputs", "outputs", "parameters"))
"""What `ModelInfer` parses requests with. Parameters are read for each request and are no part of its header."""

MAX_PLANS = 512
"""Headers remembered for each graph; of more, the oldest go."""

MAX_HEADER_BYTES = 4096
"""Longer headers are not remembered; those of our graphs have some hundred bytes."""

_Header = tuple[tuple[bytes, ...], tuple[bytes, ...]]


class PlannedRequests:
    """Reads requests, faster if their header is known. May be called from any thread."""

    def __init__(self, *, max_poses: int) -> None:
        self._max_poses = max_poses
        self._lock = threading.Lock()
        # Plans go with their graph, so that one that was unloaded is not kept alive.
        self._plans: WeakKeyDictionary[Graph, dict[_Header, _Plan]] = WeakKeyDictionary()

    def read(self, request: Any, graph: Graph) -> InferJob:
        """As `decode_infer_request` of the original message.

        Args:
            request: An `InferRequestTwin`.
            graph: What it is for.

        Raises:
            RequestError: With every violation found.
        """
        buffers: list[bytes] = list(request.raw_input_contents)
        if not buffers:  # the header of such a request holds its numbers
            return decode_infer_request(_original(request), graph, max_poses=self._max_poses)
        header: _Header = (tuple(request.inputs), tuple(request.outputs))
        plans = self._plans.get(graph)
        plan = None if plans is None else plans.get(header)
        job = None if plan is None else plan.fill(buffers)
        if job is not None:
            return job
        job = decode_infer_request(_original(request), graph, max_poses=self._max_poses)
        self._remember(header, graph, job)
        return job

    def count(self, graph: Graph) -> int:
        """How many headers are remembered for a graph."""
        return len(self._plans.get(graph, ()))

    def _remember(self, header: _Header, graph: Graph, job: InferJob) -> None:
        if sum(map(len, header[0])) + sum(map(len, header[1])) > MAX_HEADER_BYTES:
            return
        with self._lock:
            plans = self._plans.setdefault(graph, {})
            while len(plans) >= MAX_PLANS:
                del plans[next(iter(plans))]
            plans[header] = _Plan(job)


class _Plan:
    """What is known of a request by its header alone."""

    __slots__ = ("_answer_headers", "_outputs", "_poses", "_tensors")

    def __init__(self, job: InferJob) -> None:
        self._tensors = tuple(
            (name, array.nbytes, array.dtype, array.dtype.newbyteorder("<"), array.shape)
            for name, array in job.inputs.items()
        )
        self._outputs = job.outputs
        self._poses = job.poses
        self._answer_headers = job.answer_headers

    def fill(self, buffers: Sequence[bytes]) -> InferJob | None:
        """The request with these buffers; `None` if they do not fit."""
        if len(buffers) != len(self._tensors):
            return None
        inputs = {}
        for buffer, (name, length, dtype, wire_dtype, shape) in zip(buffers, self._tensors, strict=True):
            if len(buffer) != length:
                return None
            array = np.frombuffer(buffer, wire_dtype).reshape(shape)
            inputs[name] = array if dtype == wire_dtype else array.astype(dtype)
        return InferJob(
            inputs=inputs,
            outputs=self._outputs,
            raw=True,
            poses=self._poses,
            answer_headers=self._answer_headers,
        )


def _original(request: Message) -> oip.ModelInferRequest:
    try:
        return oip.ModelInferRequest.FromString(request.SerializeToString())
    except DecodeError:
        violation = FieldViolation("inputs", "expected tensors as the protocol has them, got bytes that are none")
        raise RequestError((violation,)) from None
