"""Results as a hypotheses file `.parquet`."""

from pathlib import Path

from pose_mdn.formats.results.result_format import ResultFormat
from pose_mdn.poses.hypotheses import HypothesisSequence


def _write(path: Path, hypotheses: HypothesisSequence) -> tuple[Path, ...]:
    from pose_mdn.formats.hypotheses import parquet  # noqa: PLC0415 - pyarrow takes longer than all the rest

    parquet.write(path, hypotheses)
    return (path,)


FORMAT = ResultFormat(
    name="parquet",
    description="a hypotheses file for pandas, Polars, DuckDB and Spark: everything that is known, a row per pose",
    suffix=".parquet",
    write_hypotheses=_write,
    states_uncertainty=True,
)
"""The hypotheses file of pose-mdn as a table."""
