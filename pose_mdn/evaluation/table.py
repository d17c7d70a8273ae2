"""Evaluation rows as narrow tables for people, one per theme."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Group
from rich.table import Table

from pose_mdn.evaluation.figures import EvaluationRow

_ABSENT = "–"


@dataclass(frozen=True, kw_only=True)
class _Column:
    heading: str
    value: Callable[[EvaluationRow], float | str | None]
    form: str = "{:.1f}"
    factor: float = 1.0

    def cell(self, row: EvaluationRow) -> str:
        value = self.value(row)
        if isinstance(value, str):
            return value
        return _ABSENT if value is None else self.form.format(self.factor * value)


def _percent(heading: str, value: Callable[[EvaluationRow], float | None]) -> _Column:
    return _Column(heading=heading, value=value, factor=100.0)


def _win_rates(row: EvaluationRow) -> str:
    return " ".join(f"{100 * rate:3.0f}" for rate in row.distribution.win_rates)


def _poses(row: EvaluationRow) -> str:
    return str(row.num_lifted) if row.num_lifted == row.num_poses else f"{row.num_lifted}/{row.num_poses}"


_THEMES = {
    "Position error, mm": (
        _Column(heading="\nposes", value=_poses),
        _Column(heading="best\nof M", value=lambda row: row.accuracy.best_of_m),
        _Column(heading="best of\n200 samples", value=lambda row: row.accuracy.best_of_samples),
        _Column(heading="\ntop-1", value=lambda row: row.accuracy.top_1),
        _Column(heading="\nmean", value=lambda row: row.accuracy.mean),
        _Column(heading="PA\nbest", value=lambda row: row.accuracy.pa_best_of_m),
        _Column(heading="PA\ntop-1", value=lambda row: row.accuracy.pa_top_1),
        _Column(heading="N\nbest", value=lambda row: row.accuracy.n_best_of_m),
        _Column(heading="N\ntop-1", value=lambda row: row.accuracy.n_top_1),
    ),
    "Right joints, %, and right poses (CPS, of 300)": (
        _percent("PCK\nbest", lambda row: row.accuracy.pck_best),
        _percent("PCK\ntop-1", lambda row: row.accuracy.pck_top_1),
        _percent("AUC\nbest", lambda row: row.accuracy.auc_best),
        _percent("AUC\ntop-1", lambda row: row.accuracy.auc_top_1),
        _Column(heading="CPS\nbest", value=lambda row: row.accuracy.cps_best),
        _Column(heading="CPS\ntop-1", value=lambda row: row.accuracy.cps_top_1),
    ),
    "Stated distribution": (
        _Column(heading="\nNLL", value=lambda row: row.distribution.nll, form="{:.3f}"),
        _Column(heading="CRPS\nmm", value=lambda row: row.distribution.crps),
        _Column(heading="\nECE", value=lambda row: row.distribution.ece, form="{:.3f}"),
        _Column(heading="signed\nbias", value=lambda row: row.distribution.calibration_bias, form="{:+.3f}"),
        _percent("in 68 %\ninterval, %", lambda row: row.distribution.coverage_68),
        _Column(
            heading="σ–error\nrank corr.", value=lambda row: row.distribution.sigma_rank_correlation, form="{:.2f}"
        ),
        _Column(heading="mean of\nsurest half", value=lambda row: row.distribution.mean_surest_half),
    ),
    "Hypotheses": (
        _Column(heading="σ across\nsight, mm", value=lambda row: row.distribution.across),
        _Column(heading="σ along\nsight, mm", value=lambda row: row.distribution.along),
        _Column(
            heading="effective\nhypotheses", value=lambda row: row.distribution.effective_hypotheses, form="{:.2f}"
        ),
        _Column(heading="each is the best\nof so many, %", value=_win_rates),
    ),
    "Bodies and picture": (
        _percent("within joint\nlimits, %", lambda row: row.body.within_limits),
        _percent("so is the\ntruth, %", lambda row: row.body.truth_within_limits),
        _Column(heading="MPSSE\nmm", value=lambda row: row.body.mpsse),
        _Column(heading="MPSCE\nmm", value=lambda row: row.body.mpsce),
        _Column(heading="reproj.\npx", value=lambda row: row.body.reprojection_px),
        _percent("taken for\nno person, %", lambda row: row.body.flagged),
    ),
}


def evaluation_tables(rows: Sequence[EvaluationRow], *, title: str) -> Group:
    """Rich tables, to be printed one below the other: accuracy, right joints, distribution, hypotheses, bodies."""
    return Group(*(_table(f"{title}: {name}", columns, rows) for name, columns in _THEMES.items()))


def _table(title: str, columns: Sequence[_Column], rows: Sequence[EvaluationRow]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=box.SIMPLE_HEAD)
    table.add_column("\nviews", no_wrap=True)
    for column in columns:
        table.add_column(column.heading, justify="right")
    for row in rows:
        table.add_row(row.label, *(column.cell(row) for column in columns))
    return table
