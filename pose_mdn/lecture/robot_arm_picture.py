"""The picture of the two-link arm: both solutions and their mean, the density over angles, and who misses where."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pose_mdn.lecture.robot_arm import (
    ELBOW_RANGE,
    SHOULDER_RANGE,
    ArmAnswers,
    hand_position,
    joint_positions,
    solve,
)
from pose_mdn.visualization.chart_style import COLOURS, DASHES, INK, MUTED, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WORST = 0.12


def draw(answers: ArmAnswers) -> "Figure":
    """Four panels."""
    figure = new_figure(
        10.5,
        9.2,
        "The two-link robot arm",
        "Where the hand is follows from the angles; the angles do not follow from where it is",
    )
    panels = figure.subplots(2, 2)
    _draw_arms(panels[0, 0], answers)
    _draw_density(panels[0, 1], answers)
    misses = (
        ("Least squares: misses where two arms fit", answers.least_squares),
        ("Most probable kernel: misses little", answers.mixture.most_probable_mean),
    )
    for panel, (title, angles) in zip(panels[1], misses, strict=True):
        distance = np.linalg.norm(hand_position(angles) - answers.hand, axis=-1)
        points = panel.scatter(*answers.hand.T, c=distance, s=5, cmap="magma_r", vmin=0.0, vmax=_WORST, linewidths=0)
        panel.set(title=title, xlabel="x₁ of the hand", ylabel="x₂ of the hand", aspect="equal")
    figure.colorbar(points, ax=panels[1], label="hand's distance from its place", extend="max")
    return figure


def _arm(panel: "Axes", angles: NDArray[np.float64], colour: str, label: str, style: object = "-") -> None:
    joints = joint_positions(angles)
    panel.plot(*joints.T, "o", color=colour, linestyle=style, markersize=5, label=label)


def _draw_arms(panel: "Axes", answers: ArmAnswers) -> None:
    place = answers.hand[answers.shown]
    up, down = solve(place)
    _arm(panel, up, COLOURS[0], "elbow up")
    _arm(panel, down, COLOURS[2], "elbow down")
    _arm(panel, 0.5 * (up + down), COLOURS[3], "mean of the two", DASHES)
    panel.plot(*place, "x", color=INK, markersize=11, markeredgewidth=2, label="asked place")
    panel.set(title="Two arms reach it, their mean does not", xlabel="x₁", ylabel="x₂", aspect="equal")
    panel.legend(loc="lower right", fontsize=9)


def _draw_density(panel: "Axes", answers: ArmAnswers) -> None:
    row = answers.shown
    shoulder, elbow = np.linspace(*SHOULDER_RANGE, 201), np.linspace(*ELBOW_RANGE, 201)
    grid = np.stack(np.meshgrid(shoulder, elbow), axis=-1)
    mixture = type(answers.mixture)(
        log_mixing_coefficients=answers.mixture.log_mixing_coefficients[row],
        means=answers.mixture.means[row],
        std=answers.mixture.std[row],
    )
    log_density = mixture.log_prob(grid)
    top = log_density.max()
    panel.contour(shoulder, elbow, log_density, levels=top - np.array([8.0, 4.0, 2.0, 0.5]), cmap="viridis")
    up, down = solve(answers.hand[row])
    panel.plot(*up, "o", color=COLOURS[0], label="elbow up")
    panel.plot(*down, "o", color=COLOURS[2], label="elbow down")
    panel.plot(*mixture.mean, "D", color=COLOURS[3], label="mixture's mean")
    panel.plot(*answers.least_squares[row], "s", color=MUTED, label="least squares", fillstyle="none", markersize=9)
    panel.set(title="Density over the angles, for that place", xlabel="θ₁, rad", ylabel="θ₂, rad")
    panel.legend(loc="upper right", fontsize=9)
