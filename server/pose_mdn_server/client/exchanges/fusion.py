"""Views of the same people to be fused."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pose_mdn.fusion import FusionSettings
from pose_mdn.fusion.rows import match_rows, pair_views
from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.fused import FusedPoseSequence
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn_server.client.exchange import Exchange
from pose_mdn_server.codec.fusion_request import encode_fusion_request
from pose_mdn_server.codec.fusion_response import decode_fusion_response
from pose_mdn_server.codec.methods import FUSE_POSES


def fuse_views(
    hypotheses: Mapping[str, HypothesisSequence],
    cameras: Mapping[str, Camera],
    *,
    settings: FusionSettings | None = None,
    persons: Sequence[NDArray[np.integer]] | None = None,
    offsets: Mapping[str, int] | None = None,
    match_people: bool = False,
) -> Exchange[FusedPoseSequence]:
    """Fuse what calibrated cameras saw; arguments and answer as of `pose_mdn.fusion.fuse_views`.

    With `match_people` the server finds out who is who across views, as `pose_mdn.people.people_of_views` does.

    Raises:
        InputError: Arguments do not fit, or the server refused the request; the message names the field.
        ServerUnavailableError: There was no answer.
    """
    settings = settings or FusionSettings()
    views = pair_views(hypotheses, cameras)
    if not match_people:
        match_rows(views, persons=persons, offsets=offsets)
    request = encode_fusion_request(
        hypotheses, cameras, settings, persons=persons, offsets=offsets or {}, match_people=match_people
    )
    fps = next((view.fps for view in hypotheses.values() if view.fps), None)
    read = partial(decode_fusion_response, method=settings.method, model=views[0].hypotheses.model, fps=fps)
    return Exchange(FUSE_POSES, request, read)
