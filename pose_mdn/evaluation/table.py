"""Evaluation rows as a table for people."""

from collections.abc import Sequence

from rich.table import Table

from pose_mdn.evaluation.protocol import EvaluationRow

_COLUMNS = (
    ("best-of-M", "best_of_m", "{:.1f}"),
    ("top-1", "top_1", "{:.1f}"),
    ("mean", "mean", "{:.1f}"),
    ("PA best", "pa_best_of_m", "{:.1f}"),
    ("PA top-1", "pa_top_1", "{:.1f}"),
    ("N top-1", "n_top_1", "{:.1f}"),
    ("NLL", "nll", "{:.3f}"),
    ("ECE", "ece", "{:.3f}"),
    ("68 %", "coverage_68", "{:.3f}"),
    ("MPSSE", "mpsse", "{:.1f}"),
    ("eff. M", "effective_hypotheses", "{:.2f}"),
    ("reproj. px", "reprojection_px", "{:.1f}"),
)


def evaluation_table(rows: Sequence[EvaluationRow], *, title: str) -> Table:
    """A rich table, lengths in millimetres."""
    table = Table(
        title=title, caption="millimetres; NLL in nats per coordinate; 68 %: coverage of the stated 68 % interval"
    )
    table.add_column("views")
    table.add_column("poses", justify="right")
    for heading, _, _ in _COLUMNS:
        table.add_column(heading, justify="right")
    for row in rows:
        poses = str(row.num_lifted) if row.num_lifted == row.num_poses else f"{row.num_lifted}/{row.num_poses}"
        table.add_row(row.name, poses, *(form.format(getattr(row, key)) for _, key, form in _COLUMNS))
    return table
