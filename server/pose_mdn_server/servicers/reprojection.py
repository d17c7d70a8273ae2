"""pose_mdn.v1.ReprojectionService."""

from pose_mdn.reprojection import check_reprojection
from pose_mdn_server.calls import Call, Method, UnaryMethod
from pose_mdn_server.codec.reprojection_request import decode_check_request
from pose_mdn_server.codec.reprojection_response import encode_check_response
from pose_mdn_server.rpc import reprojection_pb2 as pb

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["ReprojectionService"].full_name


class ReprojectionService:
    """Compares hypotheses with pictures; needs no model."""

    def __init__(self, *, max_poses: int) -> None:
        self._max_poses = max_poses

    def methods(self) -> list[Method]:
        """What to serve."""
        path = f"/{SERVICE_NAME}/CheckReprojection"
        decode = pb.CheckReprojectionRequest.FromString
        return [UnaryMethod(path=path, decode=decode, handle=self.check_reprojection, in_thread=True)]

    def check_reprojection(self, request: pb.CheckReprojectionRequest, call: Call) -> pb.CheckReprojectionResponse:
        """Check N poses."""
        job = decode_check_request(request, max_poses=self._max_poses)
        call.brings(len(job.hypotheses))
        found = check_reprojection(
            job.hypotheses, camera=job.camera, lifted_with=job.lifted_with, settings=job.settings
        )
        return encode_check_response(found)
