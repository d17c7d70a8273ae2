"""pose_mdn.v1.PoseFusionService."""

import grpc

from pose_mdn.fusion import fuse_views
from pose_mdn.people import people_of_views
from pose_mdn_server.codec.fusion_request import decode_fusion_request
from pose_mdn_server.codec.fusion_response import encode_fusion_response
from pose_mdn_server.rpc import pose_fusion_pb2, pose_fusion_pb2_grpc

SERVICE_NAME: str = pose_fusion_pb2.DESCRIPTOR.services_by_name["PoseFusionService"].full_name


class PoseFusionServicer(pose_fusion_pb2_grpc.PoseFusionServiceServicer):  # type: ignore[misc]
    """Fuses views; needs no model."""

    def __init__(self, *, max_poses: int) -> None:
        self._max_poses = max_poses

    def FusePoses(
        self, request: pose_fusion_pb2.FusePosesRequest, context: grpc.ServicerContext
    ) -> pose_fusion_pb2.FusePosesResponse:
        """Fuse V views."""
        job = decode_fusion_request(request, max_poses=self._max_poses)
        persons = None
        if job.match_people:
            persons = people_of_views(list(job.hypotheses.values()), list(job.cameras.values()))
        return encode_fusion_response(fuse_views(job.hypotheses, job.cameras, settings=job.settings, persons=persons))

    def add_to(self, server: grpc.Server) -> None:
        """Serve this."""
        pose_fusion_pb2_grpc.add_PoseFusionServiceServicer_to_server(self, server)
