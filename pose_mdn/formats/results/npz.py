"""Results as a hypotheses file `.npz`."""

from pathlib import Path

from pose_mdn.formats.hypotheses import npz
from pose_mdn.formats.results.result_format import ResultFormat
from pose_mdn.poses.hypotheses import HypothesisSequence


def _write(path: Path, hypotheses: HypothesisSequence) -> tuple[Path, ...]:
    npz.write(path, hypotheses)
    return (path,)


FORMAT = ResultFormat(
    name="npz",
    description="a hypotheses file, NumPy arrays: everything that is known",
    suffix=".npz",
    write_hypotheses=_write,
    states_uncertainty=True,
)
"""The hypotheses file of pose-mdn."""
