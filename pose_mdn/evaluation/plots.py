"""Evaluation rows as pictures: reliability, error against stated deviation, error per joint. Needs matplotlib."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pose_mdn.evaluation.figures import EvaluationRow
from pose_mdn.visualization.chart_style import (
    ACCENT,
    COLOURS,
    DASHES,
    INK,
    LINE,
    MUTED,
    house_style,
    new_figure,
    require_matplotlib,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_ROWS = 8
"""Sets of views that a picture shows: the largest, in the order of the table."""

_MARKERS = "osD^vP*X"
_JOINT_FIGURES = (
    ("best_of_m", "o", COLOURS[2], "best of M"),
    ("mean", "D", COLOURS[1], "mixture mean"),
    ("top_1", "s", ACCENT, "top-1"),
)
_JOINT_GROUPS: Mapping[str, Sequence[str]] = {
    "head top": ("head_top",),
    "neck or nose": ("neck_nose",),
    "shoulders": ("l_shoulder", "r_shoulder"),
    "elbows": ("l_elbow", "r_elbow"),
    "wrists": ("l_wrist", "r_wrist"),
    "thorax": ("thorax",),
    "spine": ("spine",),
    "hips": ("l_hip", "r_hip"),
    "knees": ("l_knee", "r_knee"),
    "ankles": ("l_ankle", "r_ankle"),
}
"""From head to foot; the root, which has no error, is left out."""


def write_plots(rows: Sequence[EvaluationRow], folder: Path, *, title: str) -> list[Path]:
    """Write `reliability.png`, `error_against_sigma.png` and `joint_errors.png`; rows of single actions are left out.

    Args:
        rows: At least one row.
        folder: Where to; made if missing.
        title: What was measured, above each picture.

    Returns:
        The files written.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    require_matplotlib()
    chosen = largest_sets(rows)
    folder.mkdir(parents=True, exist_ok=True)
    drawings: dict[str, Callable[[Sequence[EvaluationRow], str], Figure]] = {
        "reliability.png": _draw_reliability,
        "error_against_sigma.png": _draw_error_against_sigma,
        "joint_errors.png": _draw_joint_errors,
    }
    with house_style():
        for name, draw in drawings.items():
            draw(chosen, title).savefig(folder / name)
    return [folder / name for name in drawings]


def largest_sets(rows: Sequence[EvaluationRow]) -> list[EvaluationRow]:
    """The rows that pictures show: of all actions together, the `MAX_ROWS` with the most poses, in their order."""
    whole = [row for row in rows if row.action is None]
    kept = sorted(range(len(whole)), key=lambda index: -whole[index].num_lifted)[:MAX_ROWS]
    return [whole[index] for index in sorted(kept)]


def _draw_reliability(rows: Sequence[EvaluationRow], title: str) -> "Figure":
    figure = new_figure(10.5, 4.8, title, "Share of true coordinates that lie within the stated central intervals")
    whole, signed = figure.subplots(1, 2)
    _diagonal(whole, 100.0, "exact")
    signed.axhline(0.0, color=MUTED, linewidth=1.0, linestyle=DASHES)
    reach = 3.0
    for index, row in enumerate(rows):
        levels, coverage = (100.0 * np.array(v) for v in (row.distribution.reliability.levels, _coverage(row)))
        label = f"{_words(row.name)} (ECE {row.distribution.ece:.3f})"
        whole.plot(levels, coverage, color=COLOURS[index], label=label)
        signed.plot(levels, coverage - levels, color=COLOURS[index])
        reach = max(reach, 1.15 * float(np.abs(coverage - levels).max()))
    whole.set(title="Reliability", xlabel="stated level, %", ylabel="truth inside, %", xlim=(0, 100), ylim=(0, 100))
    signed.set(title="Difference from the level", xlabel="stated level, %", ylabel="percentage points")
    signed.set(xlim=(0, 100), ylim=(-reach, reach))
    _note_sides(signed, "too wide: cautious", "too narrow: overconfident")
    _finish_pair(whole, signed)
    return figure


