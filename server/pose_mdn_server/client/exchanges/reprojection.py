"""Hypotheses to be checked against a picture."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.reprojection import CheckSettings, ReprojectionCheck
from pose_mdn.reprojection.check import observations, picture_size, require_both_cameras
from pose_mdn_server.client.exchange import Exchange
from pose_mdn_server.codec.methods import CHECK_REPROJECTION
from pose_mdn_server.codec.reprojection_request import encode_check_request
from pose_mdn_server.codec.reprojection_response import decode_check_response


def check_reprojection(
    hypotheses: HypothesisSequence,
    *,
    keypoints_px: NDArray[np.floating] | None = None,
    confidence: NDArray[np.floating] | None = None,
    camera: Camera | None = None,
    lifted_with: Camera | None = None,
    settings: CheckSettings | None = None,
) -> Exchange[ReprojectionCheck]:
    """Check hypotheses against a picture; arguments and answer as of `pose_mdn.reprojection.check_reprojection`.

    Raises:
        InputError: Arguments do not fit, or the server refused the request; the message names the field.
        ServerUnavailableError: There was no answer.
    """
    settings = settings or CheckSettings()
    points, weight = observations(hypotheses, keypoints_px, confidence)
    require_both_cameras(camera, lifted_with)
    request = encode_check_request(
        hypotheses,
        keypoints_px=points,
        confidence=weight,
        camera=camera,
        lifted_with=lifted_with,
        settings=settings,
    )
    read = partial(
        decode_check_response,
        settings=settings,
        keypoints_px=points,
        confidence=weight,
        image_size=picture_size(hypotheses, camera),
    )
    return Exchange(CHECK_REPROJECTION, request, read)
