"""The picture of the naive estimate: how it creeps up, why, and how near samples of the prior come to a digit."""

from typing import TYPE_CHECKING

import numpy as np

from pose_mdn.lecture.example import image_grid
from pose_mdn.lecture.naive_likelihood import Estimates
from pose_mdn.visualization.chart_style import ACCENT, COLOURS, DASHES, MUTED, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(estimates: Estimates) -> "Figure":
    """Three panels."""
    figure = new_figure(
        13.5,
        5.0,
        "Why p(x) is not estimated with samples from the prior",
        "Nearly none of them explains a given digit; the encoder knows which do",
    )
    rising, terms, nearest = figure.subplots(1, 3, width_ratios=(1.15, 1.0, 0.85))
    _draw_rising(rising, estimates)
    _draw_terms(terms, estimates)
    shown = len(estimates.nearest)
    rows = [np.concatenate([estimates.digits[k : k + 1], estimates.nearest[k]]) for k in range(shown)]
    image_grid(nearest, np.concatenate(rows), 4)
    nearest.set_title("Digit; likeliest of 10, 10³, 10⁵")
    return figure


def _draw_rising(panel: "Axes", estimates: Estimates) -> None:
    """The first digit: every repetition, and the level that the encoder finds."""
    few = estimates.counts[: estimates.weighted.shape[1]]
    for repeat, (naive, weighted) in enumerate(zip(estimates.naive, estimates.weighted, strict=True)):
        first = repeat == 0
        panel.plot(estimates.counts, naive[:, 0], color=COLOURS[3], linewidth=1.0, label="prior" if first else None)
        panel.plot(few, weighted[:, 0], color=ACCENT, linewidth=1.0, label="encoder" if first else None)
    level = float(estimates.weighted[:, -1, 0].mean())
    panel.axhline(level, color=MUTED, linewidth=1.0, linestyle=DASHES)
    reach = level - float(np.median(estimates.naive[:, len(estimates.counts) // 4, 0]))
    panel.set(xscale="log", ylim=(level - 1.2 * reach, level + 0.08 * reach))
    panel.set(title="Estimate of log p(x)", xlabel="samples", ylabel="nats")
    panel.legend(loc="lower right", title="samples from", fontsize=9)


def _draw_terms(panel: "Axes", estimates: Estimates) -> None:
    bins = list(np.linspace(min(estimates.prior_terms.min(), -2000.0), 0.0, 80))
    for values, colour, label in (
        (estimates.prior_terms, COLOURS[3], "z from the prior"),
        (estimates.encoder_terms, ACCENT, "z from the encoder"),
    ):
        panel.hist(values, bins=bins, weights=np.full(len(values), 1 / len(values)), color=colour, label=label)
    panel.locator_params(axis="x", nbins=5)
    panel.set(title="log p(x | z) of one digit", xlabel="nats", ylabel="share of samples", yscale="log")
    panel.legend(loc="upper left", fontsize=9)
