"""Lift requests and responses.

Axis letters: N poses, J joints of the skeleton sent, M hypotheses.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pose_mdn.geometry.body import KnownBodies, KnownBody
from pose_mdn.geometry.ground_plane import GroundPlane
from pose_mdn.geometry.known_distance import KnownDistance
from pose_mdn.inference.known_scale import KnownScale
from pose_mdn.poses.hypotheses import SIZE_FROM_PRIOR, HypothesisSequence
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence
from pose_mdn.poses.status import Status
from pose_mdn.skeletons import DEFAULT_MAPPING, HUMAN36M17, to_human36m17
from pose_mdn_server.codec.body import (
    decode_body,
    decode_distances,
    decode_ground,
    encode_body,
    encode_distance,
    encode_ground,
)
from pose_mdn_server.codec.camera import decode_camera, encode_camera
from pose_mdn_server.codec.keypoints import decode_keypoints, encode_confidence
from pose_mdn_server.codec.twins import chunks_to_array, has_unpacked, packed_twin
from pose_mdn_server.rpc import pose_lifting_pb2
from pose_mdn_server.violations import Violations

_STATUS_NAMES = {status: f"LIFT_STATUS_{status.name}" for status in Status}
_PackedResponse = packed_twin(pose_lifting_pb2.LiftResponse)
_STATUS_OF_VALUE = {pose_lifting_pb2.LiftStatus.Value(name): status for status, name in _STATUS_NAMES.items()}

MAX_HYPOTHESES = 1024
"""Largest number of hypotheses that may be asked of a model that samples."""
MAX_ANSWERED_POSES = 65_536
"""Largest number of 3D poses in one answer, over all hypotheses."""


@dataclass(frozen=True, kw_only=True)
class LiftJob:
    """A valid request: which poses to lift, of which size, and with which model.

    Attributes:
        keypoints: The poses and the camera that saw them.
        body: The size of the people, if it is known.
        distances: Between joints of the one person.
        ground: On which the one person stands, if it is known.
        estimate_focal: Whether to estimate the focal length.
        model_name: Empty for the default.
        model_version: Empty for the newest.
        num_hypotheses: How many a model that samples gives; `None` for what its bundle says.
        seed: Seed of its noise.
    """

    keypoints: KeypointSequence
    body: KnownBody | None
    distances: tuple[KnownDistance, ...]
    ground: GroundPlane | None
    estimate_focal: bool
    model_name: str
    model_version: str
    num_hypotheses: int | None = None
    seed: int = 0

    @property
    def scale(self) -> KnownScale | None:
        """All that is known of size, if it is more than a body."""
        if not self.distances and self.ground is None:
            return None
        bodies = None if self.body is None else KnownBodies(everyone=self.body)
        return KnownScale(bodies=bodies, distances=self.distances, ground=self.ground)


def decode_lift_request(request: pose_lifting_pb2.LiftRequest, *, max_poses: int) -> LiftJob:
    """Read a request.

    Raises:
        RequestError: With every violation found.
    """
    violations = Violations()
    seen = decode_keypoints(request, max_poses=max_poses, violations=violations)
    num_poses = len(seen.keypoints_px)
    camera = decode_camera(request.camera, num_poses, violations)
    body = decode_body(request.body, violations)
    distances = decode_distances(request.known_distances, violations)
    ground = decode_ground(request.ground, violations)
    limit = min(MAX_HYPOTHESES, max(1, MAX_ANSWERED_POSES // max(1, num_poses)))
    violations.require(
        request.num_hypotheses <= limit,
        "num_hypotheses",
        f"expected at most {limit} for {num_poses} poses, got {request.num_hypotheses}; send fewer poses in a call",
    )
    violations.raise_if_any()
    return LiftJob(
        body=body,
        distances=distances,
        ground=ground,
        estimate_focal=request.estimate_focal_length,
        keypoints=KeypointSequence(
            keypoints_px=seen.keypoints_px,
            confidence=seen.confidence,
            skeleton=seen.skeleton,
            frame=np.arange(num_poses),
            person=np.zeros(num_poses, dtype=np.int64),
            image_size=camera.image_size,
            intrinsics=camera.intrinsics,
            distortion=camera.distortion,
            lens_model=camera.lens_model,
        ),
        model_name=request.model_name,
        model_version=request.model_version,
        num_hypotheses=request.num_hypotheses or None,
        seed=request.seed,
    )


def encode_lift_request(
    sequence: KeypointSequence,
    *,
    model_name: str = "",
    model_version: str = "",
    body: KnownBody | None = None,
    distances: Sequence[KnownDistance] = (),
    ground: GroundPlane | None = None,
    estimate_focal: bool = False,
    num_hypotheses: int | None = None,
    seed: int = 0,
) -> pose_lifting_pb2.LiftRequest:
    """The request that asks for a sequence to be lifted."""
    sequence = _with_default_mapping(sequence)
    return pose_lifting_pb2.LiftRequest(
        keypoints_px=sequence.keypoints_px.ravel().tolist(),
        confidence=encode_confidence(sequence.confidence),
        skeleton=sequence.skeleton.name,
        camera=encode_camera(sequence),
        model_name=model_name,
        model_version=model_version,
        body=None if body is None else encode_body(body),
        known_distances=[encode_distance(known) for known in distances],
        ground=None if ground is None else encode_ground(ground),
        estimate_focal_length=estimate_focal,
        num_hypotheses=num_hypotheses or 0,
        seed=seed,
    )


def _with_default_mapping(sequence: KeypointSequence) -> KeypointSequence:
    """Joints as a server takes them, which knows no rule but the default one: others are followed here."""
    if sequence.mapping == DEFAULT_MAPPING:
        return sequence
    points, confidence = to_human36m17(sequence.keypoints_px, sequence.confidence, sequence.skeleton, sequence.mapping)
    return replace(sequence, keypoints_px=points, confidence=confidence, skeleton=HUMAN36M17, mapping=DEFAULT_MAPPING)


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
        root_std_m=[] if np.isnan(hypotheses.root_std_m).all() else hypotheses.root_std_m.ravel().tolist(),
    )


def parse_lift_response(data: bytes) -> Any:
    """An answer for `decode_lift_response`, whose lists of numbers are left as bytes where they can be."""
    message = _PackedResponse.FromString(data)
    return pose_lifting_pb2.LiftResponse.FromString(data) if has_unpacked(message) else message


def decode_lift_response(response: Any, sequence: KeypointSequence) -> HypothesisSequence:
    """Read the answer to the request for `sequence`, whose frame numbers and the like it takes over.

    Args:
        response: A `LiftResponse`, or what `parse_lift_response` gives.
        sequence: What was sent.
    """
    n, m, joints = response.num_poses, response.num_hypotheses, HUMAN36M17.num_joints
    intrinsics = _numbers(response.intrinsics, np.float64).reshape(-1, 3, 3)
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
        ood_score=_numbers(response.ood_score, np.float32),
        size_source=response.size_source or SIZE_FROM_PRIOR,
        root_std_m=_floats(response.root_std_m, (n, m, 2) if response.root_std_m else (0,)),
        tracked=sequence.tracked,
        mapping=sequence.mapping,
    )


def _status_text(value: int) -> str:
    """A newer server may know statuses that this client does not."""
    status = _STATUS_OF_VALUE.get(value)
    return f"unknown_{value}" if status is None else status.value


def _floats(values: Sequence[Any], shape: tuple[int, ...]) -> FloatArray:
    array: FloatArray = _numbers(values, np.float32).reshape(shape)
    return array


def _numbers(values: Sequence[Any], dtype: DTypeLike) -> NDArray[Any]:
    """A list of numbers, or the chunks of bytes that a packed one came in."""
    if len(values) and isinstance(values[0], bytes):
        return chunks_to_array(values, dtype).copy()
    return np.array(values, dtype)
