"""Lift requests and responses.

Axis letters: N poses, J joints of the skeleton sent, M hypotheses.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.body import KnownBody
from pose_mdn.poses.hypotheses import SIZE_FROM_PRIOR, HypothesisSequence
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence
from pose_mdn.poses.status import Status
from pose_mdn.skeletons import HUMAN36M17, get_skeleton
from pose_mdn.skeletons.skeleton import Skeleton
from pose_mdn_server.codec.body import decode_body, encode_body
from pose_mdn_server.codec.camera import decode_camera, encode_camera
from pose_mdn_server.rpc import pose_lifting_pb2
from pose_mdn_server.violations import Violations

_STATUS_NAMES = {status: f"LIFT_STATUS_{status.name}" for status in Status}
_STATUS_OF_VALUE = {pose_lifting_pb2.LiftStatus.Value(name): status for status, name in _STATUS_NAMES.items()}


@dataclass(frozen=True, kw_only=True)
class LiftJob:
    """A valid request: which poses to lift, of which size, and with which model.

    Attributes:
        keypoints: The poses and the camera that saw them.
        body: The size of the people, if it is known.
        model_name: Empty for the default.
        model_version: Empty for the newest.
    """

    keypoints: KeypointSequence
    body: KnownBody | None
    model_name: str
    model_version: str


def decode_lift_request(request: pose_lifting_pb2.LiftRequest, *, max_poses: int) -> LiftJob:
    """Read a request.

    Raises:
        RequestError: With every violation found.
    """
    violations = Violations()
    skeleton = _decode_skeleton(request.skeleton, violations)
    keypoints = _decode_keypoints(request, skeleton, max_poses, violations)
    num_poses = len(keypoints)
    confidence = _decode_confidence(request, keypoints, skeleton, violations)
    camera = decode_camera(request.camera, num_poses, violations)
    body = decode_body(request.body, violations)
    violations.raise_if_any()
    return LiftJob(
        body=body,
        keypoints=KeypointSequence(
            keypoints_px=keypoints,
            confidence=confidence,
            skeleton=skeleton,
            frame=np.arange(num_poses),
            person=np.zeros(num_poses, dtype=np.int64),
            image_size=camera.image_size,
            intrinsics=camera.intrinsics,
            distortion=camera.distortion,
            lens_model=camera.lens_model,
        ),
        model_name=request.model_name,
        model_version=request.model_version,
    )


def encode_lift_request(
    sequence: KeypointSequence, *, model_name: str = "", model_version: str = "", body: KnownBody | None = None
) -> pose_lifting_pb2.LiftRequest:
    """The request that asks for a sequence to be lifted.

    Confidences mean what they mean to `Lifter.lift`: NaN is missing, and above 1 counts as 1.
    """
    confidence = np.clip(np.nan_to_num(sequence.confidence, nan=0.0), 0.0, 1.0)
    return pose_lifting_pb2.LiftRequest(
        keypoints_px=sequence.keypoints_px.ravel().tolist(),
        confidence=confidence.ravel().tolist(),
        skeleton=sequence.skeleton.name,
        camera=encode_camera(sequence),
        model_name=model_name,
        model_version=model_version,
        body=None if body is None else encode_body(body),
    )


def encode_lift_response(hypotheses: HypothesisSequence) -> pose_lifting_pb2.LiftResponse:
    """The answer for lifted poses."""
    intrinsics = hypotheses.intrinsics
    shared = bool((intrinsics == intrinsics[:1]).all())
    return pose_lifting_pb2.LiftResponse(
        num_poses=len(hypotheses),
        num_hypotheses=hypotheses.num_hypotheses,
        skeleton=HUMAN36M17.name,
        means_m=hypotheses.means_m.ravel().tolist(),
        std_m=hypotheses.std_m.ravel().tolist(),
        view_rotation=hypotheses.view_rotation.ravel().tolist(),
        mixing_coefficients=hypotheses.mixing_coefficients.ravel().tolist(),
        root_translation_m=hypotheses.root_translation_m.ravel().tolist(),
        reprojection_error_px=hypotheses.reprojection_error_px.ravel().tolist(),
        status=[_STATUS_NAMES[Status(status)] for status in hypotheses.status.tolist()],
        lifted_keypoints_px=hypotheses.keypoints_px.ravel().tolist(),
        lifted_confidence=hypotheses.confidence.ravel().tolist(),
        intrinsics=(intrinsics[:1] if shared else intrinsics).ravel().tolist(),
        intrinsics_source=hypotheses.intrinsics_source,
        model=hypotheses.model,
        ood_score=hypotheses.ood_score.tolist(),
        size_source=hypotheses.size_source,
    )


def decode_lift_response(response: pose_lifting_pb2.LiftResponse, sequence: KeypointSequence) -> HypothesisSequence:
    """Read the answer to the request for `sequence`, whose frame numbers and the like it takes over."""
    n, m, joints = response.num_poses, response.num_hypotheses, HUMAN36M17.num_joints
    intrinsics = np.array(response.intrinsics, dtype=np.float64).reshape(-1, 3, 3)
    return HypothesisSequence(
        means_m=_floats(response.means_m, (n, m, joints, 3)),
        std_m=_floats(response.std_m, (n, m, joints, 2)),
        view_rotation=_floats(response.view_rotation, (n, 3, 3)),
        mixing_coefficients=_floats(response.mixing_coefficients, (n, m)),
        root_translation_m=_floats(response.root_translation_m, (n, m, 3)),
        reprojection_error_px=_floats(response.reprojection_error_px, (n, m)),
        status=np.array([_status_text(value) for value in response.status], dtype=np.str_),
        keypoints_px=_floats(response.lifted_keypoints_px, (n, joints, 2)),
        confidence=_floats(response.lifted_confidence, (n, joints)),
        frame=sequence.frame,
        person=sequence.person,
        intrinsics=np.broadcast_to(intrinsics, (n, 3, 3)).copy(),
        intrinsics_source=response.intrinsics_source,
        distortion=np.zeros(0) if sequence.distortion is None else sequence.distortion,
        lens_model=sequence.lens_model,
        image_size=sequence.image_size,
        fps=sequence.fps,
        source_skeleton=sequence.skeleton.name,
        model=response.model,
        ood_score=np.array(response.ood_score, dtype=np.float32),
        size_source=response.size_source or SIZE_FROM_PRIOR,
    )


def _status_text(value: int) -> str:
    """A newer server may know statuses that this client does not."""
    status = _STATUS_OF_VALUE.get(value)
    return f"unknown_{value}" if status is None else status.value


def _floats(values: object, shape: tuple[int, ...]) -> FloatArray:
    array: FloatArray = np.array(values, dtype=np.float32).reshape(shape)
    return array


def _decode_skeleton(name: str, violations: Violations) -> Skeleton:
    """The layout. Raises at once if it is unknown, since no other field can be judged without it."""
    skeleton = violations.checked("skeleton", get_skeleton, name or HUMAN36M17.name)
    violations.raise_if_any()
    assert skeleton is not None
    return skeleton


def _decode_keypoints(
    request: pose_lifting_pb2.LiftRequest, skeleton: Skeleton, max_poses: int, violations: Violations
) -> FloatArray:
    """(N, J, 2) pixels. Raises at once if N is unknown, since no other field can be judged without it."""
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
    return _floats(request.keypoints_px, (-1, joints, 2))


def _decode_confidence(
    request: pose_lifting_pb2.LiftRequest, keypoints: FloatArray, skeleton: Skeleton, violations: Violations
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
