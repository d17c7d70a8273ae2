"""What holds for a whole keypoints table: JSON in the schema's metadata."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pose_mdn.errors import UnknownSkeletonError
from pose_mdn.formats.array_checks import Array, to_text
from pose_mdn.formats.camera_keys import (
    read_distortion,
    read_fps,
    read_image_size,
    read_intrinsics,
    read_lens_model,
    read_tracked,
)
from pose_mdn.formats.faults import fault, shown
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.poses.lens_model import BROWN, LensModel
from pose_mdn.skeletons import Skeleton, get_skeleton

METADATA_KEY = b"pose_mdn"
"""Key of the schema metadata under which the facts stand."""


@dataclass(frozen=True, kw_only=True)
class TableFacts:
    """The facts of a table, each absent if the file does not say.

    Attributes:
        skeleton: The layout of the joints.
        image_size: (width, height) in pixels.
        fps: Frames per second.
        intrinsics: (3, 3), for all rows.
        distortion: OpenCV's coefficients.
        lens_model: What they mean.
        tracked: Whether a `person` number means the same person in every frame.
        camera_assumed: Whether the intrinsics are a lifter's assumption, and so no knowledge about the camera.
    """

    skeleton: Skeleton | None = None
    image_size: tuple[int, int] | None = None
    fps: float | None = None
    intrinsics: NDArray[np.float64] | None = None
    distortion: NDArray[np.float64] | None = None
    lens_model: LensModel = BROWN
    tracked: bool | None = None
    camera_assumed: bool = False


def read_facts(path: Path, schema: pa.Schema) -> TableFacts:
    """The facts in a table's schema; a table without any is in order.

    Raises:
        FormatError: They are no JSON object, or a value in them is wrong.
    """
    arrays = _arrays(path, (schema.metadata or {}).get(METADATA_KEY))
    lens_model = read_lens_model(path, arrays.get("lens_model"))
    distortion = read_distortion(path, arrays["distortion"], lens_model) if _given(arrays, "distortion") else None
    source = to_text(path, "intrinsics_source", arrays["intrinsics_source"]) if "intrinsics_source" in arrays else ""
    return TableFacts(
        skeleton=_skeleton(path, arrays["skeleton"]) if "skeleton" in arrays else None,
        image_size=read_image_size(path, arrays["image_size"]) if "image_size" in arrays else None,
        fps=read_fps(path, arrays["fps"]) if "fps" in arrays else None,
        intrinsics=read_intrinsics(path, arrays["intrinsics"], 1).reshape(3, 3) if "intrinsics" in arrays else None,
        distortion=distortion,
        lens_model=lens_model,
        tracked=read_tracked(path, arrays["tracked"], default=True) if "tracked" in arrays else None,
        camera_assumed=bool(source) and source != "given",
    )


def write_facts(sequence: KeypointSequence) -> bytes:
    """The facts of a sequence as they stand in a schema."""
    facts: dict[str, object] = {"skeleton": sequence.skeleton.name, "tracked": sequence.tracked}
    if sequence.image_size is not None:
        facts["image_size"] = [int(side) for side in sequence.image_size]
    if sequence.fps is not None:
        facts["fps"] = float(sequence.fps)
    if sequence.intrinsics is not None and sequence.intrinsics.ndim == 2:
        facts["intrinsics"] = sequence.intrinsics.tolist()
    if sequence.distortion is not None:
        facts["distortion"] = sequence.distortion.tolist()
        facts["lens_model"] = sequence.lens_model
    return json.dumps(facts).encode()


def _arrays(path: Path, text: bytes | None) -> dict[str, Array]:
    """Key -> value as an array; null is the same as no key."""
    if text is None:
        return {}
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        got = shown(text)
        raise fault(path, expected="a JSON object in the metadata 'pose_mdn'", got=got, cure="write it again")
    known = [key for key in (*TableFacts.__dataclass_fields__, "intrinsics_source") if facts.get(key) is not None]
    arrays: dict[str, Array] = {}
    for key in known:
        try:
            arrays[key] = np.array(facts[key])
        except (ValueError, OverflowError, RecursionError):
            cure = "write it as docs/formats.md says"
            raise fault(path, expected=f"numbers or text in {key!r}", got=shown(facts[key]), cure=cure) from None
    return arrays


def _given(arrays: dict[str, Array], key: str) -> bool:
    return key in arrays and arrays[key].size > 0


def _skeleton(path: Path, array: Array) -> Skeleton:
    try:
        return get_skeleton(to_text(path, "skeleton", array))
    except UnknownSkeletonError as error:
        cure = "correct it or pass skeleton="
        raise fault(path, expected="a known layout", got=f"this: {error}", cure=cure) from error
