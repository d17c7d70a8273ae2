"""The picture of the latent plane: decoded along a grid, and where held-out digits lie in it."""

from typing import TYPE_CHECKING

from pose_mdn.lecture.digits import NUM_LABELS
from pose_mdn.lecture.example import image_grid
from pose_mdn.lecture.latent_manifold import SIDE_COUNT, LatentPlane
from pose_mdn.visualization.chart_style import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(plane: LatentPlane) -> "Figure":
    """Two panels."""
    figure = new_figure(
        11.0,
        5.9,
        "The latent plane of digits",
        "An autoencoder with two latent coordinates that was never told a label",
    )
    decoded, encoded = figure.subplots(1, 2)
    image_grid(decoded, plane.pictures, SIDE_COUNT, gap=2)
    decoded.set_title("Decoded, along quantiles of the prior")
    for label in range(NUM_LABELS):
        chosen = plane.means[plane.labels == label]
        encoded.plot(*chosen.T, linestyle="none", marker=f"${label}$", markersize=7, color=f"C{label}")
    encoded.set(title="Held-out digits, encoded", xlabel="first latent", ylabel="second latent")
    encoded.set_box_aspect(1)
    return figure
