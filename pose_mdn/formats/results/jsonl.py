"""Results as JSON lines: a line per row, all hypotheses, for streams and for languages without NumPy."""

from pathlib import Path

from pose_mdn.formats.results.result_format import ResultFormat
from pose_mdn.poses.hypotheses import HypothesisSequence


def _write(path: Path, hypotheses: HypothesisSequence) -> tuple[Path, ...]:
    from pose_mdn.formats.hypotheses import jsonl  # noqa: PLC0415

    jsonl.write(path, hypotheses)
    return (path,)


FORMAT = ResultFormat(
    name="jsonl",
    description="JSON lines, an object per row: everything that is known, for any language",
    suffix=".jsonl",
    write_hypotheses=_write,
    states_uncertainty=True,
)
"""The hypotheses file of pose-mdn as text."""
