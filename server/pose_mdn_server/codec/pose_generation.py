"""Requests to priors over poses, and their answers.

Axis letters: N poses, Z latent dimensions.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pose_mdn.inference.pose_prior import (
    DEFAULT_BOUND_SAMPLES,
    DEFAULT_PRIOR,
    EncodedPoses,
    PlausibilityScores,
    PosePrior,
)
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_server.rpc import pose_generation_pb2
from pose_mdn_server.violations import Violations

MAX_BOUND_SAMPLES = 1024
MAX_SCORED_SAMPLES = 524_288
"""Largest number of poses times samples in one call of ScorePoses."""

_POSE_SHAPE = (HUMAN36M17.num_joints, 3)

Floats = NDArray[np.float64]


def decode_label(prior: PosePrior, label: str, *, needed: bool, violations: Violations) -> str | None:
    """The class asked for, `None` for none; notes one that the model does not know or that it lacks."""
    if not label:
        violations.require(
            not (needed and prior.labels),
            "prior.label",
            f"expected one of {', '.join(prior.labels)}, as {prior.name} is conditioned, got none",
        )
        return None
    violations.checked("prior.label", prior.label_index, label)
    return label


def decode_sample_request(
    request: pose_generation_pb2.SamplePosesRequest, prior: PosePrior, *, max_poses: int
) -> tuple[str | None, float]:
    """Class and temperature of a valid request.

    Raises:
        RequestError: With every violation found.
    """
    violations = Violations()
    label = decode_label(prior, request.prior.label, needed=False, violations=violations)
    temperature = request.temperature if request.HasField("temperature") else 1.0
    violations.require(
        1 <= request.num_poses <= max_poses, "num_poses", f"expected 1 to {max_poses}, got {request.num_poses}"
    )
    violations.require(0.0 <= temperature <= 10.0, "temperature", f"expected 0 to 10, got {temperature:g}")
    violations.raise_if_any()
    return label, temperature


def decode_poses(
    request: pose_generation_pb2.EncodePosesRequest | pose_generation_pb2.ScorePosesRequest,
    prior: PosePrior,
    *,
    max_poses: int,
) -> tuple[Floats, str | None]:
    """(N, 17, 3) poses and class of a valid request.

    Raises:
        RequestError: With every violation found.
    """
    violations = Violations()
    label = decode_label(prior, request.prior.label, needed=True, violations=violations)
    poses = _rows(request.pose_m, _POSE_SHAPE, "pose_m", max_poses, violations)
    violations.raise_if_any()
    return poses, label


def decode_latents(
    request: pose_generation_pb2.DecodeLatentsRequest, prior: PosePrior, *, max_poses: int
) -> tuple[Floats, Floats | None, str | None]:
    """(N, Z) latents, (N,) headings if there are any, and class of a valid request.

    Raises:
        RequestError: With every violation found.
    """
    violations = Violations()
    label = decode_label(prior, request.prior.label, needed=True, violations=violations)
    latent = _rows(request.latent, (prior.latent_dim,), "latent", max_poses, violations)
    heading = np.array(request.heading_rad, np.float64)
    violations.require(
        len(heading) in {0, len(latent)},
        "heading_rad",
        f"expected none or one for each of {len(latent)} latents, got {len(heading)}",
    )
    violations.raise_if_any()
    return latent, heading if len(heading) else None, label


def decode_num_samples(request: pose_generation_pb2.ScorePosesRequest, num_poses: int) -> int:
    """Samples per pose of a valid request.

    Raises:
        RequestError: There are too few or too many.
    """
    violations = Violations()
    wanted = request.num_samples or DEFAULT_BOUND_SAMPLES
    limit = min(MAX_BOUND_SAMPLES, MAX_SCORED_SAMPLES // max(1, num_poses))
    violations.require(
        2 <= wanted <= limit, "num_samples", f"expected 2 to {limit} for {num_poses} poses, got {wanted}"
    )
    violations.raise_if_any()
    return wanted


def encode_prior(model: str, label: str | None) -> pose_generation_pb2.PosePrior:
    """Which prior is to answer; `model` is "NAME" or "NAME/VERSION"."""
    name, _, version = (model or DEFAULT_PRIOR).partition("/")
    return pose_generation_pb2.PosePrior(model_name=name, model_version=version, label=label or "")


def encode_samples(prior: PosePrior, poses: Floats, labels: Sequence[str]) -> pose_generation_pb2.SamplePosesResponse:
    """The answer to SamplePoses."""
    return pose_generation_pb2.SamplePosesResponse(
        pose_m=poses.ravel().tolist(), label=labels, model=model_label(prior)
    )


def encode_encoded(prior: PosePrior, encoded: EncodedPoses) -> pose_generation_pb2.EncodePosesResponse:
    """The answer to EncodePoses."""
    return pose_generation_pb2.EncodePosesResponse(
        mean=encoded.mean.ravel().tolist(),
        log_variance=encoded.log_variance.ravel().tolist(),
        heading_rad=encoded.heading_rad.tolist(),
        latent_dim=prior.latent_dim,
        model=model_label(prior),
    )


def encode_scores(prior: PosePrior, scores: PlausibilityScores) -> pose_generation_pb2.ScorePosesResponse:
    """The answer to ScorePoses."""
    return pose_generation_pb2.ScorePosesResponse(
        bound_nats=scores.bound_nats.tolist(),
        standard_error_nats=scores.standard_error_nats.tolist(),
        usual=scores.usual.tolist(),
        model=model_label(prior),
    )


def model_label(prior: PosePrior) -> str:
    """NAME/VERSION."""
    return f"{prior.name}/{prior.version}"


def read_poses(values: Sequence[float]) -> Floats:
    """(N, 17, 3) poses of an answer."""
    return np.array(values, np.float64).reshape(-1, *_POSE_SHAPE)


def _rows(values: Sequence[float], shape: tuple[int, ...], field: str, max_rows: int, violations: Violations) -> Floats:
    """(N, *shape) numbers, with at least one row; empty if they are wrong."""
    array, size = np.array(values, np.float64), int(np.prod(shape))
    rows, rest = divmod(len(array), size)
    expected = f"expected N x {' x '.join(map(str, shape))} numbers with N from 1 to {max_rows}, got {len(array)}"
    if not violations.require(rest == 0 and 1 <= rows <= max_rows, field, expected):
        return np.zeros((0, *shape))
    return array.reshape(rows, *shape)
