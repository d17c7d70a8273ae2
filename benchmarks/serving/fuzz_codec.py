"""Coverage-guided fuzzing of what turns messages into arrays, with atheris (optional: `pip install atheris`).

    python benchmarks/serving/fuzz_codec.py [-max_total_time=60] [FOLDER-OF-INPUTS]

Every decoder gets the same bytes. It may refuse them with an error of the project's hierarchy, which becomes a status,
or give arrays; anything else is a bug and stops the run with the bytes that caused it. What the short road of Lift
takes must be exactly what the thorough road takes. All options are libFuzzer's.
"""

import sys
from collections.abc import Callable
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["pose_mdn_server.codec", "pose_mdn.poses", "pose_mdn.geometry"]):
    from pose_mdn_server.codec.fusion_request import decode_fusion_request
    from pose_mdn_server.codec.lifting import decode_lift_request
    from pose_mdn_server.codec.reprojection_request import decode_check_request
    from pose_mdn_server.codec.short_lift import ShortLiftDecoder

import numpy as np
from google.protobuf.message import DecodeError, Message
from prepared_requests import lift_message, people

from pose_mdn.errors import PoseMDNError
from pose_mdn_server.rpc import pose_fusion_pb2, pose_lifting_pb2, reprojection_pb2

MAX_POSES = 64
DECODERS: tuple[tuple[type[Message], Callable[..., object]], ...] = (
    (reprojection_pb2.CheckReprojectionRequest, decode_check_request),
    (pose_fusion_pb2.FusePosesRequest, decode_fusion_request),
)
SHORT = ShortLiftDecoder(max_poses=MAX_POSES)


def try_all(data: bytes) -> None:
    """Decode bytes in every way there is."""
    for kind, decode in DECODERS:
        with suppress(PoseMDNError, DecodeError):
            decode(kind.FromString(data), max_poses=MAX_POSES)
    with suppress(DecodeError):
        request = pose_lifting_pb2.LiftRequest.FromString(data)
        with suppress(PoseMDNError):
            decode_lift_request(request, max_poses=MAX_POSES)
    roads_agree(data)


def roads_agree(data: bytes) -> None:
    """The short road of Lift takes nothing that the thorough one refuses, and reads the same numbers.

    Raises:
        AssertionError: It reads others.
        PoseMDNError: The thorough road refuses what the short one took.
    """
    try:
        short = SHORT.decode(data)
    except DecodeError:
        return
    if short is None:
        return
    request = pose_lifting_pb2.LiftRequest.FromString(data)
    thorough = decode_lift_request(request, max_poses=MAX_POSES).keypoints
    np.testing.assert_array_equal(short.keypoints_px, thorough.keypoints_px)
    np.testing.assert_array_equal(short.confidence, thorough.confidence)


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """What libFuzzer makes of some bytes; now and then it begins with a valid request."""
    start = data if len(data) > 1 and seed % 50 else lift_message(people(1, seed % 100))
    return atheris.Mutate(start[:max_size], max_size)


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough."""
    atheris.Setup(sys.argv, try_all, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
