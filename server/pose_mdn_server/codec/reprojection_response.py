"""What a check found, on the wire.

Axis letters: N poses, M hypotheses.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pose_mdn.reprojection import CheckSettings, Fault, ReprojectionCheck
from pose_mdn.reprojection.agreement import Agreement
from pose_mdn.reprojection.diagnosis import EXPLANATIONS, Diagnosis
from pose_mdn.reprojection.document import verdict_text
from pose_mdn.reprojection.projection import Projection
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_server.codec.columns import flags, flat, flat_flags
from pose_mdn_server.rpc import reprojection_pb2

_NAMES = {fault: f"REPROJECTION_FAULT_{fault.name}" for fault in Fault}
_FAULT_OF_VALUE = {reprojection_pb2.ReprojectionFault.Value(name): fault for fault, name in _NAMES.items()}
_NOTHING_SAID = "REPROJECTION_FAULT_UNSPECIFIED"


def encode_check_response(found: ReprojectionCheck) -> reprojection_pb2.CheckReprojectionResponse:
    """The answer."""
    poses, hypotheses = found.passes.shape
    diagnosis, agreement, projection = found.diagnosis, found.agreement, found.projection
    return reprojection_pb2.CheckReprojectionResponse(
        num_poses=poses,
        num_hypotheses=hypotheses,
        verdict_text=verdict_text(found),
        verdict=_NOTHING_SAID if diagnosis.overall is None else _NAMES[diagnosis.overall],
        fault=[_NAMES[Fault(fault)] if fault else _NOTHING_SAID for fault in diagnosis.fault.tolist()],
        reasons=["; ".join(found.reasons(row, index)) for row in range(poses) for index in range(hypotheses)],
        passes=flat_flags(found.passes),
        in_front=flat_flags(found.in_front),
        human_bones=flat_flags(found.human_bones),
        human_joints=flat_flags(found.human_joints),
        rms_px=flat(agreement.rms_px),
        rms_of_size=flat(agreement.rms_of_size),
        error_px=flat(agreement.error_px),
        distance=flat(agreement.distance),
        within=flat_flags(agreement.within),
        projected_px=flat(projection.points_px),
        covariance_px2=flat(projection.covariance_px2),
        depth_m=flat(projection.depth_m),
        root_translation_m=flat(found.root_m),
        explained_rms_of_size=flat(np.stack([diagnosis.rms_of_size[fault] for fault in EXPLANATIONS], axis=-1)),
        scale=flat(diagnosis.scale),
        shift_of_size=flat(diagnosis.shift_of_size),
        turn_rad=flat(diagnosis.turn_rad),
        allowed_of_size=flat(found.allowed_of_size),
    )


def decode_check_response(
    response: reprojection_pb2.CheckReprojectionResponse,
    settings: CheckSettings,
    *,
    keypoints_px: NDArray[np.float64],
    confidence: NDArray[np.float64],
    image_size: tuple[int, int] | None,
) -> ReprojectionCheck:
    """Read the answer; the arguments are what it was asked about."""
    each = (response.num_poses, response.num_hypotheses)
    joints = (*each, HUMAN36M17.num_joints)
    explained = _numbers(response.explained_rms_of_size, (each[0], len(EXPLANATIONS)))
    return ReprojectionCheck(
        settings=settings,
        keypoints_px=keypoints_px,
        confidence=confidence,
        image_size=image_size,
        projection=Projection(
            points_px=_numbers(response.projected_px, (*joints, 2)),
            covariance_px2=_numbers(response.covariance_px2, (*joints, 3)),
            depth_m=_numbers(response.depth_m, joints),
        ),
        agreement=Agreement(
            error_px=_numbers(response.error_px, joints),
            rms_px=_numbers(response.rms_px, each),
            rms_of_size=_numbers(response.rms_of_size, each),
            distance=_numbers(response.distance, joints),
            within=flags(response.within, joints),
        ),
        root_m=_numbers(response.root_translation_m, (*each, 3)),
        in_front=flags(response.in_front, each),
        human_bones=flags(response.human_bones, each),
        human_joints=flags(response.human_joints, each),
        allowed_of_size=_numbers(response.allowed_of_size, each),
        passes=flags(response.passes, each),
        diagnosis=Diagnosis(
            fault=np.array([_fault(value) or "" for value in response.fault], dtype=np.str_),
            overall=_fault(response.verdict),
            rms_of_size=dict(zip(EXPLANATIONS, explained.T, strict=True)),
            scale=_numbers(response.scale, each[:1]),
            shift_of_size=_numbers(response.shift_of_size, (each[0], 2)),
            turn_rad=_numbers(response.turn_rad, each[:1]),
        ),
    )


def _fault(value: int) -> Fault | None:
    """A newer server may know faults that this client does not."""
    return _FAULT_OF_VALUE.get(value, Fault.UNKNOWN) if value else None


def _numbers(values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64).reshape(shape)
