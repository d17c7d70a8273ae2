"""What a format of results is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.single import SinglePoses


@dataclass(frozen=True, kw_only=True)
class ResultFormat:
    """A file format that results are written in.

    A new one is a module in this package that names an instance `FORMAT`; the registry finds it. It has exactly one of
    the two ways to write. Both give the files written, the first of them at the very path that was asked for unless
    the format holds one person a file and there are several; each appears whole or not at all, and the same content
    gives the same bytes.

    Attributes:
        name: What users call it, "trc".
        description: What it is and who opens it, in a few words, for messages and documentation.
        suffix: Ending of its files, ".trc".
        write_hypotheses: Writes all hypotheses with their weights. Raises `InputError`.
        write_poses: Writes one pose for each row. Raises `InputError`.
    """

    name: str
    description: str
    suffix: str
    write_hypotheses: Callable[[Path, HypothesisSequence], tuple[Path, ...]] | None = None
    write_poses: Callable[[Path, SinglePoses], tuple[Path, ...]] | None = None
