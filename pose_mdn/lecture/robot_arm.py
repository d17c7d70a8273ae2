r"""A robot arm of two links: where its hand is, is a function of its angles; its angles are none of where its hand is.

.. math::
    x_1 = L_1 \cos\theta_1 - L_2 \cos(\theta_1 + \theta_2), \qquad
    x_2 = L_1 \sin\theta_1 - L_2 \sin(\theta_1 + \theta_2)

Most places can be reached elbow up and elbow down. The mean of the two is an arm that reaches elsewhere, and it is what
least squares learns; the kernels of a mixture density network learn the two. Bishop, "Mixture Density Networks", 1994,
section 5: L1 = 0.8, L2 = 0.2, theta_1 in (0.3, 1.2), theta_2 in (pi/2, 3 pi/2).
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pose_mdn.distributions import GaussianMixture
from pose_mdn.lecture.example import Finding, Outcome, Progress
from pose_mdn.lecture.mixture_network import MixtureNetwork, TanhNetwork, fit_mixture, minimize

Floats = NDArray[np.float64]

LENGTHS = (0.8, 0.2)
SHOULDER_RANGE = (0.3, 1.2)
ELBOW_RANGE = (0.5 * np.pi, 1.5 * np.pi)
_NUM_HIDDEN = 30
_NUM_KERNELS = 2
_NUM_STARTS = 3


@dataclass(frozen=True, kw_only=True)
class ArmAnswers:
    """Places of the hand, and the angles that networks answer with.

    Attributes:
        hand: (N, 2) places that were asked for, the arm's units of length.
        least_squares: (N, 2) angles of least squares, radians.
        mixture: N mixtures over angles, in NumPy.
        shown: Index of the place that the picture shows.
    """

    hand: Floats
    least_squares: Floats
    mixture: GaussianMixture
    shown: int


def hand_position(angles: Floats) -> Floats:
    """Forward kinematics: (..., 2) angles in radians to (..., 2) places of the hand."""
    return joint_positions(angles)[..., -1, :]


def joint_positions(angles: Floats) -> Floats:
    """(..., 3, 2) shoulder, elbow and hand of an arm with (..., 2) angles."""
    shoulder, both = angles[..., 0], angles[..., 0] + angles[..., 1]
    elbow = LENGTHS[0] * np.stack([np.cos(shoulder), np.sin(shoulder)], axis=-1)
    hand = elbow - LENGTHS[1] * np.stack([np.cos(both), np.sin(both)], axis=-1)
    return np.stack([np.zeros_like(elbow), elbow, hand], axis=-2)


def solve(hand: Floats) -> Floats:
    r"""Inverse kinematics by the law of cosines.

    Args:
        hand: (..., 2) places.

    Returns:
        (..., 2, 2) both solutions, theta_2 below pi first; NaN where the hand cannot be. The second angle's are
        :math:`\pi \mp \beta` about the stretched arm, so their mean is the stretched arm, which reaches too far.
    """
    first, second = LENGTHS
    distance = np.linalg.norm(hand, axis=-1)
    with np.errstate(invalid="ignore"):
        inner = np.arccos((first**2 + second**2 - distance**2) / (2.0 * first * second))
        at_shoulder = np.arccos((first**2 + distance**2 - second**2) / (2.0 * first * distance))
    toward = np.arctan2(hand[..., 1], hand[..., 0])
    return np.stack(
        [
            np.stack([toward + at_shoulder, inner], axis=-1),
            np.stack([toward - at_shoulder, 2.0 * np.pi - inner], axis=-1),
        ],
        axis=-2,
    )


def within_range(angles: Floats) -> NDArray[np.bool_]:
    """(...) whether (..., 2) angles are among those that the arm was shown with."""
    inside = [
        (angles[..., k] > low) & (angles[..., k] < high) for k, (low, high) in enumerate((SHOULDER_RANGE, ELBOW_RANGE))
    ]
    return inside[0] & inside[1]


def draw_angles(count: int, rng: np.random.Generator) -> Floats:
    """(count, 2) angles, uniform over their ranges."""
    return np.stack([rng.uniform(*SHOULDER_RANGE, count), rng.uniform(*ELBOW_RANGE, count)], axis=-1)


def run(*, seed: int, quick: bool, progress: Progress) -> Outcome:
    """Both networks asked where to turn the joints, and where the hand then is."""
    from pose_mdn.lecture.robot_arm_picture import draw  # noqa: PLC0415  (it needs this module's names)

    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    angles = draw_angles(200 if quick else 1000, rng)
    steps = 40 if quick else 3000
    regression, network = _fit(hand_position(angles), angles, steps, generator, progress)
    asked = hand_position(draw_angles(300 if quick else 3000, rng))
    with torch.no_grad():
        raw = network(torch.from_numpy(asked)).mixture()
        regressed = regression(torch.from_numpy(asked)).numpy()
    mixture = GaussianMixture(
        log_mixing_coefficients=raw.log_mixing_coefficients.numpy(), means=raw.means.numpy(), std=raw.std.numpy()
    )
    two_ways = np.asarray(within_range(solve(asked)).all(axis=-1))
    shown = int(np.flatnonzero(two_ways)[np.argmin(np.linalg.norm(asked[two_ways] - asked[two_ways].mean(0), axis=-1))])
    answers = ArmAnswers(hand=asked, least_squares=regressed, mixture=mixture, shown=shown)
    return Outcome(findings=_findings(answers, two_ways), draw=lambda: draw(answers))


def _fit(
    hand: Floats, angles: Floats, steps: int, generator: torch.Generator, progress: Progress
) -> tuple[TanhNetwork, MixtureNetwork]:
    inputs, target = torch.from_numpy(hand), torch.from_numpy(angles)
    regression = TanhNetwork(2, _NUM_HIDDEN, 2, generator)
    networks = [
        MixtureNetwork(
            num_inputs=2, num_hidden=_NUM_HIDDEN, num_kernels=_NUM_KERNELS, num_targets=2, generator=generator
        )
        for _ in range(_NUM_STARTS)
    ]
    for network in networks:
        network.spread_over(target)

    def squares() -> Tensor:
        return (regression(inputs) - target).square().sum(dim=-1).mean()

    minimize(squares, regression.parameters(), steps=steps, learning_rate=0.02, progress=progress, what="least squares")
    return regression, fit_mixture(networks, inputs, target, steps=steps, progress=progress)


def _findings(answers: ArmAnswers, two_ways: NDArray[np.bool_]) -> list[Finding]:
    asked = answers.hand[two_ways]
    both = solve(asked)
    kernels = answers.mixture.means[two_ways]
    return [
        _miss("solutions", hand_position(both) - asked[:, None], "of both closed solutions", "0: both reach it"),
        _miss("mean_of_solutions", hand_position(both.mean(axis=1)) - asked, "of their mean", "it is no solution"),
        _miss(
            "least_squares",
            hand_position(answers.least_squares[two_ways]) - asked,
            "of least squares",
            "as bad as the mean",
        ),
        _miss("mixture_mean", hand_position(answers.mixture.mean[two_ways]) - asked, "of the mixture's mean", "as bad"),
        _miss(
            "most_probable",
            hand_position(answers.mixture.most_probable_mean[two_ways]) - asked,
            "of the most probable kernel",
            "small",
        ),
        _miss("both_kernels", hand_position(kernels) - asked[:, None], "of both kernels", "small: both are solutions"),
        Finding(
            name="kernels_to_solutions",
            value=float(np.median(_distance_to_solutions(kernels, both))),
            meaning="median distance of the two kernels from the two closed solutions, radians",
            expected="small: one kernel each",
        ),
        Finding(
            name="share_two_ways",
            value=float(two_ways.mean()),
            meaning="share of places that the arm reaches in two ways; the figures above are over these",
            expected="most",
        ),
    ]


def _miss(name: str, offset: Floats, whose: str, expected: str) -> Finding:
    return Finding(
        name=f"{name}_miss",
        value=float(np.sqrt(np.mean(np.sum(offset**2, axis=-1)))),
        meaning=f"RMS distance by which the hand {whose} misses its place",
        expected=expected,
    )


def _distance_to_solutions(kernels: Floats, both: Floats) -> Floats:
    """(N,) mean distance of two kernels from two solutions, in the better of the two assignments."""
    straight = np.linalg.norm(kernels - both, axis=-1).mean(axis=-1)
    crossed = np.linalg.norm(kernels - both[:, ::-1], axis=-1).mean(axis=-1)
    return np.minimum(straight, crossed)
