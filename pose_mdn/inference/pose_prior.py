"""A prior over poses by ONNX Runtime alone: sample, encode, decode, judge, complete and join poses.

Poses are those of the upright frame (`pose_mdn.geometry.upright`): root-relative metres with y down along gravity.
Any heading is understood: it is taken off before encoding and kept beside the latents.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import ArrayLike, NDArray

from pose_mdn.distributions.diagonal_normal import log_density
from pose_mdn.distributions.evidence import estimate_evidence
from pose_mdn.errors import BundleError, InputError
from pose_mdn.geometry.upright import turn
from pose_mdn.inference.bundle import Bundle, find_bundle
from pose_mdn.inference.session import open_part
from pose_mdn.skeletons.human36m import HUMAN36M17

DEFAULT_PRIOR = "pose_vae"
DEFAULT_BOUND_SAMPLES = 64

_PARTS = ("encode", "decode")
_CHUNK_ROWS = 4096
_LARGEST_M = 10.0
_JOINTS = HUMAN36M17.num_joints

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class EncodedPoses:
    """What is known of poses' latents.

    Attributes:
        mean: (N, Z).
        log_variance: (N, Z).
        heading_rad: (N,) turn about the vertical, 0 for who faces.
    """

    mean: Floats
    log_variance: Floats
    heading_rad: Floats


@dataclass(frozen=True, kw_only=True)
class PlausibilityScores:
    r"""Importance-weighted bounds on log-densities of poses that face.

    .. math:: \log p(x) \ge E \log \frac1K \sum_k \frac{p(x | z_k)\, p(z_k)}{q(z_k | x)}, \quad z_k \sim q(z | x)

    Burda et al., "Importance weighted autoencoders", ICLR 2016. The bound rises with K towards log p.

    Attributes:
        bound_nats: (N,) estimates; NaN for poses that are not finite.
        standard_error_nats: (N,) of the estimates, by the delta method.
        usual: (N,) whether they lie within the range of real poses that the bundle states.
    """

    bound_nats: Floats
    standard_error_nats: Floats
    usual: NDArray[np.bool_]


class PosePrior:
    """A loaded prior. Safe to use from several threads.

    Attributes:
        bundle: Where the model came from.
        latent_dim: Z.
        labels: Names of the classes that condition it; empty if there are none.
        joint_std_m: (17,) standard deviations around decoded joints, 0 for the pelvis.
        usual_range_nats: Scores between which 99 % of real poses lie.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        threads: int = 0,
        sessions: Mapping[str, onnxruntime.InferenceSession] | None = None,
    ) -> None:
        """Load the graphs of a bundle; `threads` as in `open_session`.

        `sessions` is for those who have opened the bundle's graphs already.
        """
        if bundle.kind != "pose_prior":
            raise BundleError(f"{bundle.name}: expected a prior over poses, got a model of kind {bundle.kind!r}")
        self.bundle = bundle
        if sessions is None:
            sessions = {part: open_part(bundle, part, threads) for part in _PARTS}
        if not sessions.keys() >= set(_PARTS):
            raise BundleError(f"{bundle.name}: expected graphs {', '.join(_PARTS)}, got {', '.join(sessions) or 'one'}")
        self._encode, self._decode = sessions["encode"], sessions["decode"]
        config = bundle.config
        try:
            self.latent_dim = int(str(config["latent_dim"]))
            self.labels = tuple(_strings(config.get("labels")))
            self.joint_std_m = np.array([0.0, *_numbers(config["joint_std_m"])])
            low, high = _numbers(config["usual_range_nats"])
        except (KeyError, ValueError, TypeError) as error:
            raise BundleError(
                f"{bundle.name}: expected latent_dim, joint_std_m and usual_range_nats (two numbers) in the config, "
                f"got a config in which this is wrong: {error}"
            ) from error
        self.usual_range_nats = (low, high)

    @property
    def name(self) -> str:
        """The model's name, "pose_vae"."""
        return self.bundle.name

    @property
    def version(self) -> str:
        """The model's version, "1"."""
        return self.bundle.version

    def __repr__(self) -> str:
        return f"PosePrior({self.name}/{self.version}, latent_dim={self.latent_dim}, labels={list(self.labels)})"

    def sample(self, count: int, *, seed: int, label: str | None = None, temperature: float = 1.0) -> Floats:
        """(count, 17, 3) poses that face, metres; the same for the same seed.

        Args:
            count: How many.
            seed: Of the latents.
            label: Class of models that are conditioned; every class in turn if left out.
            temperature: Standard deviation of the latents; below 1 poses become more usual.

        Raises:
            InputError: The label is unknown, or a number is out of range.
        """
        if count < 1 or temperature < 0:
            raise InputError(
                f"count, temperature: expected at least 1 and at least 0, got {count} and {temperature}", field="count"
            )
        latent = temperature * np.random.default_rng(seed).standard_normal((count, self.latent_dim))
        return self.decode(latent, label=self._in_turn(count) if label is None else label)

    def encode(self, pose_m: ArrayLike, *, label: str | NDArray[np.int64] | None = None) -> EncodedPoses:
        """Posteriors of (N, 17, 3) upright poses; rows that are not finite stay, as NaN."""
        poses = check_poses(pose_m)
        finite = np.asarray(np.isfinite(poses).all(axis=(1, 2)))
        feed = {"pose_m": np.where(finite[:, None, None], poses, 0.0).astype(np.float32)}
        mean, log_variance, heading = self._run(self._encode, self._with_labels(feed, label, len(poses)))
        for array in (mean, log_variance, heading):
            array[~finite] = np.nan
        return EncodedPoses(mean=mean, log_variance=log_variance, heading_rad=np.arctan2(heading[:, 1], heading[:, 0]))

    def decode(
        self,
        latent: ArrayLike,
        *,
        label: str | NDArray[np.int64] | None = None,
        heading_rad: ArrayLike | None = None,
    ) -> Floats:
        """(N, 17, 3) poses of (N, Z) latents, turned by (N,) headings if they are given; rows of NaN stay."""
        latents = np.asarray(latent, np.float64)
        if latents.ndim != 2 or latents.shape[1] != self.latent_dim:
            raise InputError(f"latent: expected shape (N, {self.latent_dim}), got {latents.shape}", field="latent")
        feed = {"latent": latents.astype(np.float32)}
        (pose_m,) = self._run(self._decode, self._with_labels(feed, label, len(latents)))
        if heading_rad is None:
            return pose_m
        heading = np.asarray(heading_rad, np.float64)
        return np.asarray(turn(pose_m, np.cos(heading), np.sin(heading)))

    def score(
        self,
        pose_m: ArrayLike,
        *,
        seed: int = 0,
        samples: int = DEFAULT_BOUND_SAMPLES,
        label: str | NDArray[np.int64] | None = None,
    ) -> PlausibilityScores:
        """How plausible (N, 17, 3) upright poses are: bounds on their log-densities from that many samples each."""
        poses = check_poses(pose_m)
        if samples < 2:
            raise InputError(f"samples: expected at least 2, got {samples}", field="samples")
        encoded = self.encode(poses, label=label)
        noise = np.random.default_rng(seed).standard_normal((samples, self.latent_dim))
        facing = turn(poses, np.cos(encoded.heading_rad), -np.sin(encoded.heading_rad))
        estimate = estimate_evidence(np.stack([self._log_weight(facing, encoded, one, label) for one in noise]))
        bound = np.asarray(estimate.log_evidence)
        low, high = self.usual_range_nats
        return PlausibilityScores(
            bound_nats=bound,
            standard_error_nats=np.asarray(estimate.standard_error),
            usual=np.asarray((bound >= low) & (bound <= high)),
        )

    def interpolate(self, start_m: ArrayLike, end_m: ArrayLike, steps: int, *, label: str | None = None) -> Floats:
        """(steps, 17, 3) poses from one (17, 3) pose to another, straight in the latent space, by the shorter turn."""
        if steps < 2:
            raise InputError(f"steps: expected at least 2, got {steps}", field="steps")
        ends = self.encode(np.stack([np.asarray(start_m, np.float64), np.asarray(end_m, np.float64)]), label=label)
        share = np.linspace(0.0, 1.0, steps)
        turned = np.angle(np.exp(1j * (ends.heading_rad[1] - ends.heading_rad[0])))
        latent = (1.0 - share)[:, None] * ends.mean[0] + share[:, None] * ends.mean[1]
        return self.decode(latent, label=label, heading_rad=ends.heading_rad[0] + share * turned)

    def label_index(self, label: str) -> int:
        """Index of a class.

        Raises:
            InputError: There is none of that name.
        """
        if label not in self.labels:
            known = ", ".join(self.labels) or "no label, since this model is not conditioned"
            raise InputError(f"label: expected {known}, got {label[:64]!r}", field="label")
        return self.labels.index(label)

    def _log_weight(
        self, facing: Floats, encoded: EncodedPoses, noise: Floats, label: str | NDArray[np.int64] | None
    ) -> Floats:
        """(N,) log p(x | z) + log p(z) - log q(z | x) at z of one (Z,) noise vector."""
        latent = encoded.mean + np.exp(0.5 * encoded.log_variance) * noise
        decoded = self.decode(latent, label=label)[:, 1:].reshape(len(facing), -1)
        log_variance = 2.0 * np.log(np.repeat(self.joint_std_m[1:], 3))
        likelihood = log_density(facing[:, 1:].reshape(len(facing), -1), decoded, log_variance)
        prior = log_density(latent, np.zeros(1), np.zeros(1))
        return np.asarray(likelihood + prior - log_density(latent, encoded.mean, encoded.log_variance))

    def labels_of_samples(self, count: int, label: str | None) -> list[str]:
        """Class of each sample that `sample` gives; none from a model without classes."""
        if not self.labels:
            return []
        return [label] * count if label else [self.labels[row % len(self.labels)] for row in range(count)]

    def _in_turn(self, count: int) -> NDArray[np.int64] | None:
        return np.arange(count) % len(self.labels) if self.labels else None

    def _with_labels(
        self, feed: dict[str, NDArray[np.float32]], label: str | NDArray[np.int64] | None, rows: int
    ) -> dict[str, NDArray[np.float32]]:
        if isinstance(label, str):
            label = np.full(rows, self.label_index(label))
        if not self.labels:
            return feed
        if label is None:
            raise InputError(f"label: expected one of {', '.join(self.labels)}, got none", field="label")
        return feed | {"label": np.eye(len(self.labels), dtype=np.float32)[label]}

    @staticmethod
    def _run(session: onnxruntime.InferenceSession, feed: dict[str, NDArray[np.float32]]) -> list[Floats]:
        rows = len(next(iter(feed.values())))
        # At least one call, so that no rows have shapes, too.
        starts = range(0, rows, _CHUNK_ROWS) or [0]
        parts = [session.run(None, {name: a[s : s + _CHUNK_ROWS] for name, a in feed.items()}) for s in starts]
        return [np.concatenate(arrays).astype(np.float64) for arrays in zip(*parts, strict=True)]


