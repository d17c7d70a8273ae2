import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn_server.codec.twins import chunks_to_array, has_unpacked, packed_twin, twin
from pose_mdn_server.rpc import open_inference_pb2 as oip
from pose_mdn_server.rpc import pose_lifting_pb2 as lifting

LiftTwin = packed_twin(lifting.LiftRequest)
FLOATS = st.lists(st.floats(width=32, allow_nan=False), max_size=40)


def lift_request(values: list[float]) -> lifting.LiftRequest:
    request = lifting.LiftRequest(keypoints_px=values, skeleton="coco17", seed=3)
    request.camera.intrinsics.extend(values[:9])
    return request


@given(FLOATS)
def test_a_twin_reads_and_writes_what_the_original_does(values: list[float]) -> None:
    request = lift_request(values)
    wire = request.SerializeToString(deterministic=True)
    read = LiftTwin.FromString(wire)
    assert read.SerializeToString(deterministic=True) == wire
    assert (read.skeleton, read.seed) == (request.skeleton, request.seed)
    assert list(read.camera.intrinsics) == list(request.camera.intrinsics)
    assert not has_unpacked(read)
    np.testing.assert_array_equal(
        chunks_to_array(read.keypoints_px, np.float32), np.array(request.keypoints_px, np.float32)
    )


@given(FLOATS)
def test_what_a_twin_writes_the_original_reads(values: list[float]) -> None:
    written = LiftTwin(keypoints_px=[np.array(values, "<f4").tobytes()], skeleton="coco17")
    assert lifting.LiftRequest.FromString(written.SerializeToString()) == lifting.LiftRequest(
        keypoints_px=values, skeleton="coco17"
    )


@given(FLOATS, FLOATS)
def test_chunks_of_a_list_are_joined(first: list[float], second: list[float]) -> None:
    parts = [lifting.LiftRequest(keypoints_px=values).SerializeToString() for values in (first, second)]
    joined = chunks_to_array(LiftTwin.FromString(b"".join(parts)).keypoints_px, np.float32)
    np.testing.assert_array_equal(joined, np.array(first + second, np.float32))


def unpacked(field: int, values: list[float]) -> bytes:
    """Each number by itself, with the tag of a 32-bit value."""
    return b"".join(bytes([field << 3 | 5]) + np.float32(value).tobytes() for value in values)


def test_lists_of_single_numbers_are_noticed() -> None:
    wire = unpacked(1, [1.0, 2.0, 3.0])
    assert list(lifting.LiftRequest.FromString(wire).keypoints_px) == [1.0, 2.0, 3.0]
    assert has_unpacked(LiftTwin.FromString(wire))
    mixed = lift_request([4.0]).SerializeToString() + wire
    assert has_unpacked(LiftTwin.FromString(mixed))


def test_fields_that_nobody_knows_are_not_taken_for_lists() -> None:
    assert not has_unpacked(LiftTwin.FromString(lift_request([1.0]).SerializeToString() + b"\xfa\x7f\x01x"))


@pytest.mark.parametrize("chunks", [[b"abc"], [b"abcdefghi"], [b"ab", b"cd"], [b"abcd", b"e"]])
def test_halves_of_numbers_are_refused_as_the_original_refuses_them(chunks: list[bytes]) -> None:
    with pytest.raises(ValueError, match="expected packed numbers of 4 bytes"):
        chunks_to_array(chunks, np.float32)
    with pytest.raises(DecodeError):
        lifting.LiftRequest.FromString(LiftTwin(keypoints_px=chunks).SerializeToString())


def test_one_chunk_is_not_copied() -> None:
    chunk = np.arange(34, dtype="<f4").tobytes()
    array = chunks_to_array([chunk], np.float32)
    assert array.base is chunk or np.shares_memory(array, np.frombuffer(chunk, np.uint8))
    assert not array.flags.writeable
    assert chunks_to_array([], np.float64).shape == (0,)


def test_messages_and_maps_can_be_left_as_bytes() -> None:
    request = oip.ModelInferRequest(model_name="m", raw_input_contents=[b"x"])
    for name in ("a", "b"):
        request.inputs.add(name=name, datatype="FP32", shape=[1, 17])
    request.parameters["priority"].int64_param = 1
    read = twin(oip.ModelInferRequest, bytes_fields=("inputs", "parameters")).FromString(request.SerializeToString())
    assert list(read.inputs) == [tensor.SerializeToString() for tensor in request.inputs]
    assert len(read.parameters) == 1
    assert oip.ModelInferRequest.FromString(read.SerializeToString()) == request


def test_a_choice_may_lose_members() -> None:
    parameter = oip.InferParameter(string_param="x")
    assert list(
        twin(oip.InferParameter, bytes_fields=["string_param"]).FromString(parameter.SerializeToString()).string_param
    ) == [b"x"]


@pytest.mark.parametrize("field", ["seed", "nothing"])
def test_only_fields_that_look_like_bytes_can_be_left(field: str) -> None:
    with pytest.raises(ValueError, match=f"got '{field}'"):
        twin(lifting.LiftRequest, bytes_fields=[field])


def test_a_twin_is_made_once() -> None:
    assert packed_twin(lifting.LiftRequest) is LiftTwin
