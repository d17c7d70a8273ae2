"""One pose for each observed person, for files and tools that cannot hold a distribution."""

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.poses.keypoints import FloatArray
from pose_mdn.skeletons.human36m import HUMAN36M17

PoseChoice = Literal["mean", "top", "linked"]
"""Which pose stands for all: the mixture's mean, its most probable component, or in each frame the component that lies
on the most probable path over time."""

POSE_CHOICES: tuple[PoseChoice, ...] = get_args(PoseChoice)


def _left_out() -> FloatArray:
    return np.empty(0, np.float32)


_SHAPES = {"positions_m": (17, 3), "std_m": (17, 3), "frame": (), "person": (), "status": (), "weight": ()}
"""Of the fields with one entry per row, after the row."""


@dataclass(frozen=True, kw_only=True)
class SinglePoses:
    """A pose for each of N rows, in the order of the hypotheses that they were chosen from.

    Positions are absolute, in the camera frame (x right, y down, z forward), in metres. Rows without a pose hold NaN.

    Attributes:
        positions_m: (N, 17, 3) joints of Human3.6M-17.
        std_m: (N, 17, 3) standard deviations along the camera's axes, relative to the pelvis; 0 for the pelvis. For
            "mean" they are those of the whole mixture, otherwise those of the component.
        frame: (N,) frame numbers.
        person: (N,) identities; -1 for a frame in which nobody was seen.
        status: (N,) values of `Status`.
        fps: Frames per second if known.
        tracked: Whether a `person` number means the same person in every frame.
        choice: How the pose was chosen.
        model: Name and version of the lifter, "mdn_lifter/1".
        weight: (N,) probability of what the pose stands for: the mixing coefficient of the component, or 1 for the
            mean; NaN in rows without a pose, and throughout if left out.
    """

    positions_m: FloatArray
    std_m: FloatArray
    frame: NDArray[np.int64]
    person: NDArray[np.int64]
    status: NDArray[np.str_]
    fps: float | None
    tracked: bool
    choice: PoseChoice
    model: str
    weight: FloatArray = field(default_factory=_left_out)

    def __post_init__(self) -> None:
        rows = len(self.positions_m)
        if not self.weight.size:
            object.__setattr__(self, "weight", np.full(rows, np.nan, np.float32))
        for name, tail in _SHAPES.items():
            shape = getattr(self, name).shape
            if shape != (rows, *tail):
                raise InputError(f"{name}: expected shape {(rows, *tail)}, got {shape}", field=name)

    def __len__(self) -> int:
        return len(self.positions_m)

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the 17 joints."""
        return HUMAN36M17.joint_names

    @property
    def present(self) -> NDArray[np.bool_]:
        """(N,) which rows hold a pose."""
        return np.asarray(np.isfinite(self.positions_m).all(axis=(1, 2)))
