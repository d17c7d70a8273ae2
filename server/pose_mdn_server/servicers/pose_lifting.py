"""pose_mdn.v1.PoseLiftingService."""

import threading
from collections.abc import Iterator

import grpc

from pose_mdn.inference import Lifter, with_known_body
from pose_mdn.inference.focal_length import lift_with_unknown_focal_length
from pose_mdn.inference.known_scale import with_known_scale
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn_server.codec.lift_stream import LiftStreamDecoder, encode_lift_stream_response
from pose_mdn_server.codec.lifting import LiftJob, decode_lift_request, encode_lift_response
from pose_mdn_server.errors import TooManyStreamsError
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.rpc import pose_lifting_pb2, pose_lifting_pb2_grpc
from pose_mdn_server.stream_lifting import StreamLifter

SERVICE_NAME: str = pose_lifting_pb2.DESCRIPTOR.services_by_name["PoseLiftingService"].full_name


class PoseLiftingServicer(pose_lifting_pb2_grpc.PoseLiftingServiceServicer):  # type: ignore[misc]
    """Lifts poses.

    Args:
        models: Which models there are.
        max_poses: Longest list of poses that one message may bring.
        max_streams: Streams that are served at the same time; each occupies a thread as long as it lasts.
    """

    def __init__(self, models: ModelStore, *, max_poses: int, max_streams: int) -> None:
        self._models = models
        self._max_poses = max_poses
        self._max_streams = max_streams
        self._free_streams = threading.Semaphore(max_streams)

    def Lift(
        self, request: pose_lifting_pb2.LiftRequest, context: grpc.ServicerContext
    ) -> pose_lifting_pb2.LiftResponse:
        """Lift N poses."""
        job = decode_lift_request(request, max_poses=self._max_poses)
        lifter = self._models.lifter(job.model_name, job.model_version)
        if job.num_hypotheses is not None or job.seed:
            lifter = lifter.sampling(num_hypotheses=job.num_hypotheses, seed=job.seed)
        return encode_lift_response(_lift(lifter, job))

    def LiftStream(
        self, request_iterator: Iterator[pose_lifting_pb2.LiftStreamRequest], context: grpc.ServicerContext
    ) -> Iterator[pose_lifting_pb2.LiftStreamResponse]:
        """Lift poses as they come."""
        if not self._free_streams.acquire(blocking=False):
            raise TooManyStreamsError(
                f"expected at most {self._max_streams} streams at the same time, got one more; try again when one has "
                "ended, or send several people or cameras over one stream"
            )
        try:
            yield from self._answer(request_iterator)
        finally:
            self._free_streams.release()

    def _answer(
        self, messages: Iterator[pose_lifting_pb2.LiftStreamRequest]
    ) -> Iterator[pose_lifting_pb2.LiftStreamResponse]:
        decoder = LiftStreamDecoder(max_poses=self._max_poses)
        stream: StreamLifter | None = None
        for message in messages:
            job = decoder.decode(message)
            if job is None:
                yield from _rest(stream)
                stream = None
                continue
            if stream is None:
                stream = StreamLifter(self._models.lifter(job.lift.model_name, job.lift.model_version), job)
            yield encode_lift_stream_response(stream.lift(job.lift.keypoints))
        yield from _rest(stream)

    def add_to(self, server: grpc.Server) -> None:
        """Serve this."""
        pose_lifting_pb2_grpc.add_PoseLiftingServiceServicer_to_server(self, server)


def _rest(stream: StreamLifter | None) -> Iterator[pose_lifting_pb2.LiftStreamResponse]:
    rest = None if stream is None else stream.rest()
    if rest is not None:
        yield encode_lift_stream_response(rest, is_rest=True)


def _lift(lifter: Lifter, job: LiftJob) -> HypothesisSequence:
    """The hypotheses, by the camera that is known or estimated, in the size that is known."""
    if job.estimate_focal:
        found, _ = lift_with_unknown_focal_length(lifter, job.keypoints)
        if job.scale is None and job.body is not None:
            return with_known_body(found, job.body)
    elif job.scale is None:
        return lifter.lift(job.keypoints, body=job.body)
    else:
        found = lifter.lift(job.keypoints)
    return found if job.scale is None else with_known_scale(found, job.scale)
