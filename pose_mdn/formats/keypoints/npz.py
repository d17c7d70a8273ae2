"""Keypoints files: `.npz` archives without pickles, the format that pose-mdn writes itself."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import UnknownSkeletonError
from pose_mdn.formats.array_checks import NUMBERS, Array, check_array, to_float32, to_int64, to_text
from pose_mdn.formats.camera_keys import (
    read_distortion,
    read_fps,
    read_image_size,
    read_intrinsics,
    read_lens_model,
    read_tracked,
)
from pose_mdn.formats.faults import fault
from pose_mdn.formats.keypoints.identities import count_within
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition, first_bytes
from pose_mdn.formats.keypoints.missing import mark_missing, refuse_normalized
from pose_mdn.formats.npz_archive import read_npz, write_npz
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import Skeleton, get_skeleton

_OPTIONAL = (
    "skeleton",
    "confidence",
    "frame",
    "person",
    "image_size",
    "fps",
    "intrinsics",
    "intrinsics_source",
    "distortion",
    "lens_model",
    "tracked",
)


def write(path: Path, sequence: KeypointSequence) -> None:
    """Write an archive, atomically."""
    arrays: dict[str, Array] = {
        "keypoints": sequence.keypoints_px.astype(np.float32),
        "confidence": sequence.confidence.astype(np.float32),
        "skeleton": np.array(sequence.skeleton.name),
        "frame": sequence.frame.astype(np.int64),
        "person": sequence.person.astype(np.int64),
        "tracked": np.array(sequence.tracked),
    }
    if sequence.image_size is not None:
        arrays["image_size"] = np.array(sequence.image_size, np.int64)
    if sequence.fps is not None:
        arrays["fps"] = np.array(sequence.fps, np.float64)
    if sequence.intrinsics is not None:
        arrays["intrinsics"] = sequence.intrinsics.astype(np.float64)
    if sequence.distortion is not None:
        arrays["distortion"] = sequence.distortion.astype(np.float64)
        arrays["lens_model"] = np.array(sequence.lens_model)
    write_npz(path, arrays)


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    arrays = read_npz(path, required=["keypoints"], optional=_OPTIONAL)
    layout = options.skeleton or _stored_skeleton(path, arrays)
    sizes = {"J": layout.num_joints}
    keypoints = arrays["keypoints"]
    check_array(path, "keypoints", keypoints, kinds=NUMBERS, shape=("N", "J", 2), sizes=sizes)
    confidence = arrays.get("confidence", np.ones(keypoints.shape[:2], np.float32))
    check_array(path, "confidence", confidence, kinds=NUMBERS, shape=("N", "J"), sizes=sizes)
    keypoints_px, confidence = mark_missing(path, to_float32(keypoints), to_float32(confidence))
    refuse_normalized(path, keypoints_px)
    frame = _whole_numbers(path, arrays, "frame", np.arange(sizes["N"], dtype=np.int64))
    # Intrinsics that a lifter assumed are not knowledge about the camera.
    assumed = (
        "intrinsics_source" in arrays and to_text(path, "intrinsics_source", arrays["intrinsics_source"]) != "given"
    )
    has_camera = "intrinsics" in arrays and not assumed
    lens_model = read_lens_model(path, arrays.get("lens_model"))
    distortion = read_distortion(path, arrays["distortion"], lens_model) if "distortion" in arrays else np.empty(0)
    return KeypointSequence(
        keypoints_px=keypoints_px,
        confidence=confidence,
        skeleton=layout,
        frame=frame,
        person=_whole_numbers(path, arrays, "person", count_within(frame)),
        image_size=options.image_size
        or (read_image_size(path, arrays["image_size"]) if "image_size" in arrays else None),
        fps=options.fps or (read_fps(path, arrays["fps"]) if "fps" in arrays else None),
        intrinsics=read_intrinsics(path, arrays["intrinsics"], sizes["N"]) if has_camera else None,
        distortion=distortion if distortion.size else None,
        lens_model=lens_model,
        tracked=read_tracked(path, arrays.get("tracked"), default="person" in arrays),
    )


def _stored_skeleton(path: Path, arrays: dict[str, Array]) -> Skeleton:
    if "skeleton" not in arrays:
        raise fault(
            path,
            expected="the key 'skeleton'",
            got="none",
            cure="add the layout's name, such as 'coco17', or pass skeleton=",
        )
    try:
        return get_skeleton(to_text(path, "skeleton", arrays["skeleton"]))
    except UnknownSkeletonError as error:
        raise fault(
            path, expected="a known layout", got=f"this: {error}", cure="correct it or pass skeleton="
        ) from error


def _whole_numbers(path: Path, arrays: dict[str, Array], key: str, default: NDArray[np.int64]) -> NDArray[np.int64]:
    if key not in arrays:
        return default
    check_array(path, key, arrays[key], kinds=NUMBERS, shape=("N",), sizes={"N": len(default)})
    return to_int64(path, key, arrays[key])


def _recognise(path: Path) -> Recognition | None:
    if not path.is_file():
        return None
    if path.suffix == ".npz":
        return Recognition(confidence=0.9, reason="the ending .npz")
    if first_bytes(path, 4).startswith(b"PK"):
        return Recognition(confidence=0.6, reason="a zip archive")
    return None


FORMAT = KeypointFormat(
    name="npz", description="a keypoints file *.npz", suffixes=(".npz",), recognise=_recognise, read=_read
)
"""The keypoints file of pose-mdn."""
