r"""Completion and denoising: the pose of the prior that best explains the joints that were seen.

Over latents z, the heading \phi and, where the pelvis is missing, the translation t,

.. math:: E = \tfrac12 \sum_j \frac{|R(\phi)\, \mathrm{decode}(z)_j + t - x_j|^2}{\sigma_j^2} + \tfrac12 |z|^2

is minimised by Levenberg-Marquardt: a maximum a posteriori estimate. \sigma_j is what the decoder cannot explain, with
the noise of the joints added. The decoder's derivatives are differences, so that no graph beside it is needed. Rows are
fitted side by side, each from several starts: latents of the prior whose poses, turned to fit, are nearest.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.upright import turn
from pose_mdn.inference.pose_prior import Floats, PosePrior

MIN_JOINTS = 3
"""Fewer seen joints say too little of a pose."""

_POOL = 512
_POOL_SEED = 0
_STARTS = 3
_ITERATIONS = 25
_STEP = 0.02
"""Of the differences; latents are of order 1 and the decoder computes in float32."""
_FIRST_DAMPING = 1.0
_LOOSEN, _TIGHTEN = 0.3, 4.0
_SMALLEST_STD_M = 0.003
_SLICE_ROWS = 64
"""Rows fitted side by side; more take memory and are no faster."""

Progress = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class FittedPoses:
    """What the prior makes of poses that are incomplete or noisy.

    Attributes:
        pose_m: (N, 17, 3) the prior's poses where the given ones are, metres; NaN for rows with too few joints.
        latent: (N, Z).
        heading_rad: (N,).
        misfit_m: (N,) root mean square distance from the joints that were seen.
    """

    pose_m: Floats
    latent: Floats
    heading_rad: Floats
    misfit_m: Floats


@dataclass(kw_only=True)
class _State:
    """R rows under way: Z latents, a heading and a translation each."""

    latent: Floats
    heading: Floats
    shift: Floats


def fit_poses(
    prior: PosePrior,
    pose_m: ArrayLike,
    *,
    noise_std_m: float = 0.0,
    label: str | None = None,
    on_progress: Progress | None = None,
) -> FittedPoses:
    """Fit the prior to poses.

    Args:
        prior: The prior.
        pose_m: (N, 17, 3) upright poses, root-relative unless the pelvis is missing; NaN for missing joints.
        noise_std_m: Standard deviation of the given coordinates; the larger, the more the prior's word counts.
        label: Class of priors that are conditioned.
        on_progress: Called after every few rows with their number.

    Raises:
        InputError: The poses have another shape, or the noise is negative.
    """
    poses = np.asarray(pose_m, np.float64)
    if poses.ndim != 3 or poses.shape[1:] != (len(prior.joint_std_m), 3):
        raise InputError(f"pose_m: expected shape (N, 17, 3), got {poses.shape}", field="pose_m")
    if not noise_std_m >= 0:
        raise InputError(f"noise_std_m: expected metres >= 0, got {noise_std_m}", field="noise_std_m")
    seen = np.asarray(np.isfinite(poses).all(axis=2))
    able = seen.sum(axis=1) >= MIN_JOINTS
    fitted = FittedPoses(
        pose_m=np.full(poses.shape, np.nan),
        latent=np.full((len(poses), prior.latent_dim), np.nan),
        heading_rad=np.full(len(poses), np.nan),
        misfit_m=np.full(len(poses), np.nan),
    )
    for start in range(0, len(poses), _SLICE_ROWS):
        rows = start + np.flatnonzero(able[start : start + _SLICE_ROWS])
        if rows.size:
            _Fit(prior, poses[rows], seen[rows], noise_std_m, label).write(fitted, rows)
        if on_progress is not None:
            on_progress(min(_SLICE_ROWS, len(poses) - start))
    return fitted


def complete_poses(
    prior: PosePrior, pose_m: ArrayLike, *, label: str | None = None, on_progress: Progress | None = None
) -> Floats:
    """(N, 17, 3) poses whose missing joints (NaN) are the prior's and whose others stay as they were given."""
    poses = np.asarray(pose_m, np.float64)
    return np.where(np.isfinite(poses), poses, fit_poses(prior, poses, label=label, on_progress=on_progress).pose_m)


