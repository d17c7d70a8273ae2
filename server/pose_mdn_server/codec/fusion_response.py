"""Fused poses on the wire.

Axis letters: N poses, K hypotheses, V views.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pose_mdn.poses.fused import FusedPoseSequence, FusionStatus, ViewStatus
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_server.codec.columns import flat
from pose_mdn_server.rpc import pose_fusion_pb2

_STATUS = {status: f"FUSION_STATUS_{status.name}" for status in FusionStatus}
_VIEW_STATUS = {status: f"VIEW_STATUS_{status.name}" for status in ViewStatus}
_STATUS_OF_VALUE = {pose_fusion_pb2.FusionStatus.Value(name): status for status, name in _STATUS.items()}
_VIEW_STATUS_OF_VALUE = {pose_fusion_pb2.ViewStatus.Value(name): status for status, name in _VIEW_STATUS.items()}
_TRIANGLE = np.triu_indices(3)


def encode_fusion_response(fused: FusedPoseSequence) -> pose_fusion_pb2.FusePosesResponse:
    """The answer."""
    return pose_fusion_pb2.FusePosesResponse(
        num_poses=len(fused),
        num_hypotheses=fused.num_hypotheses,
        views=fused.views,
        frame=fused.frame.tolist(),
        person=fused.person.tolist(),
        status=[_STATUS[FusionStatus(status)] for status in fused.status.tolist()],
        means_m=flat(fused.means_m),
        covariance_m2=flat(fused.covariance_m2[..., *_TRIANGLE]),
        root_translation_m=flat(fused.root_translation_m),
        root_covariance_m2=flat(fused.root_covariance_m2[..., *_TRIANGLE]),
        mixing_coefficients=flat(fused.mixing_coefficients),
        view_status=[_VIEW_STATUS[ViewStatus(status)] for status in fused.view_status.ravel().tolist()],
        agreement=flat(fused.agreement),
        joint_weight=flat(fused.joint_weight),
        reasons=["; ".join(fused.reasons(row)) for row in range(len(fused))],
    )


def decode_fusion_response(
    response: pose_fusion_pb2.FusePosesResponse, *, method: str, model: str, fps: float | None
) -> FusedPoseSequence:
    """Read the answer; the arguments are what the request knew."""
    rows, views, joints = response.num_poses, len(response.views), HUMAN36M17.num_joints
    each = (rows, response.num_hypotheses)
    # A newer server may know more; what it then says is kept as the nearest of what this client knows.
    status = [_STATUS_OF_VALUE.get(value, FusionStatus.FUSED).value for value in response.status]
    of_views = [_VIEW_STATUS_OF_VALUE.get(value, ViewStatus.LEFT_OUT).value for value in response.view_status]
    return FusedPoseSequence(
        means_m=_numbers(response.means_m, (*each, joints, 3)),
        covariance_m2=_symmetric(response.covariance_m2, (*each, joints)),
        root_translation_m=_numbers(response.root_translation_m, (*each, 3)),
        root_covariance_m2=_symmetric(response.root_covariance_m2, each),
        mixing_coefficients=_numbers(response.mixing_coefficients, each),
        status=np.array(status, np.str_),
        view_status=np.array(of_views, np.str_).reshape(rows, views),
        agreement=_numbers(response.agreement, (rows, views)),
        joint_weight=_numbers(response.joint_weight, (rows, views, joints)),
        frame=np.array(response.frame, np.int64),
        person=np.array(response.person, np.int64),
        views=tuple(response.views),
        fps=fps,
        method=method,
        model=model,
    )


def _numbers(values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32).reshape(shape)


def _symmetric(values: Sequence[float], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Matrices (..., 3, 3) of their upper triangles."""
    matrices = np.empty((*shape, 3, 3), np.float32)
    matrices[..., *_TRIANGLE] = matrices[..., *_TRIANGLE[::-1]] = _numbers(values, (*shape, 6))
    return matrices
