"""How pictures of the house look: colours, type, and a figure with its title. Needs matplotlib."""

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pose_mdn.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, LINE, ACCENT = "#171b21", "#5d6773", "#dfe4ea", "#1f5fa8"
COLOURS = ("#0072b2", "#e39a00", "#009e73", "#d55e00", "#c46a9c", "#4aaee6", "#6b7280", "#b5a70a")
"""Told apart by colour-blind people too, and the colours of hypotheses in the report."""
DASHES = (0, (4, 3))

_STYLE: Mapping[str, object] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "figure.dpi": 150,
    "savefig.dpi": 150,
}


def require_matplotlib() -> None:
    """See that pictures can be drawn, before anything is measured for them.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtraError(
            "plots need matplotlib, which is not installed; install it with: pip install 'pose-mdn[plots]'"
        )


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and save figures inside this, and they are in the house's style."""
    import matplotlib as mpl  # noqa: PLC0415  (an extra, and slow to import)

    with mpl.rc_context(dict(_STYLE)):  # type: ignore[arg-type]
        yield


def new_figure(width: float, height: float, title: str, subtitle: str) -> "Figure":
    """A figure with its title in the first 0.7 inches and a margin all around."""
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415

    side, top = 0.15 / width, 0.72 / height
    layout = ConstrainedLayoutEngine(rect=(side, 0.01, 1 - 2 * side, 0.99 - top), w_pad=0.1, h_pad=0.06)
    figure = Figure(figsize=(width, height), layout=layout)
    figure.text(side, 1 - 0.28 / height, title, fontsize=13, fontweight="bold", va="center")
    figure.text(side, 1 - 0.53 / height, subtitle, fontsize=10, color=MUTED, va="center")
    return figure
