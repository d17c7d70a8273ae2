"""What the page needs of a hypotheses sequence, as named little-endian arrays and a small JSON description."""

import base64
import json
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.hypotheses import OUT_OF_DISTRIBUTION, HypothesisSequence
from pose_mdn.poses.status import Status
from pose_mdn.skeletons.human36m import HUMAN36M17
from pose_mdn.visualization.ground import find_ground
from pose_mdn.visualization.status_text import status_text
from pose_mdn.visualization.uncertainty import depth_std_m

JSONValue: TypeAlias = "str | int | float | bool | list[JSONValue] | dict[str, JSONValue] | None"

_FLOAT_FIELDS = (
    "means_m", "std_m", "view_rotation", "mixing_coefficients", "root_translation_m", "reprojection_error_px",
    "ood_score", "keypoints_px", "confidence", "intrinsics",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Payload:
    """Everything that is embedded in a page.

    Attributes:
        description: Names, units and assumptions; becomes JSON.
        arrays: Named arrays, float32 or int32.
        frames_total: How many different frames the sequence has.
        frames_shown: How many of them the page holds.
    """

    description: dict[str, JSONValue]
    arrays: dict[str, NDArray[np.float32] | NDArray[np.int32]]
    frames_total: int
    frames_shown: int


def build_payload(hypotheses: HypothesisSequence, *, title: str, max_megabytes: float) -> Payload:
    """Collect what the page shows, leaving out frames at a regular step if it would grow too large.

    Args:
        hypotheses: N rows in any order; sorted by frame and person here.
        title: Heading of the page.
        max_megabytes: Bound on the embedded data, base64 included.
    """
    frames_total = len(np.unique(hypotheses.frame))
    joints, m = HUMAN36M17.num_joints, hypotheses.num_hypotheses
    step = frame_step(len(hypotheses), m * (5 * joints + 5) + 3 * joints + 9 + 9 + 6, max_megabytes)
    kept = np.unique(hypotheses.frame)[::step]
    order = np.lexsort((hypotheses.person, hypotheses.frame))
    shown = hypotheses.take(order[np.isin(hypotheses.frame[order], kept)])
    ground = find_ground(shown)
    statuses = sorted(set(shown.status.tolist()))
    arrays: dict[str, NDArray[np.float32] | NDArray[np.int32]] = {
        **{name: getattr(shown, name).astype("<f4") for name in _FLOAT_FIELDS},
        "depth_std_m": depth_std_m(shown).astype("<f4"),
        "floor_m": ground.floor_m.astype("<f4"),
        "frame": shown.frame.astype("<i4"),
        "person": shown.person.astype("<i4"),
        "status": np.array([statuses.index(value) for value in shown.status.tolist()], dtype="<i4"),
    }
    description = describe_sequence(shown, title) | {
        "statuses": [status_entry(value) for value in statuses],
        "frame_step": step,
        "frames_total": frames_total,
        "scene_rotation": ground.scene_rotation.tolist(),
        "up_is_estimated": ground.is_estimated,
    }
    return Payload(description=description, arrays=arrays, frames_total=frames_total, frames_shown=len(kept))


def encode_array(array: NDArray[np.float32] | NDArray[np.int32]) -> str:
    """Base64 of an array's little-endian bytes in C order."""
    return base64.b64encode(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()).decode("ascii")


def encode_description(description: dict[str, JSONValue]) -> str:
    """JSON that can stand inside a script element whatever the texts in it contain."""
    return json.dumps(description, allow_nan=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")


def describe_sequence(hypotheses: HypothesisSequence, title: str) -> dict[str, JSONValue]:
    """What every page says of a sequence."""
    return {
        "title": title,
        "model": hypotheses.model,
        "num_hypotheses": hypotheses.num_hypotheses,
        "out_of_distribution": OUT_OF_DISTRIBUTION,
        "source_skeleton": hypotheses.source_skeleton,
        "intrinsics_source": hypotheses.intrinsics_source,
        "size_source": hypotheses.size_source,
        "distortion": [float(value) for value in hypotheses.distortion.reshape(-1)],
        "lens_model": hypotheses.lens_model,
        "image_size": None if hypotheses.image_size is None else [int(side) for side in hypotheses.image_size],
        "fps": None if not hypotheses.fps else float(hypotheses.fps),
        "joint_names": list(HUMAN36M17.joint_names),
        "bones": [list(bone) for bone in HUMAN36M17.bones],
        "left": list(HUMAN36M17.left),
        "right": list(HUMAN36M17.right),
    }


def status_entry(value: str) -> JSONValue:
    """What pages say of a status."""
    is_lifted = value.startswith("lifted")
    return {"value": value, "text": status_text(value), "lifted": is_lifted, "complete": value == Status.LIFTED}


def frame_step(rows: int, values_per_row: int, max_megabytes: float) -> int:
    """Smallest k such that every k-th frame fits into the bound."""
    megabytes = rows * values_per_row * 4 * (4 / 3) / 1e6
    return max(1, int(np.ceil(megabytes / max_megabytes)))
