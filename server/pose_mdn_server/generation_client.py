"""A client of priors over poses, with numpy arrays in and out."""

from collections.abc import Callable
from types import TracebackType
from typing import Any

import grpc
import numpy as np
from numpy.typing import ArrayLike

from pose_mdn.inference.pose_prior import DEFAULT_PRIOR, EncodedPoses, Floats, PlausibilityScores, check_poses
from pose_mdn_server.codec.pose_generation import encode_prior, read_poses
from pose_mdn_server.rpc import pose_generation_pb2 as pb
from pose_mdn_server.rpc import pose_generation_pb2_grpc
from pose_mdn_server.status import from_rpc_error


class PoseGenerationClient:
    """Talks to a pose-mdn server; methods as of `pose_mdn.inference.PosePrior`.

    One client may be used from several threads; close it, or use it in a `with` block. Every method raises `InputError`
    if the server refuses the request, `ModelNotFoundError` if it has no such model, and `ServerUnavailableError` if it
    does not answer.

    Args:
        target: HOST:PORT of the server.
        model: "NAME" for its newest version, or "NAME/VERSION".
        timeout_s: Longest wait for an answer.
    """

    def __init__(self, target: str = "127.0.0.1:8001", *, model: str = DEFAULT_PRIOR, timeout_s: float = 30.0) -> None:
        self.target = target
        self.model = model
        self._timeout_s = timeout_s
        unlimited = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
        self._channel = grpc.insecure_channel(target, options=unlimited)
        self._stub = pose_generation_pb2_grpc.PoseGenerationServiceStub(self._channel)

    def sample(
        self, count: int, *, seed: int, label: str | None = None, temperature: float = 1.0
    ) -> tuple[Floats, list[str]]:
        """(count, 17, 3) poses, and the class of each; no classes from models that are not conditioned."""
        prior = encode_prior(self.model, label)
        request = pb.SamplePosesRequest(prior=prior, num_poses=count, seed=seed, temperature=temperature)
        response = self._call(self._stub.SamplePoses, request)
        return read_poses(response.pose_m), list(response.label)

    def encode(self, pose_m: ArrayLike, *, label: str | None = None) -> EncodedPoses:
        """Posteriors of (N, 17, 3) poses."""
        poses = check_poses(pose_m)
        request = pb.EncodePosesRequest(prior=encode_prior(self.model, label), pose_m=poses.ravel().tolist())
        response = self._call(self._stub.EncodePoses, request)
        mean, log_variance = (
            np.array(values, np.float64).reshape(len(poses), response.latent_dim)
            for values in (response.mean, response.log_variance)
        )
        heading = np.array(response.heading_rad, np.float64)
        return EncodedPoses(mean=mean, log_variance=log_variance, heading_rad=heading)

    def decode(self, latent: ArrayLike, *, label: str | None = None, heading_rad: ArrayLike | None = None) -> Floats:
        """(N, 17, 3) poses of (N, Z) latents."""
        request = pb.DecodeLatentsRequest(
            prior=encode_prior(self.model, label),
            latent=np.asarray(latent, np.float64).ravel().tolist(),
            heading_rad=() if heading_rad is None else np.asarray(heading_rad, np.float64).ravel().tolist(),
        )
        return read_poses(self._call(self._stub.DecodeLatents, request).pose_m)

    def score(
        self, pose_m: ArrayLike, *, seed: int = 0, samples: int = 0, label: str | None = None
    ) -> PlausibilityScores:
        """How plausible (N, 17, 3) poses are; `samples` 0 leaves their number to the server."""
        request = pb.ScorePosesRequest(
            prior=encode_prior(self.model, label),
            pose_m=check_poses(pose_m).ravel().tolist(),
            num_samples=samples,
            seed=seed,
        )
        response = self._call(self._stub.ScorePoses, request)
        return PlausibilityScores(
            bound_nats=np.array(response.bound_nats, np.float64),
            standard_error_nats=np.array(response.standard_error_nats, np.float64),
            usual=np.array(response.usual, bool),
        )

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def __enter__(self) -> "PoseGenerationClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: Callable[..., Any], request: object) -> Any:
        try:
            return method(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.target) from error
