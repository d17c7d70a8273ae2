"""pose_mdn.v1.PoseGenerationService."""

import grpc

from pose_mdn_server.codec.pose_generation import (
    decode_latents,
    decode_num_samples,
    decode_poses,
    decode_sample_request,
    encode_encoded,
    encode_samples,
    encode_scores,
    model_label,
)
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.rpc import pose_generation_pb2 as pb
from pose_mdn_server.rpc import pose_generation_pb2_grpc

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["PoseGenerationService"].full_name


class PoseGenerationServicer(pose_generation_pb2_grpc.PoseGenerationServiceServicer):  # type: ignore[misc]
    """Samples from priors over poses and judges poses by them.

    Args:
        models: Which models there are.
        max_poses: Longest list of poses that one message may bring or ask for.
    """

    def __init__(self, models: ModelStore, *, max_poses: int) -> None:
        self._models = models
        self._max_poses = max_poses

    def SamplePoses(self, request: pb.SamplePosesRequest, context: grpc.ServicerContext) -> pb.SamplePosesResponse:
        """Draw poses."""
        prior = self._models.prior(request.prior.model_name, request.prior.model_version)
        label, temperature = decode_sample_request(request, prior, max_poses=self._max_poses)
        count = request.num_poses
        poses = prior.sample(count, seed=request.seed, label=label, temperature=temperature)
        return encode_samples(prior, poses, prior.labels_of_samples(count, label))

    def EncodePoses(self, request: pb.EncodePosesRequest, context: grpc.ServicerContext) -> pb.EncodePosesResponse:
        """Encode poses."""
        prior = self._models.prior(request.prior.model_name, request.prior.model_version)
        poses, label = decode_poses(request, prior, max_poses=self._max_poses)
        return encode_encoded(prior, prior.encode(poses, label=label))

    def DecodeLatents(
        self, request: pb.DecodeLatentsRequest, context: grpc.ServicerContext
    ) -> pb.DecodeLatentsResponse:
        """Decode latents."""
        prior = self._models.prior(request.prior.model_name, request.prior.model_version)
        latent, heading, label = decode_latents(request, prior, max_poses=self._max_poses)
        poses = prior.decode(latent, label=label, heading_rad=heading)
        return pb.DecodeLatentsResponse(pose_m=poses.ravel().tolist(), model=model_label(prior))

    def ScorePoses(self, request: pb.ScorePosesRequest, context: grpc.ServicerContext) -> pb.ScorePosesResponse:
        """Judge poses."""
        prior = self._models.prior(request.prior.model_name, request.prior.model_version)
        poses, label = decode_poses(request, prior, max_poses=self._max_poses)
        samples = decode_num_samples(request, len(poses))
        return encode_scores(prior, prior.score(poses, seed=request.seed, samples=samples, label=label))

    def add_to(self, server: grpc.Server) -> None:
        """Serve this."""
        pose_generation_pb2_grpc.add_PoseGenerationServiceServicer_to_server(self, server)
