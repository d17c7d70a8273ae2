"""The picture of the mixture with three modes: its hills, the ridgeline, the chains, and modes of poses."""

from typing import TYPE_CHECKING

import numpy as np

from pose_mdn.lecture.three_modes import MIXTURE, Topography
from pose_mdn.visualization.chart_style import ACCENT, COLOURS, DASHES, INK, MUTED, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_REACH = (-2.2, 3.2)


def draw(topography: Topography) -> "Figure":
    """Four panels."""
    figure = new_figure(
        10.5, 9.4, "Two Gaussians, three modes", "Ray and Lindsay, 2005: the highest mode is none of the means"
    )
    panels = figure.subplots(2, 2)
    _draw_hills(panels[0, 0], topography)
    _draw_ridge(panels[0, 1], topography)
    _draw_chains(panels[1, 0], topography)
    _draw_poses(panels[1, 1], topography)
    for panel in panels.ravel():
        panel.set_box_aspect(1)
    return figure


def _contours(panel: "Axes") -> None:
    axis = np.linspace(*_REACH, 301)
    density = np.exp(MIXTURE.log_prob(np.stack(np.meshgrid(axis, axis), axis=-1)))
    panel.contour(
        axis, axis, density, levels=np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.34, 0.36, 0.4]), colors=MUTED, linewidths=0.8
    )
    panel.set(xlabel="first coordinate", ylabel="second coordinate", xlim=_REACH, ylim=_REACH)


def _draw_hills(panel: "Axes", topography: Topography) -> None:
    _contours(panel)
    panel.plot(*topography.curve.T, color=ACCENT, label="ridgeline")
    panel.plot(*MIXTURE.means.T, "x", color=INK, markersize=9, markeredgewidth=2, label="means")
    panel.plot(*topography.modes.points.T, "o", color=COLOURS[3], markersize=6, label="modes")
    panel.set(title="Density, ridgeline, modes")
    panel.legend(loc="upper left", fontsize=9)


def _draw_ridge(panel: "Axes", topography: Topography) -> None:
    """The density along the curve, against the log-odds of the weight, in which all of it can be seen."""
    inside = slice(1, -1)
    weight = topography.weight[inside]
    log_odds = np.log(weight / (1.0 - weight))
    panel.plot(log_odds, np.exp(MIXTURE.log_prob(topography.curve[inside])), color=ACCENT)
    for point in topography.modes.points:
        share = MIXTURE.responsibilities(point)[1]
        panel.plot(np.log(share / (1.0 - share)), np.exp(MIXTURE.log_prob(point)), "o", color=COLOURS[3])
    panel.axvline(0.0, color=MUTED, linewidth=1.0, linestyle=DASHES)
    panel.set(title="Density along the ridgeline", xlabel="log-odds of the second Gaussian's weight", ylabel="density")


def _draw_chains(panel: "Axes", topography: Topography) -> None:
    shares = np.bincount(topography.summit) / len(topography.summit)
    for index, mode in enumerate(topography.chain_modes):
        chosen = topography.samples[topography.summit == index]
        panel.plot(*chosen.T, "o", markersize=2, markeredgewidth=0, alpha=0.35, color=COLOURS[index])
        panel.plot(
            *mode, "o", color=COLOURS[index], markersize=9, markeredgecolor="white", label=f"{shares[index]:.0%}"
        )
    panel.set(
        title="Metropolis samples, by where mean shift leads", xlabel="first coordinate", ylabel="second coordinate"
    )
    panel.set(xlim=_REACH, ylim=_REACH)
    panel.legend(loc="upper left", fontsize=9, title="share of samples")


def _draw_poses(panel: "Axes", topography: Topography) -> None:
    counts = topography.poses_by_modes[1:]
    panel.bar(np.arange(1, len(counts) + 1), counts, color=ACCENT, width=0.7)
    panel.grid(visible=False, axis="x")
    panel.set(title="Modes of lifted poses of a real clip", xlabel="modes of a pose with 5 hypotheses", ylabel="poses")
