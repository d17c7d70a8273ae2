"""pose_mdn.v1.ReprojectionService."""

import grpc

from pose_mdn.reprojection import check_reprojection
from pose_mdn_server.codec.reprojection_request import decode_check_request
from pose_mdn_server.codec.reprojection_response import encode_check_response
from pose_mdn_server.rpc import reprojection_pb2, reprojection_pb2_grpc

SERVICE_NAME: str = reprojection_pb2.DESCRIPTOR.services_by_name["ReprojectionService"].full_name


class ReprojectionServicer(reprojection_pb2_grpc.ReprojectionServiceServicer):  # type: ignore[misc]
    """Compares hypotheses with pictures; needs no model."""

    def __init__(self, *, max_poses: int) -> None:
        self._max_poses = max_poses

    def CheckReprojection(
        self, request: reprojection_pb2.CheckReprojectionRequest, context: grpc.ServicerContext
    ) -> reprojection_pb2.CheckReprojectionResponse:
        """Check N poses."""
        job = decode_check_request(request, max_poses=self._max_poses)
        found = check_reprojection(
            job.hypotheses, camera=job.camera, lifted_with=job.lifted_with, settings=job.settings
        )
        return encode_check_response(found)

    def add_to(self, server: grpc.Server) -> None:
        """Serve this."""
        reprojection_pb2_grpc.add_ReprojectionServiceServicer_to_server(self, server)