def _draw_error_against_sigma(rows: Sequence[EvaluationRow], title: str) -> "Figure":
    figure = new_figure(10.5, 4.6, title, "Joints sorted by stated standard deviation, in bins of equal size")
    whole, ratio = figure.subplots(1, 2)
    largest = 1.05 * max(max(row.distribution.spread_bins.stated + row.distribution.spread_bins.actual) for row in rows)
    _diagonal(whole, largest, "as large as stated")
    ratio.axhline(1.0, color=MUTED, linewidth=1.0, linestyle=DASHES)
    reach = 1.5
    for index, row in enumerate(rows):
        stated, actual = (
            np.array(v) for v in (row.distribution.spread_bins.stated, row.distribution.spread_bins.actual)
        )
        correlation = row.distribution.sigma_rank_correlation
        label = _words(row.name) + ("" if correlation is None else f" (rank correlation {correlation:.2f})")
        style: dict[str, Any] = {"color": COLOURS[index], "marker": _MARKERS[index], "markersize": 4.5}
        whole.plot(stated, actual, label=label, **style)
        ratio.plot(stated, actual / stated, **style)
        reach = max(reach, 1.05 * float(np.max(actual / stated)))
    stated_label = "stated standard deviation (3D), mm"
    whole.set(title="Error of the mixture's mean", xlabel=stated_label, ylabel="actual error (RMS), mm")
    whole.set(xlim=(0, largest), ylim=(0, largest))
    ratio.set(title="Error in stated standard deviations", xlabel=stated_label, ylabel="actual / stated")
    ratio.set(xlim=(0, largest), ylim=(0, reach))
    _note_sides(ratio, "overconfident", "cautious")
    _finish_pair(whole, ratio)
    return figure


def _draw_joint_errors(rows: Sequence[EvaluationRow], title: str) -> "Figure":
    columns = min(4, len(rows))
    lines = -(-len(rows) // columns)
    figure = new_figure(1.6 + 2.7 * columns, 1.3 + 3.1 * lines, title, "Error of each joint, both sides together")
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for panel in grid.flat[len(rows) :]:
        panel.set_axis_off()
    heights = range(len(_JOINT_GROUPS))
    largest = 0.0
    for row, panel in zip(rows, grid.flat, strict=False):
        errors = {kind: _group_errors(row, kind) for kind in ("best_of_m", "mean", "top_1")}
        panel.hlines(heights, errors["best_of_m"], errors["top_1"], color=LINE, linewidth=5, zorder=1)
        for kind, marker, colour, label in _JOINT_FIGURES:
            panel.scatter(errors[kind], heights, marker=marker, color=colour, s=26, label=label, zorder=2)
        panel.set(title=_words(row.name), yticks=list(heights), yticklabels=list(_JOINT_GROUPS))
        panel.tick_params(axis="y", length=0, labelcolor=INK)
        panel.grid(visible=False, axis="y")
        largest = max(largest, *(value for kind in errors.values() for value in kind))
    grid[0, 0].set_xlim(0, 1.06 * largest)
    grid[0, 0].invert_yaxis()
    for panel in list(grid.flat[: len(rows)])[-columns:]:
        panel.set_xlabel("mean error, mm")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _group_errors(row: EvaluationRow, kind: str) -> list[float]:
    per_joint = row.accuracy.per_joint
    return [sum(per_joint[joint][kind] for joint in joints) / len(joints) for joints in _JOINT_GROUPS.values()]


def _coverage(row: EvaluationRow) -> tuple[float, ...]:
    return row.distribution.reliability.coverage


def _words(name: str) -> str:
    return name.replace("_", " ")


def _diagonal(axes: "Axes", largest: float, text: str) -> None:
    axes.plot([0, largest], [0, largest], color=MUTED, linewidth=1.0, linestyle=DASHES)
    axes.text(0.8 * largest, 0.72 * largest, text, color=MUTED, fontsize=9, rotation=45, ha="center", va="center")


def _note_sides(axes: "Axes", above: str, below: str) -> None:
    """Say what it means to lie above and below the dashed line."""
    for height, text in ((0.96, above), (0.04, below)):
        axes.text(0.98, height, text, transform=axes.transAxes, color=MUTED, ha="right", va="center", fontsize=9)


def _finish_pair(first: "Axes", second: "Axes") -> None:
    """Make both panels square and put the legend of the first beside them."""
    for axes in (first, second):
        axes.set_box_aspect(1)
    figure = first.get_figure()
    assert figure is not None
    figure.legend(*first.get_legend_handles_labels(), loc="outside right center", labelspacing=0.8, fontsize=9)
