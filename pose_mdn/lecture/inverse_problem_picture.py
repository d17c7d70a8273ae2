"""The picture of Bishop's toy inverse problem: data, both least-squares fits, and the mixture against x."""

from typing import TYPE_CHECKING

import numpy as np

from pose_mdn.lecture.inverse_problem import InverseProblem, effect, true_mean
from pose_mdn.visualization.chart_style import ACCENT, COLOURS, DASHES, INK, MUTED, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(problem: InverseProblem) -> "Figure":
    """Six panels: what is easy, what fails, and the four views of the mixture that the book shows."""
    figure = new_figure(
        10.5,
        7.4,
        "Bishop's toy inverse problem",
        "x = t + 0.3 sin 2πt + noise; t from x is asked, and has up to three answers",
    )
    panels = figure.subplots(2, 3).ravel()
    _draw_forward(panels[0], problem)
    _draw_inverse(panels[1], problem)
    _draw_lines(panels[2], problem, problem.mixture.mixing_coefficients, "Mixing coefficients", "α(x)")
    _draw_lines(panels[3], problem, problem.mixture.means[..., 0], "Means of the kernels", "μ(x)")
    _draw_density(panels[4], problem)
    _draw_mode(panels[5], problem)
    for panel in panels:
        panel.set(xlim=(0, 1), ylim=(-0.03, 1.03))
        panel.set_box_aspect(1)
    return figure


def _draw_forward(panel: "Axes", problem: InverseProblem) -> None:
    panel.plot(problem.t, problem.x, "o", color=MUTED, markersize=2.5, alpha=0.35, markeredgewidth=0)
    panel.plot(problem.grid, problem.forward, color=ACCENT)
    panel.set(title="Least squares, t to x: fits", xlabel="t", ylabel="x")


def _draw_inverse(panel: "Axes", problem: InverseProblem) -> None:
    _draw_data(panel, problem)
    panel.plot(problem.grid, problem.inverse, color=COLOURS[3], label="least squares")
    panel.plot(problem.grid, true_mean(problem.grid), color=INK, linestyle=DASHES, linewidth=1.0, label="true mean")
    panel.legend(loc="lower right", fontsize=9)
    panel.set(title="Least squares, x to t: fails", xlabel="x", ylabel="t")


def _draw_data(panel: "Axes", problem: InverseProblem) -> None:
    panel.plot(problem.x, problem.t, "o", color=MUTED, markersize=2.5, alpha=0.35, markeredgewidth=0)


def _draw_lines(panel: "Axes", problem: InverseProblem, values: np.ndarray, title: str, label: str) -> None:
    # Kernels have no order of their own; by their means at the middle they have the same colours in every run.
    order = np.argsort(problem.mixture.means[len(problem.grid) // 2, :, 0])
    for colour, kernel in zip(COLOURS, order, strict=False):
        panel.plot(problem.grid, values[:, kernel], color=colour)
    panel.set(title=title, xlabel="x", ylabel=label)


def _draw_density(panel: "Axes", problem: InverseProblem) -> None:
    t = np.linspace(0.0, 1.0, 301)
    density = np.exp(problem.mixture.log_prob(t[:, None, None] + 0.0 * problem.grid[:, None]))
    levels = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0)
    panel.contour(problem.grid, t, density, levels=levels, cmap="viridis", linewidths=1.0)
    panel.plot(problem.grid, problem.mixture.mean[:, 0], color=COLOURS[3], linestyle=DASHES, label="its mean")
    panel.set(title="Contours of p(t | x), and its mean", xlabel="x", ylabel="t")


def _draw_mode(panel: "Axes", problem: InverseProblem) -> None:
    _draw_data(panel, problem)
    line = np.linspace(0.0, 1.0, 301)
    panel.plot(effect(line), line, color=MUTED, linewidth=1.0)
    panel.plot(problem.grid, problem.mixture.most_probable_mean[:, 0], "o", color=COLOURS[3], markersize=2.5)
    panel.set(title="Approximate conditional mode", xlabel="x", ylabel="t")
