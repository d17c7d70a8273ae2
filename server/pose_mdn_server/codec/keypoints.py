"""The keypoints of a request, which all requests that bring some name alike.

Axis letters: N poses, J joints of the skeleton sent.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.keypoints import FloatArray
from pose_mdn.skeletons import HUMAN36M17, get_skeleton
from pose_mdn.skeletons.skeleton import Skeleton
from pose_mdn_server.rpc import pose_fusion_pb2, pose_lifting_pb2, reprojection_pb2
from pose_mdn_server.violations import Violations

_Request = pose_lifting_pb2.LiftRequest | reprojection_pb2.CheckReprojectionRequest | pose_fusion_pb2.FusionView


@dataclass(frozen=True, kw_only=True)
class DecodedKeypoints:
    """Valid keypoints.

    Attributes:
        skeleton: Their layout.
        keypoints_px: (N, J, 2) pixels.
        confidence: (N, J).
    """

    skeleton: Skeleton
    keypoints_px: FloatArray
    confidence: FloatArray


def decode_keypoints(request: _Request, *, max_poses: int, violations: Violations) -> DecodedKeypoints:
    """Read skeleton, keypoints and confidences.

    Raises:
        RequestError: The skeleton or the number of poses is unknown; no other field can be judged without them.
    """
    skeleton = _decode_skeleton(request.skeleton, violations)
    keypoints = _decode_positions(request, skeleton, max_poses, violations)
    return DecodedKeypoints(
        skeleton=skeleton,
        keypoints_px=keypoints,
        confidence=_decode_confidence(request, keypoints, skeleton, violations),
    )


def encode_confidence(confidence: NDArray[np.floating]) -> list[float]:
    """What confidences mean to `Lifter.lift`: NaN is missing, and above 1 counts as 1."""
    values: list[float] = np.fmin(np.fmax(confidence, 0.0), 1.0).ravel().tolist()
    return values


def _decode_skeleton(name: str, violations: Violations) -> Skeleton:
    """The layout. Raises at once if it is unknown."""
    skeleton = violations.checked("skeleton", get_skeleton, name or HUMAN36M17.name)
    violations.raise_if_any()
    assert skeleton is not None
    return skeleton


def _decode_positions(request: _Request, skeleton: Skeleton, max_poses: int, violations: Violations) -> FloatArray:
    """(N, J, 2) pixels. Raises at once if N is unknown."""
    joints, length = skeleton.num_joints, len(request.keypoints_px)
    violations.require(
        length > 0 and length % (joints * 2) == 0,
        "keypoints_px",
        f"expected N * {joints} * 2 values, N >= 1, for skeleton {skeleton.name!r}, got {length}",
    )
    violations.require(
        length <= max_poses * joints * 2,
        "keypoints_px",
        f"expected at most {max_poses} poses in one call, got {length // (joints * 2)}; send several calls",
    )
    violations.raise_if_any()
    return np.array(request.keypoints_px, dtype=np.float32).reshape(-1, joints, 2)


def _decode_confidence(
    request: _Request, keypoints: FloatArray, skeleton: Skeleton, violations: Violations
) -> FloatArray:
    """(N, J) confidences; ones if the request has none, or wrong ones."""
    shape = (len(keypoints), skeleton.num_joints)
    everywhere: FloatArray = np.ones(shape, dtype=np.float32)
    values: NDArray[np.float32] = np.array(request.confidence, dtype=np.float32)
    if values.size == 0:
        return everywhere
    if not violations.require(
        values.size == everywhere.size,
        "confidence",
        f"expected 0 or {shape[0]} * {shape[1]} values, one for each joint of `keypoints_px`, got {values.size}",
    ):
        return everywhere
    wrong = np.flatnonzero(~((values >= 0) & (values <= 1)))
    if wrong.size:
        pose, joint = divmod(int(wrong[0]), shape[1])
        where = f"joint {skeleton.joint_names[joint]} of pose {pose}"
        violations.add("confidence", f"expected numbers from 0 to 1, got {values[wrong[0]]} for {where}")
        return everywhere
    return values.reshape(shape)