def denoise_poses(
    prior: PosePrior,
    pose_m: ArrayLike,
    *,
    noise_std_m: float,
    label: str | None = None,
    on_progress: Progress | None = None,
) -> Floats:
    """(N, 17, 3) the prior's poses for ones whose coordinates have that standard deviation of noise."""
    return fit_poses(prior, pose_m, noise_std_m=noise_std_m, label=label, on_progress=on_progress).pose_m


class _Fit:
    """One minimisation of N poses from `_STARTS` starts each."""

    def __init__(
        self, prior: PosePrior, poses: Floats, seen: NDArray[np.bool_], noise_std_m: float, label: str | None
    ) -> None:
        self.prior, self.label = prior, label
        variance = prior.joint_std_m**2 + noise_std_m**2
        precision = seen / np.maximum(variance, _SMALLEST_STD_M**2)
        self.target = np.repeat(np.where(seen[..., None], poses, 0.0), _STARTS, axis=0)
        self.precision = np.repeat(precision, _STARTS, axis=0)
        self.rooted = np.repeat(seen[:, 0], _STARTS)
        self.state = self._start()
        self.energy = self._energy(self.state)
        damping = np.full(len(self.energy), _FIRST_DAMPING)
        for _ in range(_ITERATIONS):
            proposal = self._propose(damping)
            energy = self._energy(proposal)
            better = energy < self.energy
            for name in ("latent", "heading", "shift"):
                getattr(self.state, name)[better] = getattr(proposal, name)[better]
            self.energy = np.where(better, energy, self.energy)
            damping = np.where(better, damping * _LOOSEN, damping * _TIGHTEN).clip(1e-4, 1e6)

    def write(self, fitted: FittedPoses, rows: NDArray[np.int64]) -> None:
        """Put the best start of each pose into the rows of the result."""
        best = self.energy.reshape(-1, _STARTS).argmin(axis=1) + _STARTS * np.arange(len(rows))
        pose = self._poses(self.state)[best]
        square = ((pose - self.target[best]) ** 2).sum(axis=2)
        seen = self.precision[best] > 0
        fitted.pose_m[rows] = pose
        fitted.latent[rows] = self.state.latent[best]
        fitted.heading_rad[rows] = np.angle(np.exp(1j * self.state.heading[best]))
        fitted.misfit_m[rows] = np.sqrt((seen * square).sum(axis=1) / seen.sum(axis=1))

    def _start(self) -> _State:
        """Latents of the prior whose poses, turned and moved to fit, explain each target best; the origin is one."""
        pool = np.random.default_rng(_POOL_SEED).standard_normal((_POOL, self.prior.latent_dim))
        pool[0] = 0.0
        decoded = self._decode(pool)
        rows = slice(None, None, _STARTS)
        target, weight = self.target[rows], self.precision[rows]
        free = ~self.rooted[rows]
        total = weight.sum(axis=1)
        middle = np.where(free[:, None], np.einsum("nj,njc->nc", weight, target) / total[:, None], 0.0)
        pool_middle = np.where(free[:, None, None], np.einsum("nj,kjc->nkc", weight / total[:, None], decoded), 0.0)
        centred = target - middle[:, None]
        dot, cross, square = _turned_fit(centred, weight, decoded, pool_middle)
        heading = np.arctan2(cross, dot)
        cost = square - 2.0 * np.hypot(dot, cross) + (pool**2).sum(axis=1)
        chosen = np.argpartition(cost, _STARTS, axis=1)[:, :_STARTS].ravel()
        which = np.repeat(np.arange(len(target)), _STARTS)
        turned = heading[which, chosen]
        moved = turn(pool_middle[which, chosen][:, None], np.cos(turned), np.sin(turned))[:, 0]
        return _State(latent=pool[chosen], heading=turned, shift=middle[which] - moved)

    def _propose(self, damping: Floats) -> _State:
        """A Levenberg-Marquardt step of every row."""
        state, latent_dim = self.state, self.prior.latent_dim
        jacobian, residual = self._linearise()
        weight = np.repeat(self.precision, 3, axis=1)
        normal = np.einsum("rda,rd,rdb->rab", jacobian, weight, jacobian, optimize=True)
        gradient = np.einsum("rda,rd,rd->ra", jacobian, weight, residual, optimize=True)
        prior = np.arange(latent_dim)
        normal[:, prior, prior] += 1.0
        gradient[:, prior] += state.latent
        diagonal = np.arange(normal.shape[1])
        normal[:, diagonal, diagonal] *= 1.0 + damping[:, None]
        # What does not matter, such as the translation of poses with a pelvis, must not make the system singular.
        normal[:, diagonal, diagonal] += 1e-6
        step = -np.linalg.solve(normal, gradient[..., None])[..., 0]
        return _State(
            latent=state.latent + step[:, :latent_dim],
            heading=state.heading + step[:, latent_dim],
            shift=state.shift + step[:, latent_dim + 1 :],
        )

    def _linearise(self) -> tuple[Floats, Floats]:
        """(R, 51, Z + 4) derivatives of poses by latents, heading and translation, and (R, 51) differences."""
        state, rows, latent_dim = self.state, len(self.energy), self.prior.latent_dim
        steps = np.concatenate([np.zeros((1, latent_dim)), _STEP * np.eye(latent_dim)])
        shifted = (state.latent[:, None] + steps).reshape(-1, latent_dim)
        decoded = self._decode(shifted).reshape(rows, latent_dim + 1, -1, 3)
        cos, sin = np.cos(state.heading)[:, None], np.sin(state.heading)[:, None]
        turned = turn(decoded, cos, sin)
        here = turned[:, 0]
        by_latent = (turned[:, 1:] - here[:, None]) / _STEP
        by_heading = np.stack([-here[..., 2], np.zeros_like(here[..., 0]), here[..., 0]], axis=-1)
        by_shift = np.broadcast_to(np.eye(3)[:, None], (rows, 3, here.shape[1], 3)) * ~self.rooted[:, None, None, None]
        jacobian = np.concatenate([by_latent, by_heading[:, None], by_shift], axis=1).reshape(rows, latent_dim + 4, -1)
        residual = here + state.shift[:, None] - self.target
        return np.swapaxes(jacobian, 1, 2), residual.reshape(rows, -1)

    def _energy(self, state: _State) -> Floats:
        square = ((self._poses(state) - self.target) ** 2).sum(axis=2)
        return np.asarray(0.5 * ((self.precision * square).sum(axis=1) + (state.latent**2).sum(axis=1)))

    def _poses(self, state: _State) -> Floats:
        turned = turn(self._decode(state.latent), np.cos(state.heading), np.sin(state.heading))
        return np.asarray(turned + state.shift[:, None])

    def _decode(self, latent: Floats) -> Floats:
        return self.prior.decode(latent, label=self.label)


def _turned_fit(centred: Floats, weight: Floats, decoded: Floats, middle: Floats) -> tuple[Floats, Floats, Floats]:
    """(N, K) weighted sums over joints of (K, J, 3) poses about their (N, K, 3) middles against (N, J, 3) targets.

    Returns:
        Scalar and cross products on the ground, and squared sizes of both less twice the product of heights. The cost
        of the best turn is square - 2 hypot(dot, cross).
    """
    total = weight.sum(axis=1)[:, None]
    first = np.einsum("nj,njc->nc", weight, centred)
    product = np.einsum("nj,njc,kjd->nkcd", weight, centred, decoded, optimize=True)
    product = product - first[:, None, :, None] * middle[:, :, None, :]
    dot = product[..., 0, 0] + product[..., 2, 2]
    cross = product[..., 2, 0] - product[..., 0, 2]
    square = np.einsum("nj,njc->n", weight, centred**2)[:, None] + np.einsum("nj,kjc->nk", weight, decoded**2)
    square = square - total * (middle**2).sum(axis=2) - 2.0 * product[..., 1, 1]
    return dot, cross, square
