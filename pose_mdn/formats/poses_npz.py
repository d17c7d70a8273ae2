"""Poses files: `.npz` with root-relative poses of the upright frame, and what is known of them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import NUMBERS, check_array
from pose_mdn.formats.faults import fault
from pose_mdn.formats.npz_archive import Array, read_npz, write_npz
from pose_mdn.skeletons import HUMAN36M17

FRAME = "upright"


def write_poses(path: Path, pose_m: NDArray[np.floating], columns: Mapping[str, Array]) -> None:
    """Write (N, 17, 3) poses, metres, with further arrays of N rows beside them, atomically."""
    joint_names, frame = np.array(HUMAN36M17.joint_names), np.array(FRAME)
    write_npz(path, {"pose": pose_m.astype(np.float32), "joint_names": joint_names, "frame": frame, **columns})


def read_poses(path: Path) -> NDArray[np.float64]:
    """(N, 17, 3) poses of a poses file, metres; NaN where joints are missing.

    Raises:
        FormatError: It is not one.
    """
    arrays = read_npz(path, required=("pose",), optional=("joint_names", "frame"))
    check_array(path, "pose", arrays["pose"], kinds=NUMBERS, shape=("N", HUMAN36M17.num_joints, 3), sizes={})
    for key, expected in (("joint_names", list(HUMAN36M17.joint_names)), ("frame", FRAME)):
        if key in arrays and arrays[key].tolist() != expected:
            raise fault(
                path,
                expected=f"{key} {expected}",
                got=str(arrays[key].tolist())[:200],
                cure="bring the poses into the upright frame of Human3.6M-17 (docs/generative_models.md)",
            )
    return np.asarray(arrays["pose"], np.float64)
