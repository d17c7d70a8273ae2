"""pose_mdn.v1.PoseFusionService."""

from pose_mdn.fusion import fuse_views
from pose_mdn.people import people_of_views
from pose_mdn_server.calls import Call, Method, UnaryMethod
from pose_mdn_server.codec.fusion_request import decode_fusion_request
from pose_mdn_server.codec.fusion_response import encode_fusion_response
from pose_mdn_server.rpc import pose_fusion_pb2 as pb

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["PoseFusionService"].full_name


class PoseFusionService:
    """Fuses views; needs no model."""

    def __init__(self, *, max_poses: int) -> None:
        self._max_poses = max_poses

    def methods(self) -> list[Method]:
        """What to serve."""
        path = f"/{SERVICE_NAME}/FusePoses"
        decode = pb.FusePosesRequest.FromString
        return [UnaryMethod(path=path, decode=decode, handle=self.fuse_poses, in_thread=True)]

    def fuse_poses(self, request: pb.FusePosesRequest, call: Call) -> pb.FusePosesResponse:
        """Fuse V views."""
        job = decode_fusion_request(request, max_poses=self._max_poses)
        call.brings(sum(map(len, job.hypotheses.values())))
        persons = None
        if job.match_people:
            persons = people_of_views(list(job.hypotheses.values()), list(job.cameras.values()))
        return encode_fusion_response(fuse_views(job.hypotheses, job.cameras, settings=job.settings, persons=persons))
