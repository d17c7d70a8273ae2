"""The short road and the thorough road of a lift request lead to the same place."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.skeletons import get_skeleton
from pose_mdn_server.codec.lifting import decode_lift_request, encode_lift_response
from pose_mdn_server.codec.short_lift import LiftFrame, ShortLiftDecoder
from pose_mdn_server.errors import RequestError
from pose_mdn_server.lanes import LiftLane
from pose_mdn_server.rpc import pose_lifting_pb2 as pb

MAX_POSES = 8
MATRIX = [1100.0, 0, 500, 0, 1100, 500, 0, 0, 1]


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return load_lifter(threads=1)


@st.composite
def requests(draw: st.DrawFn) -> pb.LiftRequest:
    """Requests of every kind, right and wrong."""
    joints = get_skeleton(name).num_joints if (name := draw(st.sampled_from(["", "coco17", "body25"]))) else 17
    count = draw(st.integers(0, MAX_POSES + 2))
    seed = draw(st.integers(0, 1000))
    rng = np.random.default_rng(seed)
    scale = draw(st.sampled_from([1.0, 900.0, 900.0, 900.0]))
    points = rng.uniform(0, scale, count * joints * 2 + draw(st.sampled_from([0, 0, 0, 1])))
    points[rng.random(points.size) < draw(st.sampled_from([0.0, 0.1]))] = np.nan
    request = pb.LiftRequest(skeleton=name or draw(st.sampled_from(["", "human36m17", "nobody"])), keypoints_px=points)
    if draw(st.booleans()):
        highest = draw(st.sampled_from([1.0, 1.0, 1.0, 1.5]))
        request.confidence.extend(rng.uniform(0, highest, count * joints + draw(st.sampled_from([0, 0, 0, 1]))))
    match draw(st.sampled_from(["matrix", "size", "both", "matrices", "lens", "none", "wrong"])):
        case "matrix" | "lens" as kind:
            request.camera.intrinsics.extend(MATRIX)
            request.camera.distortion.extend([-0.1, 0.02, 0, 0, 0] if kind == "lens" else [])
        case "both":
            request.camera.intrinsics.extend(MATRIX)
            request.camera.image_width_px = request.camera.image_height_px = 700
        case "size":
            request.camera.image_width_px = request.camera.image_height_px = 1000
        case "matrices":
            request.camera.intrinsics.extend(MATRIX * count)
        case "wrong":
            request.camera.intrinsics.extend(MATRIX[:5])
    if draw(st.integers(0, 9)) == 0:
        request.body.stature_m = 1.8
    return request


@given(request=requests())
def test_whatever_takes_the_short_road_is_what_the_thorough_road_reads(request: pb.LiftRequest) -> None:
    decoder = ShortLiftDecoder(max_poses=MAX_POSES)
    data = request.SerializeToString()
    # The second time the header is remembered.
    for short in (decoder.decode(data), decoder.decode(data)):
        if short is None:
            continue
        job = decode_lift_request(request, max_poses=MAX_POSES)
        np.testing.assert_array_equal(short.keypoints_px, job.keypoints.keypoints_px)
        np.testing.assert_array_equal(short.confidence, job.keypoints.confidence)
        assert short.header.skeleton is job.keypoints.skeleton
        assert short.header.camera.image_size == job.keypoints.image_size
        assert job.body is None
        assert len(short.intrinsics) == len(job.keypoints)


@given(request=requests())
def test_what_is_wrong_never_takes_the_short_road(request: pb.LiftRequest) -> None:
    try:
        decode_lift_request(request, max_poses=MAX_POSES)
    except RequestError:
        assert ShortLiftDecoder(max_poses=MAX_POSES).decode(request.SerializeToString()) is None


def simple(count: int = 3) -> pb.LiftRequest:
    points = np.random.default_rng(count).uniform(100, 900, count * 34)
    request = pb.LiftRequest(keypoints_px=points, confidence=np.full(count * 17, 0.9))
    request.camera.intrinsics.extend(MATRIX)
    return request


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("change", [{}, {"skeleton": "coco17"}, {"num_hypotheses": 5}])
def test_answers_are_the_same_to_the_last_bit(lifter: Lifter, count: int, change: dict[str, Any]) -> None:
    request = simple(count)
    request.MergeFrom(pb.LiftRequest(**change))
    request.keypoints_px[3] = np.nan
    short = ShortLiftDecoder(max_poses=MAX_POSES).decode(request.SerializeToString())
    assert short is not None
    header = short.header
    lane = LiftLane(
        lifter,
        skeleton=header.skeleton,
        image_size=header.camera.image_size,
        distortion=header.camera.distortion,
        lens_model=header.camera.lens_model,
    )
    columns = lane.run(
        {"keypoints_px": short.keypoints_px, "confidence": short.confidence, "intrinsics": short.intrinsics}
    )
    answer = LiftFrame(header, columns, model=f"{lifter.name}/{lifter.version}").fill(columns)
    job = decode_lift_request(request, max_poses=MAX_POSES)
    expected = encode_lift_response(lifter.lift(job.keypoints))
    assert pb.LiftResponse.FromString(answer).SerializeToString(deterministic=True) == expected.SerializeToString(
        deterministic=True
    )


def test_lists_in_pieces_are_joined_and_single_numbers_take_the_thorough_road() -> None:
    request = simple()
    data = request.SerializeToString()
    first, second = pb.LiftRequest(), pb.LiftRequest()
    first.CopyFrom(request)
    del first.keypoints_px[10:]
    second.keypoints_px.extend(request.keypoints_px[10:])
    decoder = ShortLiftDecoder(max_poses=MAX_POSES)
    whole, joined = decoder.decode(data), decoder.decode(first.SerializeToString() + second.SerializeToString())
    assert whole is not None
    assert joined is not None
    np.testing.assert_array_equal(joined.keypoints_px, whole.keypoints_px)
    # One more pose, number by number: tag 1 with wire type 5.
    singles = b"".join(b"\x0d" + np.float32(value).tobytes() for value in range(34))
    assert decoder.decode(data + singles) is None


def test_headers_are_remembered_without_end() -> None:
    decoder = ShortLiftDecoder(max_poses=MAX_POSES)
    request = simple(1)
    for seed in range(5000):
        request.seed = seed
        assert decoder.decode(request.SerializeToString()) is not None
    assert len(decoder._headers) <= 4096
