"""Between a `HypothesisSequence` and the named arrays that a hypotheses file holds, whatever its suffix."""

from pathlib import Path

import numpy as np

from pose_mdn.errors import InputError
from pose_mdn.formats.array_checks import TEXT, Array, check_array, to_text
from pose_mdn.formats.camera_keys import read_distortion, read_fps, read_image_size, read_lens_model, read_tracked
from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.hypotheses.columns import COLUMNS
from pose_mdn.poses.hypotheses import SIZE_FROM_PRIOR, HypothesisSequence
from pose_mdn.skeletons import DEFAULT_MAPPING, HUMAN36M17, MAPPINGS, MappingName

SCHEMA_VERSION = 1
"""Written to every file; a later version may add keys but changes none."""

REQUIRED_FACTS = ("skeleton", "joint_names", "model", "source_skeleton", "intrinsics_source", "distortion")
"""Keys that hold one value for the whole file."""
OPTIONAL_FACTS = ("image_size", "fps", "size_source", "lens_model", "tracked", "mapping")
"""Keys that are left out when unknown, or by earlier versions."""


def to_arrays(sequence: HypothesisSequence) -> dict[str, Array]:
    """Everything a file holds, by key: the columns of `COLUMNS`, then the facts about the whole file.

    Raises:
        InputError: The arrays of the sequence do not fit each other.
    """
    arrays = _columns(sequence)
    arrays["skeleton"] = np.array(HUMAN36M17.name)
    arrays["joint_names"] = np.array(HUMAN36M17.joint_names)
    arrays["model"] = np.array(sequence.model)
    arrays["source_skeleton"] = np.array(sequence.source_skeleton)
    arrays["intrinsics_source"] = np.array(sequence.intrinsics_source)
    arrays["distortion"] = np.asarray(sequence.distortion, np.float64)
    arrays["lens_model"] = np.array(sequence.lens_model)
    arrays["tracked"] = np.array(sequence.tracked)
    arrays["size_source"] = np.array(sequence.size_source)
    arrays["mapping"] = np.array(sequence.mapping)
    if sequence.image_size is not None:
        arrays["image_size"] = np.array(sequence.image_size, np.int64)
    if sequence.fps is not None:
        arrays["fps"] = np.array(sequence.fps, np.float64)
    arrays["schema_version"] = np.array(SCHEMA_VERSION, np.int64)
    return arrays


def _columns(sequence: HypothesisSequence) -> dict[str, Array]:
    sizes = {"N": len(sequence), "M": sequence.num_hypotheses}
    arrays: dict[str, Array] = {}
    for column in COLUMNS:
        array: Array = np.asarray(getattr(sequence, column.field))
        shape = tuple(sizes[size] if isinstance(size, str) else size for size in ("N", *column.shape))
        if array.shape != shape:
            raise InputError(
                f"{column.field}: expected shape {shape}, as means_m and mixing_coefficients have, got {array.shape}",
                field=column.field,
            )
        arrays[column.key] = array.astype(column.dtype, copy=False)
    return arrays


def from_arrays(path: Path, arrays: dict[str, Array]) -> HypothesisSequence:
    """The sequence that a file's arrays describe.

    Args:
        path: The file, for messages.
        arrays: By key, with every column that is not optional and every required fact.

    Raises:
        FormatError: An array has a wrong type, shape or value.
    """
    sizes: dict[str, int] = {}
    columns = [column for column in COLUMNS if column.key in arrays]
    for column in columns:
        check_array(path, column.key, arrays[column.key], kinds=column.kinds, shape=("N", *column.shape), sizes=sizes)
    check_array(path, "joint_names", arrays["joint_names"], kinds=TEXT, shape=(HUMAN36M17.num_joints,), sizes={})
    layout = to_text(path, "skeleton", arrays["skeleton"])
    joint_names = tuple(str(name) for name in arrays["joint_names"].tolist())
    if layout != HUMAN36M17.name or joint_names != HUMAN36M17.joint_names:
        raise fault(
            path,
            expected=f"poses of skeleton {HUMAN36M17.name!r}",
            got=f"{shown(layout)} with joints {shown(joint_names)}",
            cure="write hypotheses in the Human3.6M-17 layout",
        )
    lens_model = read_lens_model(path, arrays.get("lens_model"))
    values = {column.field: arrays[column.key].astype(column.dtype, copy=False) for column in columns}
    return HypothesisSequence(
        **values,
        intrinsics_source=to_text(path, "intrinsics_source", arrays["intrinsics_source"]),
        distortion=read_distortion(path, arrays["distortion"], lens_model),
        image_size=read_image_size(path, arrays["image_size"]) if "image_size" in arrays else None,
        fps=read_fps(path, arrays["fps"]) if "fps" in arrays else None,
        source_skeleton=to_text(path, "source_skeleton", arrays["source_skeleton"]),
        model=to_text(path, "model", arrays["model"]),
        size_source=to_text(path, "size_source", arrays["size_source"]) if "size_source" in arrays else SIZE_FROM_PRIOR,
        lens_model=lens_model,
        tracked=read_tracked(path, arrays.get("tracked"), default=True),
        mapping=_read_mapping(path, arrays.get("mapping")),
    )


def _read_mapping(path: Path, stored: Array | None) -> MappingName:
    given = DEFAULT_MAPPING if stored is None else to_text(path, "mapping", stored)
    for name in MAPPINGS:
        if name == given:
            return name
    cure = "get a newer pose-mdn, or correct it"
    raise fault(path, expected=f"a mapping out of {', '.join(MAPPINGS)}", got=shown(given), cure=cure)
