"""The short road of a lift request: poses, a camera, a model, and nothing that needs another look.

Nearly all requests are of this kind, and what they say beside the poses is what the last one said. That part, the
header, is therefore looked up by its bytes, and the poses are read as arrays from where they lie in the message.
Whatever is unusual or wrong is left to `pose_mdn_server.codec.lifting`, which reads it thoroughly and says what is
wrong.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from pose_mdn.geometry.assumed_intrinsics import assume_intrinsics
from pose_mdn.poses.hypotheses import SIZE_FROM_PRIOR
from pose_mdn.poses.keypoints import FloatArray
from pose_mdn.poses.status import Status
from pose_mdn.skeletons import HUMAN36M17, get_skeleton
from pose_mdn.skeletons.skeleton import Skeleton
from pose_mdn_server.codec.camera import DecodedCamera, decode_camera
from pose_mdn_server.codec.lifting import MAX_ANSWERED_POSES, MAX_HYPOTHESES
from pose_mdn_server.codec.twins import chunks_to_array, has_unpacked, packed_twin
from pose_mdn_server.codec.wire import prefix
from pose_mdn_server.errors import RequestError
from pose_mdn_server.rpc import camera_pb2, pose_lifting_pb2
from pose_mdn_server.violations import Violations

_Request = packed_twin(
    pose_lifting_pb2.LiftRequest, bytes_fields=("skeleton", "camera", "body", "known_distances", "ground")
)
_LONGEST_CAMERA = 512
"""Bytes of a camera that is worth remembering: one matrix and a lens, not a matrix for each pose."""
_MOST_HEADERS = 4096
_IS_LITTLE_ENDIAN = sys.byteorder == "little"
"""As numbers are on the wire."""
_LARGEST_FRACTION = 2.0
"""Coordinates that stay below this may be fractions of the picture, which the thorough road refuses."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LiftHeader:
    """What a request says beside its poses.

    Attributes:
        skeleton: Layout of its joints.
        camera: Valid, with one matrix for all poses, or none and a picture size.
        intrinsics: (3, 3) the matrix, given or assumed.
        intrinsics_source: "given", or the sentence that states the assumption.
        model_name: Empty for the default.
        model_version: Empty for the newest.
        num_hypotheses: How many a model that samples gives; `None` for what its bundle says.
        seed: Seed of its noise.
    """

    skeleton: Skeleton
    camera: DecodedCamera
    intrinsics: NDArray[np.float64]
    intrinsics_source: str
    model_name: str
    model_version: str
    num_hypotheses: int | None
    seed: int


@dataclass(frozen=True, slots=True)
class ShortLift:
    """A valid request of the short road.

    Attributes:
        header: All but its poses.
        keypoints_px: (N, J, 2); read-only.
        confidence: (N, J); read-only.
    """

    header: LiftHeader
    keypoints_px: FloatArray
    confidence: FloatArray

    @property
    def intrinsics(self) -> NDArray[np.float64]:
        """(N, 3, 3) the matrix of each pose."""
        poses, one = len(self.keypoints_px), self.header.intrinsics[None]
        return one if poses == 1 else np.broadcast_to(one, (poses, 3, 3))


class ShortLiftDecoder:
    """Reads requests of the short road and remembers their headers.

    Args:
        max_poses: Longest list of poses that one message may bring.
    """

    def __init__(self, *, max_poses: int) -> None:
        self._max_poses = max_poses
        self._headers: dict[Any, LiftHeader] = {}

    def decode(self, data: bytes) -> ShortLift | None:
        """Read a request; `None` if it has to take the thorough road.

        Raises:
            google.protobuf.message.DecodeError: These bytes are no message at all.
        """
        request: Any = _Request.FromString(data)
        header = self._header(request)
        if header is None or has_unpacked(request):
            return None
        return self.read_poses(header, request.keypoints_px, request.confidence)

    def header(self, data: bytes) -> LiftHeader | None:
        """The header of an encoded request; `None` if it has to take the thorough road."""
        return self._header(_Request.FromString(data))

    def read_poses(
        self, header: LiftHeader, keypoints_px: Sequence[bytes], confidence: Sequence[bytes]
    ) -> ShortLift | None:
        """The poses of a message, if they are as they should be."""
        joints = header.skeleton.num_joints
        try:
            points = chunks_to_array(keypoints_px, np.float32)
            weights = chunks_to_array(confidence, np.float32) if confidence else None
        except ValueError:
            return None
        poses, rest = divmod(points.size, joints * 2)
        if rest or not 1 <= poses <= self._max_poses or poses * (header.num_hypotheses or 1) > MAX_ANSWERED_POSES:
            return None
        if weights is None:
            weights = np.ones((poses, joints), np.float32)
        elif weights.size != poses * joints or not (weights.min() >= 0 and weights.max() <= 1):
            return None
        if header.camera.intrinsics is None and not points.max() > _LARGEST_FRACTION:
            return None
        return ShortLift(header, points.reshape(poses, joints, 2), weights.reshape(poses, joints))

    def _header(self, request: Any) -> LiftHeader | None:
        if request.body or request.known_distances or request.ground or request.estimate_focal_length:
            return None
        key = (
            tuple(request.skeleton),
            tuple(request.camera),
            request.model_name,
            request.model_version,
            request.num_hypotheses,
            request.seed,
        )
        known = self._headers.get(key)
        if known is None and sum(map(len, request.camera)) <= _LONGEST_CAMERA:
            known = _read_header(request)
            if known is not None:
                if len(self._headers) >= _MOST_HEADERS:
                    self._headers.clear()
                self._headers[key] = known
        return known


