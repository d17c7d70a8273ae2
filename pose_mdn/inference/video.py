"""Lifting films: keypoints smoothed over time, lifted, and their hypotheses linked and smoothed.

Most of what a lifter gets wrong in single frames comes from the detector's noise, which is new in every frame. It is
best removed where it is: in the picture, before the lifter makes depth of it. What remains is the lifter's own, and
lasts over frames; linking chooses among the hypotheses, and smoothing takes off the rest of the jitter.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pose_mdn.inference.detected_film import detect
from pose_mdn.inference.known_camera import resolve_camera
from pose_mdn.inference.lifter import Lifter
from pose_mdn.inference.observations import STATUS_DTYPE
from pose_mdn.inference.online_video import OnlineVideoLifter
from pose_mdn.inference.video_settings import VideoSettings
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons.human36m import HUMAN36M17
from pose_mdn.video import moments_s, played, smooth_keypoints, smooth_sequence


def lift_video(
    lifter: Lifter,
    sequence: KeypointSequence,
    settings: VideoSettings | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> HypothesisSequence:
    """Lift a film.

    Keypoints and confidences of the result are those that were detected, not the smoothed ones. Rows that could not be
    lifted alone, but could with the help of their neighbours, have the status `lifted_from_neighbours`.

    Args:
        lifter: The model.
        sequence: N rows; identities say who is who over time.
        settings: How.
        on_progress: Called with numbers of rows that are lifted, and again when they are smoothed.

    Raises:
        InputError: A person is in one frame twice, or what `Lifter.lift` refuses.
        GeometryError: The camera is impossible.
    """
    settings = settings or VideoSettings()
    camera = resolve_camera(sequence, settings.min_confidence)
    times = moments_s(sequence.frame, sequence.fps, settings.hypotheses)
    detected = detect(sequence, camera, settings.min_confidence, times)
    seen = detected.sequence(sequence, camera)
    smoothed = smooth_keypoints(seen, settings.keypoints, settings.hypotheses)
    lifted = lifter.lift(smoothed, min_confidence=0.0, body=settings.body, on_progress=on_progress)
    return smooth_sequence(detected.restored(lifted, sequence, camera), settings.hypotheses, on_progress)


def lift_again(
    lifter: Lifter,
    hypotheses: HypothesisSequence,
    settings: VideoSettings | None = None,
    *,
    lag: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> HypothesisSequence:
    """What `lift_video` makes of the keypoints that hypotheses were lifted from frame by frame.

    Args:
        lifter: The model.
        hypotheses: N rows, in any order.
        settings: How.
        lag: Answer as `OnlineVideoLifter` does, so many frames later; look at the whole film if left out.
        on_progress: Called with numbers of rows that are lifted, and again when they are smoothed; live ones once.
    """
    film = KeypointSequence(
        keypoints_px=hypotheses.keypoints_px,
        confidence=hypotheses.confidence,
        skeleton=HUMAN36M17,
        frame=hypotheses.frame,
        person=hypotheses.person,
        image_size=hypotheses.image_size,
        fps=hypotheses.fps,
        intrinsics=hypotheses.intrinsics,
        distortion=hypotheses.distortion,
        lens_model=hypotheses.lens_model,
    )
    settings = replace(settings or VideoSettings(), min_confidence=0.0)
    if lag is None or not len(film):
        found = lift_video(lifter, film, settings, on_progress)
    else:
        live = OnlineVideoLifter(lifter, settings, lag=lag)
        found = played(film, live.push, live.flush, on_progress)
    could = hypotheses.lifted | ~found.lifted
    return replace(
        found,
        status=np.where(could, hypotheses.status, found.status).astype(STATUS_DTYPE),
        source_skeleton=hypotheses.source_skeleton,
        intrinsics_source=hypotheses.intrinsics_source,
    )
