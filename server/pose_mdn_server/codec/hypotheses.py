"""Hypotheses that callers send.

Axis letters: N poses, M hypotheses.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import FloatArray
from pose_mdn.poses.status import Status
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn.skeletons.mapping import to_human36m17
from pose_mdn_server.codec.camera import DecodedCamera
from pose_mdn_server.codec.keypoints import DecodedKeypoints
from pose_mdn_server.rpc import reprojection_pb2
from pose_mdn_server.violations import Violations

MAX_HYPOTHESES = 256
"""More for one pose are typing errors."""
_ORTHOGONALITY = 1e-3
"""Rotations travel in single precision."""


@dataclass(frozen=True, kw_only=True)
class HypothesisColumns:
    """Valid hypotheses; names and shapes as in `HypothesisSequence`.

    Attributes:
        is_lifted: (N,) which poses hold numbers.
    """

    means_m: FloatArray
    std_m: FloatArray
    view_rotation: FloatArray
    mixing_coefficients: FloatArray
    root_translation_m: FloatArray
    is_lifted: NDArray[np.bool_]

    def sequence(self, seen: DecodedKeypoints, camera: DecodedCamera) -> HypothesisSequence:
        """With what was seen through a camera whose intrinsics are known: frames 0, 1, 2, ... of person 0."""
        assert camera.intrinsics is not None
        rows = len(self.means_m)
        points, confidence = to_human36m17(seen.keypoints_px, seen.confidence, seen.skeleton)
        return HypothesisSequence(
            means_m=self.means_m,
            std_m=self.std_m,
            view_rotation=self.view_rotation,
            mixing_coefficients=self.mixing_coefficients,
            root_translation_m=self.root_translation_m,
            reprojection_error_px=np.full(self.means_m.shape[:2], np.nan, np.float32),
            status=np.where(self.is_lifted, Status.LIFTED.value, Status.DEGENERATE.value),
            keypoints_px=points,
            confidence=confidence,
            frame=np.arange(rows),
            person=np.zeros(rows, dtype=np.int64),
            intrinsics=np.broadcast_to(camera.intrinsics, (rows, 3, 3)),
            intrinsics_source="given",
            distortion=np.zeros(0) if camera.distortion is None else camera.distortion,
            lens_model=camera.lens_model,
            image_size=camera.image_size,
            fps=None,
            source_skeleton=seen.skeleton.name,
            model="",
        )


def decode_hypotheses(
    message: reprojection_pb2.Hypotheses, num_poses: int, *, needs_root: bool, violations: Violations
) -> HypothesisColumns:
    """Read hypotheses and note what is wrong with them.

    Args:
        message: The columns.
        num_poses: N, as the keypoints have it.
        needs_root: Whether pelvis positions may not be left out.
        violations: Where to note.

    Raises:
        RequestError: Their number is impossible, so that no column can be judged.
    """
    m, joints = message.num_hypotheses, HUMAN36M17.num_joints
    if not violations.require(
        1 <= m <= MAX_HYPOTHESES, "hypotheses.num_hypotheses", f"expected 1 to {MAX_HYPOTHESES}, got {m}"
    ):
        violations.raise_if_any()
    reader = _ColumnReader(violations)
    root = (num_poses, m, 3)
    columns = HypothesisColumns(
        means_m=reader.read(message.means_m, "means_m", (num_poses, m, joints, 3)),
        std_m=reader.read_or(0.0, message.std_m, "std_m", (num_poses, m, joints, 2)),
        view_rotation=reader.read(message.view_rotation, "view_rotation", (num_poses, 3, 3))
        if message.std_m or message.view_rotation
        else np.broadcast_to(np.eye(3, dtype=np.float32), (num_poses, 3, 3)),
        mixing_coefficients=reader.read_or(1.0 / m, message.mixing_coefficients, "mixing_coefficients", (num_poses, m)),
        root_translation_m=reader.read(message.root_translation_m, "root_translation_m", root)
        if needs_root
        else reader.read_or(0.0, message.root_translation_m, "root_translation_m", root),
        is_lifted=np.zeros(num_poses, dtype=np.bool_),
    )
    return _with_lifted(columns, needs_root, violations, reader.unread)


class _ColumnReader:
    """Reads columns of known shapes; those that do not fit come back as NaN, with a violation noted."""

    def __init__(self, violations: Violations) -> None:
        self._violations = violations
        self.unread: set[str] = set()

    def read(self, values: Sequence[float], name: str, shape: tuple[int, ...]) -> FloatArray:
        if not self._violations.require(
            len(values) == np.prod(shape),
            f"hypotheses.{name}",
            f"expected {' * '.join(map(str, shape))} values, got {len(values)}",
        ):
            self.unread.add(name)
            return np.full(shape, np.nan, np.float32)
        return np.array(values, dtype=np.float32).reshape(shape)

    def read_or(self, default: float, values: Sequence[float], name: str, shape: tuple[int, ...]) -> FloatArray:
        return self.read(values, name, shape) if len(values) else np.full(shape, default, np.float32)


def _with_lifted(
    columns: HypothesisColumns, needs_root: bool, violations: Violations, unread: set[str]
) -> HypothesisColumns:
    """Tell poses without hypotheses from broken ones, and refuse the latter."""
    finite = np.isfinite(columns.means_m).reshape(len(columns.means_m), -1)
    lifted = np.asarray(finite.all(axis=1))
    partly = finite.any(axis=1) & ~lifted
    for pose in np.flatnonzero(partly)[:1]:
        violations.add(
            "hypotheses.means_m", f"expected finite numbers, or NaN throughout a pose, got some of pose {pose}"
        )
    rotation = columns.view_rotation.astype(np.float64)
    with np.errstate(invalid="ignore"):
        off = np.abs(rotation @ np.swapaxes(rotation, 1, 2) - np.eye(3)).max(axis=(1, 2))
        wrong = {
            "std_m": ("finite numbers of at least 0", ~(columns.std_m >= 0) | np.isinf(columns.std_m)),
            "view_rotation": ("rotation matrices", ~(off < _ORTHOGONALITY)),
            "root_translation_m": ("finite numbers", ~np.isfinite(columns.root_translation_m) & needs_root),
        }
    for name in [name for name in wrong if name not in unread]:
        expected, where = wrong[name]
        for pose in np.flatnonzero(where.reshape(len(where), -1).any(axis=1) & lifted)[:1]:
            violations.add(f"hypotheses.{name}", f"expected {expected}, got others for pose {pose}")
    return HypothesisColumns(**{**vars(columns), "is_lifted": lifted})
