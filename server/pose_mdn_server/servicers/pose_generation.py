"""pose_mdn.v1.PoseGenerationService."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from pose_mdn.inference import PosePrior
from pose_mdn_server.calls import Call, Method, UnaryMethod
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

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["PoseGenerationService"].full_name


class PoseGenerationService:
    """Samples from priors over poses and judges poses by them.

    Args:
        models: Which models there are.
        max_poses: Longest list of poses that one message may bring or ask for.
    """

    def __init__(self, models: ModelStore, *, max_poses: int) -> None:
        self._models = models
        self._max_poses = max_poses

    def methods(self) -> list[Method]:
        """What to serve."""

        def method(name: str, decode: Callable[[bytes], Any], handle: Callable[[Any, Call], Message]) -> Method:
            return UnaryMethod(path=f"/{SERVICE_NAME}/{name}", decode=decode, handle=handle, in_thread=True)

        return [
            method("SamplePoses", pb.SamplePosesRequest.FromString, self.sample_poses),
            method("EncodePoses", pb.EncodePosesRequest.FromString, self.encode_poses),
            method("DecodeLatents", pb.DecodeLatentsRequest.FromString, self.decode_latents),
            method("ScorePoses", pb.ScorePosesRequest.FromString, self.score_poses),
        ]

    def sample_poses(self, request: pb.SamplePosesRequest, call: Call) -> pb.SamplePosesResponse:
        """Draw poses."""
        prior = self._prior(request.prior, call)
        label, temperature = decode_sample_request(request, prior, max_poses=self._max_poses)
        count = request.num_poses
        poses = prior.sample(count, seed=request.seed, label=label, temperature=temperature)
        return encode_samples(prior, poses, prior.labels_of_samples(count, label))

    def encode_poses(self, request: pb.EncodePosesRequest, call: Call) -> pb.EncodePosesResponse:
        """Encode poses."""
        prior = self._prior(request.prior, call)
        poses, label = decode_poses(request, prior, max_poses=self._max_poses)
        return encode_encoded(prior, prior.encode(poses, label=label))

    def decode_latents(self, request: pb.DecodeLatentsRequest, call: Call) -> pb.DecodeLatentsResponse:
        """Decode latents."""
        prior = self._prior(request.prior, call)
        latent, heading, label = decode_latents(request, prior, max_poses=self._max_poses)
        poses = prior.decode(latent, label=label, heading_rad=heading)
        return pb.DecodeLatentsResponse(pose_m=poses.ravel().tolist(), model=model_label(prior))

    def score_poses(self, request: pb.ScorePosesRequest, call: Call) -> pb.ScorePosesResponse:
        """Judge poses."""
        prior = self._prior(request.prior, call)
        poses, label = decode_poses(request, prior, max_poses=self._max_poses)
        samples = decode_num_samples(request, len(poses))
        return encode_scores(prior, prior.score(poses, seed=request.seed, samples=samples, label=label))

    def _prior(self, wanted: pb.PosePrior, call: Call) -> PosePrior:
        prior = self._models.prior(wanted.model_name, wanted.model_version)
        call.client.require_model(prior.name)
        call.model = prior.name
        return prior
