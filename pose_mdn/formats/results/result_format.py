"""What a format of results is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.single import SinglePoses

Unit = Literal["m", "cm", "mm"]

METRES_PER_UNIT: dict[Unit, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001}


@dataclass(frozen=True, kw_only=True)
class ResultFormat:
    """A file format that results are written in.

    A new one is a module in this package that names an instance `FORMAT`; the registry finds it. It has exactly one of
    the three ways to write. All give the files written, the first of them at the very path that was asked for unless
    the format holds one person a file and there are several; each appears whole or not at all, and the same content
    gives the same bytes.

    Attributes:
        name: What users call it, "trc".
        description: What it is and who opens it, in a few words, for messages and documentation.
        suffix: Ending of its files, ".trc".
        write_hypotheses: Writes all hypotheses with their weights. Raises `InputError`.
        write_poses: Writes one pose for each row. Raises `InputError`.
        write_both: Writes all hypotheses and, as what most tools will look at, one pose for each row. Raises
            `InputError`.
        states_uncertainty: Whether its files hold standard deviations; otherwise they are written beside them.
        axes: Along which axis of the camera its own x, y and z are, as `("x", "-y", "-z")` for y up and z backwards.
        unit: Of lengths in its files.
    """

    name: str
    description: str
    suffix: str
    write_hypotheses: Callable[[Path, HypothesisSequence], tuple[Path, ...]] | None = None
    write_poses: Callable[[Path, SinglePoses], tuple[Path, ...]] | None = None
    write_both: Callable[[Path, HypothesisSequence, SinglePoses], tuple[Path, ...]] | None = None
    states_uncertainty: bool = False
    axes: tuple[str, str, str] = ("x", "y", "z")
    unit: Unit = "m"

    @property
    def holds_one_pose(self) -> bool:
        """Whether one pose has to be chosen for it."""
        return self.write_hypotheses is None
