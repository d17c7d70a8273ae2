"""The motion data file as a whole: every motion with its labels. `read_motion_data` reads what training needs of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.formats.array_checks import NUMBERS, TEXT, WHOLE_NUMBERS, check_array, to_float32, to_int64
from pose_mdn.formats.faults import fault
from pose_mdn.formats.npz_archive import Array, read_npz, write_npz
from pose_mdn.skeletons import HUMAN36M17

SPLITS = ("train", "validation", "test")

_TEXTS = ("subject", "trial", "action", "source", "licence", "split")
_REQUIRED = ("pose", "valid", "seq_start", "seq_len", "subject", "action", "split", "joint_names")
_OPTIONAL = ("trial", "source", "licence", "fps", "parents")
_CURE = "write it as docs/motion_data.md says"


@dataclass(frozen=True, kw_only=True)
class MotionRecord:
    """One motion.

    Attributes:
        pose_m: (T, 17, 3) joints of Human3.6M-17, metres, world frame with Y up.
        valid: (T,) which frames may be used.
        fps: Frames per second; NaN if unknown.
        subject: Who moved.
        trial: What the recording is called.
        action: What they did, free text.
        source: Where it came from.
        licence: Under which terms.
        split: "train", "validation" or "test".
    """

    pose_m: NDArray[np.float32]
    valid: NDArray[np.bool_]
    fps: float
    subject: str
    trial: str
    action: str
    source: str
    licence: str
    split: str


def write_motion_file(path: Path, records: Sequence[MotionRecord]) -> None:
    """Write motions, atomically.

    Raises:
        InputError: There are none, or the place cannot be written to.
    """
    if not records:
        raise InputError("motions: expected at least one, got none; give files that can be read", field="motions")
    lengths = np.array([len(record.pose_m) for record in records], np.int64)
    arrays: dict[str, Array] = {
        "pose": np.concatenate([record.pose_m for record in records]).astype(np.float32),
        "valid": np.concatenate([record.valid for record in records]).astype(bool),
        "seq_start": np.cumsum(lengths) - lengths,
        "seq_len": lengths,
        "fps": np.array([record.fps for record in records], np.float32),
        "joint_names": np.array(HUMAN36M17.joint_names),
        "parents": np.array(HUMAN36M17.parent_indices, np.int8),
        **{key: np.array([getattr(record, key) for record in records]) for key in _TEXTS},
    }
    write_npz(path, arrays)


def read_motion_file(path: Path) -> list[MotionRecord]:
    """Read every motion of a motion data file, invalid frames included.

    Raises:
        FormatError: It is not one.
    """
    arrays = read_npz(path, required=_REQUIRED, optional=_OPTIONAL)
    sizes: dict[str, int] = {}
    check_array(path, "pose", arrays["pose"], kinds=NUMBERS, shape=("N", HUMAN36M17.num_joints, 3), sizes=sizes)
    if arrays["valid"].dtype != np.bool_ or arrays["valid"].shape != (sizes["N"],):
        got = f"dtype {arrays['valid'].dtype}, shape {arrays['valid'].shape}"
        raise fault(path, expected=f"'valid' of truth values, shape ({sizes['N']},)", got=got, cure=_CURE)
    for key in ("seq_start", "seq_len"):
        check_array(path, key, arrays[key], kinds=WHOLE_NUMBERS, shape=("S",), sizes=sizes)
    for key in (key for key in _TEXTS if key in arrays):
        check_array(path, key, arrays[key], kinds=TEXT, shape=("S",), sizes=sizes)
    if "fps" in arrays:
        check_array(path, "fps", arrays["fps"], kinds=NUMBERS, shape=("S",), sizes=sizes)
    if tuple(arrays["joint_names"].tolist()) != HUMAN36M17.joint_names:
        raise fault(path, expected="the joints of human36m17", got=str(arrays["joint_names"].tolist()), cure=_CURE)
    starts, lengths = (to_int64(path, key, arrays[key]) for key in ("seq_start", "seq_len"))
    if len(starts) and (starts.min() < 0 or lengths.min() < 0 or (starts + lengths).max() > sizes["N"]):
        raise fault(path, expected=f"motions within {sizes['N']} poses", got="one outside", cure=_CURE)
    pose = to_float32(arrays["pose"])
    return [
        _record(arrays, pose, index, slice(int(start), int(start + length)))
        for index, (start, length) in enumerate(zip(starts, lengths, strict=True))
    ]


def _record(arrays: dict[str, Array], pose: NDArray[np.float32], index: int, rows: slice) -> MotionRecord:
    texts = {key: str(arrays[key][index]) if key in arrays else "" for key in _TEXTS}
    return MotionRecord(
        pose_m=pose[rows],
        valid=arrays["valid"][rows].astype(bool),
        fps=float(arrays["fps"][index].item()) if "fps" in arrays else float("nan"),
        **texts,
    )
