"""Writing results in any format."""

import os
from pathlib import Path

from pose_mdn.formats.results.registry import result_format, result_format_of
from pose_mdn.formats.results.result_format import ResultFormat
from pose_mdn.formats.results.uncertainty import write_uncertainty
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.single import PoseChoice
from pose_mdn.results.choice import choose_poses


def write_result(
    path: str | os.PathLike[str],
    hypotheses: HypothesisSequence,
    *,
    format: str | None = None,  # noqa: A002 - it is the word that users look for
    choice: PoseChoice = "mean",
) -> tuple[Path, ...]:
    """Write hypotheses, or one pose for each row, in a format that other tools open.

    Formats that hold one pose and no standard deviations get them in a file beside, `walk.trc.uncertainty.csv`.

    Args:
        path: Where to; the ending is the format if none is named.
        hypotheses: What to write.
        format: Name of one of `result_formats()`.
        choice: Which pose stands for all, in formats that hold one.

    Returns:
        The files written, the main one first.

    Raises:
        InputError: There is no such format or choice, the place cannot be written to, or the format cannot hold this.
        MissingExtraError: The format needs a package that is not installed.
    """
    path = Path(path)
    entry = result_format(format) if format is not None else result_format_of(path)
    return _write(path, hypotheses, entry, choice)


def _write(path: Path, hypotheses: HypothesisSequence, entry: ResultFormat, choice: PoseChoice) -> tuple[Path, ...]:
    if entry.write_hypotheses is not None:
        return entry.write_hypotheses(path, hypotheses)
    poses = choose_poses(hypotheses, choice)
    if entry.write_both is not None:
        return entry.write_both(path, hypotheses, poses)
    if entry.write_poses is None:
        raise TypeError(f"the format {entry.name!r} has no way to write")
    written = entry.write_poses(path, poses)
    if entry.states_uncertainty:
        return written
    return (*written, write_uncertainty(path, poses, axes=entry.axes, unit=entry.unit))
