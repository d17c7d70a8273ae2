"""Motion data: Human3.6M-17 joint positions in a world frame with Y up."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import FormatError
from pose_mdn.skeletons import HUMAN36M17

_REQUIRED = ("pose", "valid", "seq_start", "seq_len", "subject", "action", "split", "joint_names")


@dataclass(frozen=True, kw_only=True)
class MotionData:
    """Poses of one split, one row per frame.

    Attributes:
        pose_m: (N, 17, 3) metres, world frame, Y up, right-handed.
        subject: (N,) who moved.
        action: (N,) what they did, free text.
        motion: (N,) index of the recording within the file.
    """

    pose_m: NDArray[np.float32]
    subject: NDArray[np.str_]
    action: NDArray[np.str_]
    motion: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pose_m)


def read_motion_data(path: Path, split: str) -> MotionData:
    """Read one split of a motion data file.

    Args:
        path: `.npz` with `pose` (N, 17, 3) metres Y up, `valid` (N,), `joint_names`, and per motion `seq_start`,
            `seq_len`,
            `subject`, `action`, `split`.
        split: "train", "validation" or "test".

    Raises:
        FormatError: The file is not of that kind, or has no poses of that split.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [key for key in _REQUIRED if key not in archive]
            arrays = {key: archive[key] for key in _REQUIRED if key not in missing}
    except (OSError, ValueError, EOFError) as error:
        raise FormatError(f"{path}: expected a motion data .npz, could not read it: {error}") from None
    if missing:
        raise FormatError(f"{path}: expected the keys {', '.join(_REQUIRED)}, missing: {', '.join(missing)}")
    if tuple(arrays["joint_names"]) != HUMAN36M17.joint_names:
        raise FormatError(f"{path}: expected the joints of human36m17, got {', '.join(arrays['joint_names'])}")
    motion = np.repeat(np.arange(len(arrays["seq_len"])), arrays["seq_len"])
    rows = np.concatenate(
        [np.arange(start, start + n) for start, n in zip(arrays["seq_start"], arrays["seq_len"], strict=True)]
    )
    keep = arrays["valid"][rows] & (arrays["split"][motion] == split)
    if not keep.any():
        raise FormatError(
            f"{path}: expected poses of split {split!r}, got none; splits: {sorted(set(arrays['split']))}"
        )
    rows, motion = rows[keep], motion[keep]
    return MotionData(
        pose_m=np.ascontiguousarray(arrays["pose"][rows]),
        subject=arrays["subject"][motion],
        action=arrays["action"][motion],
        motion=motion,
    )
