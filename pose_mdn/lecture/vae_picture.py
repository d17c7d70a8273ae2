"""The picture of the autoencoders: the bound, samples from the prior, and held-out digits encoded and decoded."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pose_mdn.lecture.example import image_grid
from pose_mdn.lecture.vae import TrainedVAE, stacked
from pose_mdn.visualization.chart_style import COLOURS, DASHES, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(trained: Mapping[str, TrainedVAE]) -> "Figure":
    """Four panels."""
    figure = new_figure(
        10.5,
        7.6,
        "Variational autoencoders of digits",
        "Two architectures, 16 latent coordinates, trained on 1438 digits of 8 x 8 pixels",
    )
    panels = figure.subplots(2, 2)
    lower = 0.0
    for colour, (architecture, model) in zip(COLOURS, trained.items(), strict=False):
        curve = model.curve
        panels[0, 0].plot(curve.step, curve.test, color=colour, label=f"{architecture}, held out")
        panels[0, 0].plot(curve.step, curve.train, color=colour, linestyle=DASHES, label=f"{architecture}, training")
        lower = min(lower, curve.test[len(curve.test) // 12])
    panels[0, 0].set(title="Evidence lower bound", xlabel="step", ylabel="nats per picture", ylim=(lower, None))
    panels[0, 0].legend(loc="lower right", fontsize=9)
    image_grid(panels[0, 1], stacked(trained, 10), 10)
    panels[0, 1].set_title("Held out, by mlp, by convolutional; twice")
    for panel, (architecture, model) in zip(panels[1], trained.items(), strict=True):
        image_grid(panel, model.samples, 15)
        panel.set_title(f"Samples from the prior: {architecture}")
    return figure
