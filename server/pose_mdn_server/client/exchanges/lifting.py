"""Poses to be lifted."""

from collections.abc import Sequence
from functools import partial

from numpy.typing import ArrayLike

from pose_mdn.geometry.body import KnownBody
from pose_mdn.geometry.ground_plane import GroundPlane
from pose_mdn.geometry.known_distance import KnownDistance
from pose_mdn.inference.arrays import sequence_from_arrays
from pose_mdn.poses.confidences import refuse_percentages
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.poses.lens_model import BROWN, LensModel
from pose_mdn_server.client.exchange import Exchange
from pose_mdn_server.codec.lifting import decode_lift_response, encode_lift_request
from pose_mdn_server.codec.methods import LIFT


def lift(
    keypoints_px: ArrayLike,
    confidence: ArrayLike | None = None,
    *,
    skeleton: str = "human36m17",
    intrinsics: ArrayLike | None = None,
    distortion: ArrayLike | None = None,
    lens_model: LensModel = BROWN,
    image_size: tuple[int, int] | None = None,
    model: str = "mdn_lifter",
    body: KnownBody | None = None,
    distances: Sequence[KnownDistance] = (),
    ground: GroundPlane | None = None,
    estimate_focal: bool = False,
    num_hypotheses: int | None = None,
    seed: int = 0,
) -> Exchange[HypothesisSequence]:
    """Lift poses.

    Args:
        keypoints_px: (N, J, 2) pixels, or (J, 2) for one pose; NaN where a joint was not seen.
        confidence: (N, J), or (J,), from 0 (missing) to 1; all 1 if absent.
        skeleton: Name of the layout of the J joints.
        intrinsics: (3, 3) or (N, 3, 3) pinhole matrix in pixels, if known.
        distortion: OpenCV coefficients, if the lens distorts.
        lens_model: "brown" or "fisheye": what they mean.
        image_size: (width, height) in pixels, if known.
        model: "NAME" for its newest version, or "NAME/VERSION".
        body: The size of these people, if it is known.
        distances: Between joints of this one person; frames are places in the call.
        ground: On which this one person stands.
        estimate_focal: Whether to estimate the focal length; needs the size of the picture and no intrinsics.
        num_hypotheses: How many poses a model that samples (`cvae_lifter`) gives.
        seed: Seed of such a model's noise.

    Raises:
        InputError: The server refused the request; the message names the field.
        ModelNotFoundError: The server has no such model.
        OverloadedError: The server is too busy, or this client's quota is used up; it says when to try again.
        ServerUnavailableError: There was no answer.
    """
    sequence = sequence_from_arrays(
        keypoints_px,
        confidence,
        skeleton=skeleton,
        intrinsics=intrinsics,
        distortion=distortion,
        lens_model=lens_model,
        image_size=image_size,
    )
    return lift_sequence(
        sequence,
        model=model,
        body=body,
        distances=distances,
        ground=ground,
        estimate_focal=estimate_focal,
        num_hypotheses=num_hypotheses,
        seed=seed,
    )


def lift_sequence(
    sequence: KeypointSequence,
    *,
    model: str = "mdn_lifter",
    body: KnownBody | None = None,
    distances: Sequence[KnownDistance] = (),
    ground: GroundPlane | None = None,
    estimate_focal: bool = False,
    num_hypotheses: int | None = None,
    seed: int = 0,
) -> Exchange[HypothesisSequence]:
    """Lift a sequence in one call; see `lift`."""
    refuse_percentages(sequence.confidence)
    name, _, version = model.partition("/")
    request = encode_lift_request(
        sequence,
        model_name=name,
        model_version=version,
        body=body,
        distances=distances,
        ground=ground,
        estimate_focal=estimate_focal,
        num_hypotheses=num_hypotheses,
        seed=seed,
    )
    return Exchange(LIFT, request, partial(decode_lift_response, sequence=sequence))