def _read_header(request: Any) -> LiftHeader | None:
    camera_message = camera_pb2.Camera.FromString(b"".join(request.camera))
    violations = Violations()
    try:
        name = request.skeleton[-1].decode() if request.skeleton else ""
        skeleton = violations.checked("skeleton", get_skeleton, name or HUMAN36M17.name)
        camera = decode_camera(camera_message, 1, violations)
        violations.raise_if_any()
    except (RequestError, UnicodeDecodeError):
        return None
    if skeleton is None or request.num_hypotheses > MAX_HYPOTHESES:
        return None
    if camera.intrinsics is not None:
        matrix, source = camera.intrinsics.reshape(3, 3), "given"
    elif camera.image_size is not None:
        matrix, source = assume_intrinsics(camera.image_size, np.zeros((0, 2)))
    else:
        return None
    return LiftHeader(
        skeleton=skeleton,
        camera=camera,
        intrinsics=matrix,
        intrinsics_source=source,
        model_name=request.model_name,
        model_version=request.model_version,
        num_hypotheses=request.num_hypotheses or None,
        seed=request.seed,
    )


_STATUS_VALUE = {status.value: pose_lifting_pb2.LiftStatus.Value(f"LIFT_STATUS_{status.name}") for status in Status}
_FIELDS = {
    "means_m": "means_m",
    "std_m": "std_m",
    "view_rotation": "view_rotation",
    "mixing_coefficients": "mixing_coefficients",
    "root_translation_m": "root_translation_m",
    "reprojection_error_px": "reprojection_error_px",
    "lifted_keypoints_px": "keypoints_px",
    "lifted_confidence": "confidence",
    "ood_score": "ood_score",
}
"""Packed fields of a response, and the columns that they hold."""


class LiftFrame:
    """The parts of a response that are the same for all answers of N poses to one header: all but the numbers.

    A message is a row of fields in any order (https://protobuf.dev/programming-guides/encoding/), so that the fields of
    text are written once, and each column needs no more than its bytes behind a tag and a length.

    Args:
        header: Of the requests.
        poses: N.
        columns: Of any such answer; their shapes and types are looked at.
        model: "NAME/VERSION" of the model.
    """

    def __init__(self, header: LiftHeader, columns: Mapping[str, NDArray[Any]], *, model: str) -> None:
        poses, num_hypotheses = columns["mixing_coefficients"].shape
        text: Message = pose_lifting_pb2.LiftResponse(
            num_poses=poses,
            num_hypotheses=num_hypotheses,
            skeleton=HUMAN36M17.name,
            intrinsics=header.intrinsics.ravel().tolist(),
            intrinsics_source=header.intrinsics_source,
            model=model,
            size_source=SIZE_FROM_PRIOR,
        )
        self._text = text.SerializeToString()
        numbers = pose_lifting_pb2.LiftResponse.DESCRIPTOR.fields_by_name
        self._packed = tuple(
            (column, prefix(numbers[field].number, columns[column].nbytes)) for field, column in _FIELDS.items()
        )
        self._status_head = prefix(numbers["status"].number, poses)

    def fill(self, columns: Mapping[str, NDArray[Any]]) -> bytes:
        """A response with the numbers of these columns."""
        parts = [self._text]
        for column, head in self._packed:
            parts.append(head)
            parts.append((columns[column] if _IS_LITTLE_ENDIAN else columns[column].byteswap()).tobytes())
        parts.append(self._status_head)
        # Every status is below 128, so that each takes one byte.
        parts.append(bytes([_STATUS_VALUE[status] for status in columns["status"].tolist()]))
        return b"".join(parts)
