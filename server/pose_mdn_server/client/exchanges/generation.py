"""Questions to priors over poses; methods as of `pose_mdn.inference.PosePrior`."""

import numpy as np
from numpy.typing import ArrayLike

from pose_mdn.inference.pose_prior import EncodedPoses, Floats, PlausibilityScores, check_poses
from pose_mdn_server.client.exchange import Exchange
from pose_mdn_server.codec.methods import DECODE_LATENTS, ENCODE_POSES, SAMPLE_POSES, SCORE_POSES
from pose_mdn_server.codec.pose_generation import encode_prior, read_poses
from pose_mdn_server.rpc import pose_generation_pb2 as pb


def sample(
    model: str, count: int, *, seed: int, label: str | None = None, temperature: float = 1.0
) -> Exchange[tuple[Floats, list[str]]]:
    """(count, 17, 3) poses, and the class of each; no classes from models that are not conditioned."""
    prior = encode_prior(model, label)
    request = pb.SamplePosesRequest(prior=prior, num_poses=count, seed=seed, temperature=temperature)
    return Exchange(SAMPLE_POSES, request, lambda response: (read_poses(response.pose_m), list(response.label)))


def encode(model: str, pose_m: ArrayLike, *, label: str | None = None) -> Exchange[EncodedPoses]:
    """Posteriors of (N, 17, 3) poses."""
    poses = check_poses(pose_m)
    request = pb.EncodePosesRequest(prior=encode_prior(model, label), pose_m=poses.ravel().tolist())

    def read(response: pb.EncodePosesResponse) -> EncodedPoses:
        mean, log_variance = (
            np.array(values, np.float64).reshape(len(poses), response.latent_dim)
            for values in (response.mean, response.log_variance)
        )
        heading = np.array(response.heading_rad, np.float64)
        return EncodedPoses(mean=mean, log_variance=log_variance, heading_rad=heading)

    return Exchange(ENCODE_POSES, request, read)


def decode(
    model: str, latent: ArrayLike, *, label: str | None = None, heading_rad: ArrayLike | None = None
) -> Exchange[Floats]:
    """(N, 17, 3) poses of (N, Z) latents."""
    request = pb.DecodeLatentsRequest(
        prior=encode_prior(model, label),
        latent=np.asarray(latent, np.float64).ravel().tolist(),
        heading_rad=() if heading_rad is None else np.asarray(heading_rad, np.float64).ravel().tolist(),
    )
    return Exchange(DECODE_LATENTS, request, lambda response: read_poses(response.pose_m))


def score(
    model: str, pose_m: ArrayLike, *, seed: int = 0, samples: int = 0, label: str | None = None
) -> Exchange[PlausibilityScores]:
    """How plausible (N, 17, 3) poses are; `samples` 0 leaves their number to the server."""
    request = pb.ScorePosesRequest(
        prior=encode_prior(model, label), pose_m=check_poses(pose_m).ravel().tolist(), num_samples=samples, seed=seed
    )

    def read(response: pb.ScorePosesResponse) -> PlausibilityScores:
        return PlausibilityScores(
            bound_nats=np.array(response.bound_nats, np.float64),
            standard_error_nats=np.array(response.standard_error_nats, np.float64),
            usual=np.array(response.usual, bool),
        )

    return Exchange(SCORE_POSES, request, read)
