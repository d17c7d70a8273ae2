"""Requests to run a graph, alone and in streams."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pose_mdn.errors import PoseMDNError
from pose_mdn_server.calls import Answers, Call, Pending
from pose_mdn_server.codec.open_inference import (
    InferJob,
    PlannedRequests,
    decode_parameters,
    encode_infer_response,
    encode_stream_error,
    encode_stream_response,
)
from pose_mdn_server.graph_runner import GraphRunner
from pose_mdn_server.models.graph import Array, Graph
from pose_mdn_server.rpc import open_inference_pb2 as oip
from pose_mdn_server.servicers.open_inference_statistics import InferenceCounts

STRICT_ERRORS = "triton_grpc_error"
"""Metadata key by which a client asks that a refused request end its stream with a gRPC status, as Triton has it."""

Encode = Callable[[Graph, InferJob, Sequence[Array], str], bytes]


class Graphs(Protocol):
    """Where graphs are found."""

    def graph(self, name: str, version: str = "") -> Graph:
        """A graph by name and version; empty means the newest."""


class Inference:
    """Answers requests to run a graph."""

    def __init__(self, models: Graphs, runner: GraphRunner, *, max_poses: int) -> None:
        self._models = models
        self._runner = runner
        self._requests = PlannedRequests(max_poses=max_poses)
        self._counts = InferenceCounts()

    def answer(self, request: Any, call: Call, encode: Encode = encode_infer_response) -> Pending[bytes]:
        """Run a graph on the tensors of an `InferRequestTwin`; the answer comes as bytes.

        Raises:
            PoseMDNError: There is no such graph, this client may not use it, or the request does not fit it.
        """
        started = time.perf_counter()
        graph = self._models.graph(request.model_name, request.model_version)
        call.client.require_model(graph.bundle_name)
        call.model = graph.name
        answer: Pending[bytes] = Pending()
        try:
            if request.parameters:
                heed(request, call)
            job = self._requests.read(request, graph)
            call.brings(job.poses)
            read = time.perf_counter()
            running = self._runner.submit(graph, job.inputs, job.outputs, call)
        except PoseMDNError:
            self._counts.refused(graph, started=started)
            raise
        request_id = request.id

        def finish(done: Pending[list[Array]]) -> None:
            try:
                results = done.value()
                ran = time.perf_counter()
                encoded = encode(graph, job, results, request_id)
            except Exception as error:  # whoever waits for the answer gets it, whatever it is
                self._counts.refused(graph, started=started)
                answer.fail(error)
                return
            written = time.perf_counter()
            answer.resolve(encoded)
            self._counts.answered(graph, call, poses=job.poses, started=started, read=read, ran=ran, written=written)

        running.then(finish)
        return answer

    def statistics(self, graph: Graph) -> oip.ModelStatistics:
        """What a graph has done."""
        return self._counts.encode(graph, runs=self._runner.runs(graph))


def heed(request: Any, call: Call) -> None:
    """Note in the call what the parameters of a request ask for; nobody gets more than was granted before.

    Raises:
        RequestError: Parameters are not as they may be.
    """
    wishes = decode_parameters(request)
    if wishes.priority is not None:
        call.priority = max(call.priority, wishes.priority)
    if wishes.timeout_s is not None:
        call.deadline = min(call.deadline, time.monotonic() + wishes.timeout_s)


class InferSession:
    """One stream of requests. Each has one answer, in order; a refused one says so in its answer, and others go on."""

    def __init__(self, inference: Inference, call: Call, answers: Answers) -> None:
        self._inference = inference
        self._call = call
        self._answers = answers
        self._strict = call.metadata.get(STRICT_ERRORS) == "true"

    def receive(self, message: Any) -> None:
        """Start on a request."""
        call = self._call.message()
        place = self._answers.reserve(call)
        try:
            running = self._inference.answer(message, call, encode_stream_response)
        except Exception as error:  # its place in the answers is taken and must be filled, whatever happened
            self._refuse(place, error, message.id)
            return
        running.then(lambda done: self._finish(place, done, message.id))

    def end(self) -> None:
        """Whatever is still under way is answered."""
        self._answers.end()

    def close(self) -> None:
        """Nothing to do: requests see by their call that nobody waits any more."""

    def _finish(self, place: Pending[bytes], done: Pending[bytes], request_id: str) -> None:
        if done.error is None:
            place.resolve(done.value())
        else:
            self._refuse(place, done.error, request_id)

    def _refuse(self, place: Pending[bytes], error: Exception, request_id: str) -> None:
        if self._strict or not isinstance(error, PoseMDNError):
            place.fail(error)
        else:
            place.resolve(encode_stream_error(error, request_id))
