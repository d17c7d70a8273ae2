"""pose_mdn.v1.PoseLiftingService."""

import threading
from collections.abc import Iterator

import grpc

from pose_mdn_server.codec.lift_stream import LiftStreamDecoder, encode_lift_stream_response
from pose_mdn_server.codec.lifting import decode_lift_request, encode_lift_response
from pose_mdn_server.errors import TooManyStreamsError
from pose_mdn_server.model_store import ModelStore
from pose_mdn_server.rpc import pose_lifting_pb2, pose_lifting_pb2_grpc

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
        return encode_lift_response(lifter.lift(job.keypoints, body=job.body))

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
            decoder = LiftStreamDecoder(max_poses=self._max_poses)
            for message in request_iterator:
                job = decoder.decode(message)
                if job is not None:
                    lifter = self._models.lifter(job.model_name, job.model_version)
                    yield encode_lift_stream_response(lifter.lift(job.keypoints, body=job.body))
        finally:
            self._free_streams.release()

    def add_to(self, server: grpc.Server) -> None:
        """Serve this."""
        pose_lifting_pb2_grpc.add_PoseLiftingServiceServicer_to_server(self, server)
