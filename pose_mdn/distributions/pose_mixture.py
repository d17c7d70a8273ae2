"""Hypotheses as a density over poses."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.array_types import Array
from pose_mdn.distributions.mixture import GaussianMixture
from pose_mdn.poses.hypotheses import HypothesisSequence

_AXES = [0, 0, 1]
"""Standard deviations of x, y, z in the line-of-sight frame: across, across, along."""


@dataclass(frozen=True, kw_only=True)
class PoseModes:
    """The poses that are more probable than all others near them, for each of N rows, highest density first.

    Attributes:
        pose_m: (N, K, 17, 3) root-relative, camera frame; NaN after a row's last, K being the most that any row has.
        log_prob: (N, K) log-density, nats; NaN after a row's last.
        count: (N,) how many each row has; 0 for rows that were not lifted.
    """

    pose_m: NDArray[np.float64]
    log_prob: NDArray[np.float64]
    count: NDArray[np.int64]


class PoseMixture:
    """The distribution over root-relative poses that N rows of hypotheses stand for.

    Covariances are diagonal in each row's line-of-sight frame, so densities are computed there; the pelvis is the
    origin of every pose and not random, so a density is over the 48 coordinates of the other 16 joints.

    Args:
        hypotheses: Lifted rows; rows that were not lifted give NaN.
    """

    def __init__(self, hypotheses: HypothesisSequence) -> None:
        self._rotation = hypotheses.view_rotation.astype(np.float64)
        means = self._to_line_of_sight(hypotheses.means_m.astype(np.float64))
        with np.errstate(divide="ignore"):
            log_mixing = np.log(hypotheses.mixing_coefficients.astype(np.float64))
        self.mixture = GaussianMixture(
            log_mixing_coefficients=log_mixing,
            means=means[..., 1:, :].reshape(*means.shape[:2], -1),
            std=hypotheses.std_m[..., 1:, _AXES].astype(np.float64).reshape(*means.shape[:2], -1),
        )

    def log_prob(self, pose_m: Array) -> NDArray[np.float64]:
        """(N,) log-density, in nats, of (N, 17, 3) root-relative camera-frame poses."""
        turned = self._to_line_of_sight(np.asarray(pose_m, dtype=np.float64)[:, None])[:, 0]
        values: NDArray[np.float64] = self.mixture.log_prob(turned[:, 1:].reshape(len(turned), -1))
        return values

    @property
    def dimensions(self) -> int:
        """Number of coordinates that the density is over."""
        return int(self.mixture.means.shape[-1])

    @property
    def mean_m(self) -> NDArray[np.float64]:
        """(N, 17, 3) mean of the mixture, camera frame."""
        return self._to_camera(self.mixture.mean)

    @property
    def most_probable_m(self) -> NDArray[np.float64]:
        """(N, 17, 3) mean of the component with the largest mixing coefficient, camera frame."""
        return self._to_camera(self.mixture.most_probable_mean)

    @property
    def variance_m2(self) -> NDArray[np.float64]:
        """(N, 17, 3) variance of each coordinate of the mixture in the line-of-sight frame; 0 for the pelvis."""
        variance = self.mixture.variance.reshape(len(self._rotation), -1, 3)
        return np.pad(variance, ((0, 0), (1, 0), (0, 0)))

    def modes(self) -> PoseModes:
        """All local maxima of each row's density; hypotheses that blend into one another share one."""
        modes = self.mixture.modes()
        poses = np.moveaxis(self._to_camera(np.moveaxis(modes.points, 1, 0)), 0, 1)
        poses[np.isnan(modes.log_prob)] = np.nan  # the pelvis of a pose that is not there is nowhere, either
        return PoseModes(pose_m=poses, log_prob=modes.log_prob, count=modes.count)

    def sample(self, num_samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """(S, N, 17, 3) independent poses, camera frame."""
        return self._to_camera(self.mixture.sample(num_samples, rng))

    def _to_line_of_sight(self, pose_m: NDArray[np.float64]) -> NDArray[np.float64]:
        return pose_m @ self._rotation[:, None]

    def _to_camera(self, flat: NDArray[np.float64]) -> NDArray[np.float64]:
        joints = flat.reshape(*flat.shape[:-1], -1, 3)
        with_root = np.pad(joints, [(0, 0)] * (joints.ndim - 2) + [(1, 0), (0, 0)])
        return with_root @ np.swapaxes(self._rotation, -1, -2)
