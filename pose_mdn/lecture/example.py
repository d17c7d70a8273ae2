"""What an example of the lecture gives back: numbers beside what the lecture expects of them, and a picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many steps of it are done, and of how many."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A number that an example measured.

    Attributes:
        name: A short key, the same in every run.
        value: The number.
        meaning: What it is, with its unit.
        expected: What the lecture says of it.
    """

    name: str
    value: float
    meaning: str
    expected: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run of an example found.

    Attributes:
        findings: Its numbers.
        draw: Makes its picture; needs matplotlib and the house's style around it.
    """

    findings: Sequence[Finding]
    draw: Callable[[], "Figure"]

    def value(self, name: str) -> float:
        """The number of that name."""
        return {finding.name: finding.value for finding in self.findings}[name]


class Runner(Protocol):
    """The function that an example's module is about."""

    def __call__(self, *, seed: int, quick: bool, progress: Progress) -> Outcome:
        """Run the example.

        Args:
            seed: Of its data, its networks and its samples.
            quick: Few steps and samples: everything happens, nothing is good.
            progress: Told how far it is.
        """
        ...


def no_progress(_what: str, _done: int, _total: int) -> None:
    """For callers who do not want to be told."""


def image_grid(axes: "Axes", images: np.ndarray, columns: int, *, gap: int = 1) -> None:
    """Show (count, 8, 8) images in [0, 1] side by side, dark ink on white, row by row."""
    count, height, width = images.shape
    rows = -(-count // columns)
    canvas = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap))
    for index, image in enumerate(images):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        canvas[top : top + height, left : left + width] = image
    axes.imshow(canvas, cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.set_axis_off()
