"""pose_mdn.v1.PoseLiftingService."""

import grpc

from pose_mdn_server.codec.lifting import decode_lift_request, encode_lift_response
from pose_mdn_server.model_store import ModelStore
from pose_mdn_server.rpc import pose_lifting_pb2, pose_lifting_pb2_grpc

SERVICE_NAME: str = pose_lifting_pb2.DESCRIPTOR.services_by_name["PoseLiftingService"].full_name


class PoseLiftingServicer(pose_lifting_pb2_grpc.PoseLiftingServiceServicer):  # type: ignore[misc]
    """Lifts poses."""

    def __init__(self, models: ModelStore, *, max_poses: int) -> None:
        self._models = models
        self._max_poses = max_poses

    def Lift(
        self, request: pose_lifting_pb2.LiftRequest, context: grpc.ServicerContext
    ) -> pose_lifting_pb2.LiftResponse:
        """Lift N poses."""
        job = decode_lift_request(request, max_poses=self._max_poses)
        model = self._models.get(job.model_name, job.model_version)
        return encode_lift_response(model.lifter.lift(job.keypoints, body=job.body))

    def add_to(self, server: grpc.Server) -> None:
        """Serve this."""
        pose_lifting_pb2_grpc.add_PoseLiftingServiceServicer_to_server(self, server)
