r"""Two Gaussians, three modes.

.. math::
    p = \tfrac12 N\Big(\binom00, \begin{pmatrix}1&0\\0&.05\end{pmatrix}\Big)
      + \tfrac12 N\Big(\binom11, \begin{pmatrix}.05&0\\0&1\end{pmatrix}\Big)

Ray and Lindsay, "The topography of multivariate normal mixtures", Annals of Statistics 2005. The third mode lies where
the two long ridges cross, far from both means, and is the highest. So the mean of the most probable kernel is not the
mode of a mixture. All stationary points lie on the ridgeline, a curve between the means, where they are the points
whose responsibilities are their own weights; Markov chains that know the density only by its values must agree.
"""

from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from pose_mdn.distributions import GaussianMixture, Modes, PoseMixture
from pose_mdn.distributions.mean_shift import climb, take_rows
from pose_mdn.distributions.ridgeline import curve_weights, ridgeline
from pose_mdn.inference import load_lifter
from pose_mdn.lecture.example import Finding, Outcome, Progress
from pose_mdn.lecture.metropolis import metropolis

Floats = NDArray[np.float64]

MIXTURE = GaussianMixture(
    log_mixing_coefficients=np.log([0.5, 0.5]),
    means=np.array([[0.0, 0.0], [1.0, 1.0]]),
    std=np.sqrt([[1.0, 0.05], [0.05, 1.0]]),
)
_CHAINS = 50


@dataclass(frozen=True, kw_only=True)
class Topography:
    """What both searches saw.

    Attributes:
        modes: By the ridgeline.
        weight: (G,) weight of the second Gaussian along the ridgeline.
        curve: (G, 2) the ridgeline.
        samples: (S, 2) where the chains were.
        summit: (S,) which of `chain_modes` is uphill from each sample.
        chain_modes: (K, 2) the modes that chains led to.
        poses_by_modes: (M + 1,) how many poses of the bundled clip have 0, 1, ... modes.
    """

    modes: Modes
    weight: Floats
    curve: Floats
    samples: Floats
    summit: NDArray[np.int64]
    chain_modes: Floats
    poses_by_modes: NDArray[np.int64]


def run(*, seed: int, quick: bool, progress: Progress) -> Outcome:
    """Search along the ridgeline, by Markov chains, and in the hypotheses of a real clip."""
    from pose_mdn.lecture.three_modes_picture import draw  # noqa: PLC0415  (it needs this module's names)

    progress("ridgeline", 0, 3)
    modes = MIXTURE.modes()
    weights = curve_weights(2, (0, 1), 2001)
    progress("Markov chains", 1, 3)
    samples, accepted = _chains(20 if quick else 400, np.random.default_rng(seed))
    samples, summit, chain_modes = _uphill(samples)
    progress("poses", 2, 3)
    poses_by_modes = _modes_of_poses(8 if quick else None)
    topography = Topography(
        modes=modes,
        weight=weights[:, 1],
        curve=ridgeline(_spread(len(weights)), weights),
        samples=samples,
        summit=summit,
        chain_modes=chain_modes,
        poses_by_modes=poses_by_modes,
    )
    progress("done", 3, 3)
    return Outcome(findings=_findings(topography, accepted), draw=lambda: draw(topography))


def _spread(count: int) -> GaussianMixture:
    return take_rows(
        GaussianMixture(
            log_mixing_coefficients=MIXTURE.log_mixing_coefficients[None],
            means=MIXTURE.means[None],
            std=MIXTURE.std[None],
        ),
        np.zeros(count, np.int64),
    )


def _chains(steps: int, rng: np.random.Generator) -> tuple[Floats, float]:
    """Samples of chains that start anywhere in the picture, without their first quarter."""
    starts = rng.uniform(-2.5, 3.5, (_CHAINS, 2))
    chain, accepted = metropolis(MIXTURE.log_prob, starts, steps=4 * steps, step_size=0.6, rng=rng)
    return chain[steps::3].reshape(-1, 2), accepted


def _uphill(samples: Floats) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Samples that climb to a summit, to which one, and the summits, those with most samples first."""
    ends, arrived = climb(_spread(len(samples)), samples)
    ends = ends[arrived]
    _, first, summit, counts = np.unique(
        np.round(ends, 6), axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(-counts)
    rank = np.argsort(order)
    return samples[arrived], rank[summit.ravel()], ends[first[order]]


def _modes_of_poses(limit: int | None) -> NDArray[np.int64]:
    """How many poses of the bundled clip, lifted, have how many modes."""
    lifter = load_lifter()
    with np.load(str(files("pose_mdn") / "samples" / "walking_clip.npz")) as clip:
        lifted = lifter.lift_arrays(
            clip["keypoints"][:limit],
            clip["confidence"][:limit],
            skeleton="blazepose33",
            image_size=tuple(clip["image_size"]),
        )
    poses = lifted.take(lifted.lifted)
    return np.bincount(PoseMixture(poses).modes().count, minlength=lifted.num_hypotheses + 1)


def _findings(topography: Topography, accepted: float) -> list[Finding]:
    return [*_ridgeline_findings(topography.modes), *_sampling_findings(topography, accepted)]


def _ridgeline_findings(modes: Modes) -> list[Finding]:
    highest = modes.points[0]
    return [
        Finding(
            name="modes",
            value=float(modes.count),
            meaning="modes found along the ridgeline",
            expected="3, of 2 kernels",
        ),
        Finding(
            name="third_x", value=highest[0], meaning="first coordinate of the highest mode", expected="20/21 = 0.95238"
        ),
        Finding(name="third_y", value=highest[1], meaning="its second coordinate", expected="1/21 = 0.04762"),
        Finding(
            name="gain",
            value=float(modes.log_prob[0] - MIXTURE.log_prob(MIXTURE.means).max()),
            meaning="log-density there above that at the means, nats",
            expected="above 0: the best mean is not the mode",
        ),
    ]


def _distance_of_best_sample(topography: Topography, index: int) -> float:
    near = topography.samples[topography.summit == index]
    best = near[MIXTURE.log_prob(near).argmax()]
    return float(np.linalg.norm(best - topography.chain_modes[index]))


def _sampling_findings(topography: Topography, accepted: float) -> list[Finding]:
    apart = np.linalg.norm(topography.chain_modes[:, None] - topography.modes.points, axis=-1).min(axis=1)
    by_modes = topography.poses_by_modes
    return [
        Finding(
            name="best_sample",
            value=max(_distance_of_best_sample(topography, index) for index in range(len(topography.chain_modes))),
            meaning="largest distance of a mode from the likeliest sample near it, the chains alone",
            expected="small",
        ),
        Finding(name="accepted", value=accepted, meaning="share of accepted Metropolis steps", expected="0.2 to 0.5"),
        Finding(
            name="chain_modes",
            value=float(len(topography.chain_modes)),
            meaning="modes uphill from the chains' samples, by mean shift",
            expected="the same 3",
        ),
        Finding(
            name="difference",
            value=float(np.max(apart)),
            meaning="largest distance between both searches' modes",
            expected="0",
        ),
        Finding(
            name="modes_of_poses",
            value=float(by_modes @ np.arange(len(by_modes)) / by_modes.sum()),
            meaning="mean number of modes of a lifted pose of the bundled clip",
            expected=f"at most about {len(by_modes) - 1}, its hypotheses; fewer where they blend",
        ),
    ]
