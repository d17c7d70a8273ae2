"""One pose for each observed person, for files and tools that cannot hold a distribution."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.poses.keypoints import FloatArray
from pose_mdn.skeletons.human36m import HUMAN36M17

PoseChoice = Literal["mean", "top", "linked"]
"""Which pose stands for all: the mixture's mean, its most probable component, or in each frame the component that lies
on the most probable path over time."""


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

    def __post_init__(self) -> None:
        rows = len(self.positions_m)
        for name, tail in (("positions_m", (17, 3)), ("std_m", (17, 3)), ("frame", ()), ("person", ()), ("status", ())):
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
