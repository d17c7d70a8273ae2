"""Truth beside keypoints: `NAME.truth.npz` with `pose_camera_m` (N, 17, 3) and, if known, `action` (N,)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import FormatError
from pose_mdn.skeletons import HUMAN36M17

_SUFFIX = ".truth.npz"


@dataclass(frozen=True, kw_only=True)
class Truth:
    """True joints of N views.

    Attributes:
        pose_camera_m: (N, 17, 3) joints in the camera frame, metres.
        action: (N,) what people did, if known.
    """

    pose_camera_m: NDArray[np.floating]
    action: NDArray[np.str_] | None


def read_truth(path: Path) -> Truth:
    """Read a truth file.

    Raises:
        FormatError: It is not one.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            pose = archive["pose_camera_m"]
            action = archive["action"].astype(str) if "action" in archive else None
    except KeyError:
        raise FormatError(f"{path}: expected the key pose_camera_m (N, 17, 3) in metres, found none") from None
    except (OSError, ValueError, EOFError) as error:
        raise FormatError(f"{path}: expected a truth .npz, could not read it: {error}") from None
    if pose.ndim != 3 or pose.shape[1:] != (HUMAN36M17.num_joints, 3):
        raise FormatError(f"{path}: expected pose_camera_m of shape (N, 17, 3), got {pose.shape}")
    if action is not None and action.shape != (len(pose),):
        raise FormatError(f"{path}: expected action of shape ({len(pose)},), got {action.shape}")
    return Truth(pose_camera_m=pose, action=action)


def truth_path(path: Path) -> Path:
    """Where the truth of a keypoints or hypotheses file is looked for."""
    return path.with_name(path.name.removesuffix(path.suffix) + _SUFFIX)


def files_with_truth(folder: Path) -> list[Path]:
    """Keypoints and hypotheses files of a folder that have their truth beside them, by name."""
    candidates = sorted(path for path in folder.iterdir() if path.suffix in {".npz", ".parquet"})
    return [path for path in candidates if not path.name.endswith(_SUFFIX) and truth_path(path).is_file()]
