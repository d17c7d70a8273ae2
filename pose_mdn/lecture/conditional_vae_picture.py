"""The picture of the conditional autoencoder: one row for each digit."""

from typing import TYPE_CHECKING

from pose_mdn.lecture.conditional_vae import DigitsOnDemand
from pose_mdn.lecture.example import image_grid
from pose_mdn.visualization.chart_style import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(demand: DigitsOnDemand) -> "Figure":
    """One panel."""
    figure = new_figure(
        9.0,
        5.4,
        "Digits on demand",
        "One row for each label, one column for each noise: the same hand ten times (β = 2)",
    )
    image_grid(figure.subplots(), demand.pictures, demand.columns)
    return figure
