"""Hypotheses as a table for the terminal."""

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.visualization.uncertainty import depth_std_m

_ABSENT = "–"


def hypotheses_table(hypotheses: HypothesisSequence, *, max_rows: int = 20) -> Table:
    """Per row: mixing coefficients in percent, depth uncertainty in cm, reprojection error in px, status.

    The reprojection error is that of the most probable hypothesis; the depth uncertainty is that of the whole mixture.
    If some rows look like no person, a column tells how much so, in percent.

    Args:
        hypotheses: N rows of M hypotheses.
        max_rows: At most so many rows are shown, evenly spread; the caption then says how many there are.
    """
    rows = _spread(len(hypotheses), max_rows)
    several_people = len(np.unique(hypotheses.person[hypotheses.person >= 0])) > 1
    table = Table(
        title=hypotheses.model,
        caption=f"{len(rows)} of {len(hypotheses)} rows" if len(rows) < len(hypotheses) else None,
        header_style="bold",
    )
    table.add_column("frame", justify="right")
    if several_people:
        table.add_column("person", justify="right")
    table.add_column("weights, %", justify="left", no_wrap=True)
    table.add_column("depth\n± cm", justify="right")
    table.add_column("reprojection\nerror px", justify="right")
    has_doubts = bool(hypotheses.out_of_distribution.any())
    if has_doubts:
        table.add_column("no person\n%", justify="right")
    table.add_column("status", no_wrap=True)
    depth_cm = 100.0 * depth_std_m(hypotheses)
    for row in rows:
        cells: list[str | Text] = [str(hypotheses.frame[row])]
        if several_people:
            cells.append(str(hypotheses.person[row]))
        best = hypotheses.most_probable[row]
        cells += [
            _weights(hypotheses.mixing_coefficients[row]),
            _number(depth_cm[row]),
            _number(hypotheses.reprojection_error_px[row, best]),
            *([_doubt(hypotheses, row)] if has_doubts else []),
            Text(str(hypotheses.status[row]).replace("_", " "), style="" if hypotheses.lifted[row] else "yellow"),
        ]
        table.add_row(*cells)
    return table


def _spread(count: int, max_rows: int) -> NDArray[np.int64]:
    """Indices of at most `max_rows` rows out of `count`, the first and the last among them."""
    if count <= max_rows:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, max_rows).round().astype(np.int64))


def _weights(weights: NDArray[np.float32]) -> Text:
    """Percentages in component order, the largest in bold."""
    text = Text()
    if not np.isfinite(weights).all():
        return text.append(_ABSENT)
    for i, weight in enumerate(weights):
        text.append(f"{100 * weight:3.0f}", style="bold" if i == weights.argmax() else "dim")
    return text


def _doubt(hypotheses: HypothesisSequence, row: int) -> Text:
    """Percent of doubt that a row is a person, marked where it is more than even."""
    score = float(hypotheses.ood_score[row])
    text = f"{100 * score:.0f}" if np.isfinite(score) else _ABSENT
    return Text(text, style="bold yellow" if hypotheses.out_of_distribution[row] else "")


def _number(value: float) -> str:
    return f"{value:.1f}" if np.isfinite(value) else _ABSENT