def load_pose_prior(
    model: str | Path = DEFAULT_PRIOR, *, threads: int | None = None, repository: Path | None = None
) -> PosePrior:
    """Load a prior over poses; arguments and errors as of `load_lifter`."""
    return PosePrior(find_bundle(model, repository), threads=threads or 0)


def check_poses(pose_m: ArrayLike) -> Floats:
    """(N, 17, 3) poses as float64, moved to the pelvis; a single (17, 3) pose counts as N = 1.

    Raises:
        InputError: They have another shape, or are not numbers in metres.
    """
    try:
        poses = np.asarray(pose_m, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"pose_m: expected numbers of shape (N, 17, 3), got {error}", field="pose_m") from None
    poses = poses[None] if poses.ndim == 2 else poses
    if poses.ndim != 3 or poses.shape[1:] != (_JOINTS, 3):
        raise InputError(f"pose_m: expected shape (N, {_JOINTS}, 3), got {poses.shape}", field="pose_m")
    extent = np.abs(poses - poses[:, :1])
    largest = float(np.max(extent, where=np.isfinite(extent), initial=0.0))
    if largest > _LARGEST_M:
        raise InputError(
            f"pose_m: expected metres, got a joint {largest:.3g} from the pelvis; divide millimetres by 1000",
            field="pose_m",
        )
    return np.asarray(poses - poses[:, :1])


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _numbers(value: object) -> list[float]:
    if not isinstance(value, list):
        raise BundleError(f"config: expected a list of numbers, got {value!r}")
    return [float(item) for item in value]
