"""Fused poses as `.npz`: every array under its key."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose_mdn.errors import InputError
from pose_mdn.formats.array_checks import NUMBERS, TEXT, WHOLE_NUMBERS, Array, check_array, to_text
from pose_mdn.formats.camera_keys import read_fps
from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.npz_archive import read_npz, write_npz
from pose_mdn.poses.fused import FusedPoseSequence
from pose_mdn.skeletons import HUMAN36M17

SCHEMA_VERSION = 1
"""Written to every file; a later version may add keys but changes none."""


@dataclass(frozen=True, kw_only=True)
class _Column:
    field: str
    shape: tuple[int | str, ...]
    dtype: type[np.generic] = np.float32


_J = HUMAN36M17.num_joints
_COLUMNS = {
    "frame": _Column(field="frame", shape=(), dtype=np.int64),
    "person": _Column(field="person", shape=(), dtype=np.int64),
    "status": _Column(field="status", shape=(), dtype=np.str_),
    "means": _Column(field="means_m", shape=("K", _J, 3)),
    "covariance": _Column(field="covariance_m2", shape=("K", _J, 3, 3)),
    "root_translation": _Column(field="root_translation_m", shape=("K", 3)),
    "root_covariance": _Column(field="root_covariance_m2", shape=("K", 3, 3)),
    "mixing_coefficients": _Column(field="mixing_coefficients", shape=("K",)),
    "view_status": _Column(field="view_status", shape=("V",), dtype=np.str_),
    "agreement": _Column(field="agreement", shape=("V",)),
    "joint_weight": _Column(field="joint_weight", shape=("V", _J)),
}
"""Arrays with a row per person and frame."""
_KINDS: dict[type[np.generic], str] = {np.float32: NUMBERS, np.int64: WHOLE_NUMBERS, np.str_: TEXT}
_FACTS = ("views", "method", "model", "skeleton", "joint_names")


def write_fused(path: str | os.PathLike[str], fused: FusedPoseSequence) -> None:
    """Write a file of fused poses; it appears whole or not at all.

    Raises:
        InputError: Another suffix than `.npz`, or a place that cannot be written to.
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise InputError(f"{path}: expected a name that ends in .npz, got {path.suffix!r}; rename it", field="path")
    arrays: dict[str, Array] = {
        key: np.asarray(getattr(fused, column.field)).astype(column.dtype, copy=False)
        for key, column in _COLUMNS.items()
    }
    arrays |= {
        "views": np.array(fused.views, np.str_),
        "method": np.array(fused.method),
        "model": np.array(fused.model),
        "skeleton": np.array(HUMAN36M17.name),
        "joint_names": np.array(HUMAN36M17.joint_names),
        "schema_version": np.array(SCHEMA_VERSION, np.int64),
    }
    if fused.fps is not None:
        arrays["fps"] = np.array(fused.fps, np.float64)
    write_npz(path, arrays)


def read_fused(path: str | os.PathLike[str]) -> FusedPoseSequence:
    """Read a file of fused poses.

    Raises:
        FormatError: It is not one; one line says what was expected and what came.
    """
    path = Path(path)
    arrays = read_npz(path, required=[*_COLUMNS, *_FACTS], optional=["fps"])
    sizes: dict[str, int] = {}
    check_array(path, "views", arrays["views"], kinds=TEXT, shape=("V",), sizes=sizes)
    for key, column in _COLUMNS.items():
        check_array(path, key, arrays[key], kinds=_KINDS[column.dtype], shape=("N", *column.shape), sizes=sizes)
    layout = to_text(path, "skeleton", arrays["skeleton"])
    if layout != HUMAN36M17.name or tuple(arrays["joint_names"].tolist()) != HUMAN36M17.joint_names:
        raise fault(
            path,
            expected=f"poses of skeleton {HUMAN36M17.name!r}",
            got=shown(layout),
            cure="write poses in the Human3.6M-17 layout",
        )
    columns = {column.field: arrays[key].astype(column.dtype, copy=False) for key, column in _COLUMNS.items()}
    return FusedPoseSequence(
        **columns,
        views=tuple(str(name) for name in arrays["views"].tolist()),
        method=to_text(path, "method", arrays["method"]),
        model=to_text(path, "model", arrays["model"]),
        fps=read_fps(path, arrays["fps"]) if "fps" in arrays else None,
    )
