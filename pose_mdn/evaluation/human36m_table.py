"""Human3.6M's two protocols as tables: per action, and beside what others published."""

from collections.abc import Sequence

from rich import box
from rich.console import Group
from rich.table import Table

from pose_mdn.evaluation.human36m import AVERAGE, Human36mRow, PublishedRow

_ABSENT = "–"
_COLUMNS = (
    ("P1 best\nof M", "best_of_m"),
    ("P1\ntop-1", "top_1"),
    ("P1\nmean", "mean"),
    ("P2 best\nof M", "pa_best_of_m"),
    ("P2\ntop-1", "pa_top_1"),
    ("P2\nmean", "pa_mean"),
)


def human36m_tables(rows: Sequence[Human36mRow], published: Sequence[PublishedRow], *, title: str) -> Group:
    """Rich tables in millimetres: a line per action with their average, then published averages beside ours."""
    return Group(_by_action(rows, title), _beside_published(rows, published, title))


def _by_action(rows: Sequence[Human36mRow], title: str) -> Table:
    table = _new_table(f"{title}: Human3.6M, subjects 9 and 11, mm (P1 MPJPE, P2 PA-MPJPE)")
    table.add_column("\naction", no_wrap=True)
    table.add_column("\nposes", justify="right")
    for heading, _ in _COLUMNS:
        table.add_column(heading, justify="right")
    for row in rows:
        figures = [f"{getattr(row, key):.1f}" if row.num_lifted else _ABSENT for _, key in _COLUMNS]
        table.add_row(row.action, str(row.num_lifted), *figures, style="bold" if row.action == AVERAGE else "")
    return table


def _beside_published(rows: Sequence[Human36mRow], published: Sequence[PublishedRow], title: str) -> Table:
    table = _new_table("Average over actions beside published results, mm")
    table.add_column("system")
    table.add_column("which pose")
    table.add_column("P1", justify="right")
    table.add_column("P2", justify="right")
    for entry in published:
        table.add_row(entry.system, entry.protocol, _length(entry.protocol_1), _length(entry.protocol_2))
    average = next(row for row in rows if row.action == AVERAGE)
    for choice, first, second in (
        ("best of M means", average.best_of_m, average.pa_best_of_m),
        ("most probable mean", average.top_1, average.pa_top_1),
        ("mean of the mixture", average.mean, average.pa_mean),
    ):
        table.add_row(title, choice, _length(first), _length(second), style="bold")
    return table


def _new_table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=box.SIMPLE_HEAD)


def _length(value: float | None) -> str:
    return _ABSENT if value is None else f"{value:.1f}"
