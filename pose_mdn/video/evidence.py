"""What single frames say of one person, in coordinates in which covariances are diagonal.

Joints are in each row's line-of-sight frame, where the hypotheses state their standard deviations. The pelvis, the
origin of every pose, has its slot taken by the root translation in the coordinates (x/z, y/z, log z), in which a
detector's noise hardly depends on where the person is.

Letters in shapes: T rows in order of time, M hypotheses, J = 17 slots.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn.video.motion_model import JOINT_INTENSITIES

Float64Array = NDArray[np.float64]

ROOT = HUMAN36M17.index("pelvis")
JOINTS = np.arange(HUMAN36M17.num_joints) != ROOT

_ROOT_STD_M = 0.01
"""Across the line of sight, of where a lifted pelvis is; keypoints of the whole body fix it."""
_ROOT_STD_OF_DEPTH = 0.03
"""Along it, as part of the depth."""
_ROOT_INTENSITY = 0.5
"""m²/s³, of a pelvis."""
_INTENSITY = np.stack([JOINT_INTENSITIES, JOINT_INTENSITIES], axis=-1)[None]
_SMALLEST_LOG = -30.0
_SMALLEST_VARIANCE = 1e-8


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Rows of one person.

    Attributes:
        time_s: (T,) ascending.
        log_mixing: (T, M) logarithms of the mixing coefficients.
        position: (T, M, J, 3).
        variance: (T, M, J, 2) across and along.
        intensity: (T, J, 2) of the motion model, in units of the slot.
    """

    time_s: Float64Array
    log_mixing: Float64Array
    position: Float64Array
    variance: Float64Array
    intensity: Float64Array

    def __len__(self) -> int:
        return len(self.time_s)

    def mean_position(self) -> Float64Array:
        """(T, J, 3) means of the mixtures."""
        weight = np.exp(self.log_mixing)
        return np.asarray(np.einsum("tm,tmjk->tjk", weight / weight.sum(axis=1, keepdims=True), self.position))

    def take(self, rows: slice) -> Self:
        """Some rows, or all of them the other way round in time."""
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in ("log_mixing", "position", "variance", "intensity")},
            time_s=self.time_s[rows],
        )


def evidence_of(lifted: HypothesisSequence, time_s: Float64Array) -> Evidence:
    """Of rows that were all lifted, all of one person, in order of time."""
    position = lifted.means_m.astype(np.float64) @ lifted.view_rotation.astype(np.float64)[:, None]
    variance = np.square(lifted.std_m.astype(np.float64))
    root = lifted.root_translation_m.astype(np.float64)
    depth = root[..., 2]
    position[:, :, ROOT] = np.concatenate([root[..., :2] / depth[..., None], np.log(depth)[..., None]], axis=-1)
    variance[:, :, ROOT, 0] = np.square(_ROOT_STD_M / depth)
    variance[:, :, ROOT, 1] = _ROOT_STD_OF_DEPTH**2
    intensity = np.repeat(_INTENSITY, len(lifted), axis=0)
    intensity[:, ROOT] = (_ROOT_INTENSITY / np.square(depth.mean(axis=1)))[:, None]
    with np.errstate(divide="ignore"):
        log_mixing = np.log(lifted.mixing_coefficients.astype(np.float64))
    return Evidence(
        time_s=time_s,
        log_mixing=np.maximum(log_mixing, _SMALLEST_LOG),
        position=position,
        variance=np.maximum(variance, _SMALLEST_VARIANCE),
        intensity=intensity,
    )


def write_back(
    lifted: HypothesisSequence, probability: Float64Array, position: Float64Array, variance: Float64Array
) -> dict[str, NDArray[np.float32]]:
    """Fields of a `HypothesisSequence` from (T, M) probabilities, (T, M, J, 3) positions, (T, M, J, 2) variances."""
    root = position[:, :, ROOT]
    depth = np.exp(root[..., 2:])
    joints, std = position.copy(), np.sqrt(variance)
    joints[:, :, ROOT] = 0.0
    std[:, :, ROOT] = 0.0
    means = joints @ np.swapaxes(lifted.view_rotation.astype(np.float64), -1, -2)[:, None]
    return {
        "mixing_coefficients": probability.astype(np.float32),
        "means_m": means.astype(np.float32),
        "std_m": std.astype(np.float32),
        "root_translation_m": np.concatenate([root[..., :2] * depth, depth], axis=-1).astype(np.float32),
    }
