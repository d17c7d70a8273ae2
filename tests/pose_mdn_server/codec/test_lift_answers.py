import struct

import numpy as np

from pose_mdn.inference import load_lifter
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn_server.codec.lifting import decode_lift_response, encode_lift_response, parse_lift_response
from pose_mdn_server.rpc.pose_lifting_pb2 import LiftResponse


def test_an_answer_is_read_alike_from_bytes_and_from_its_message(clip: KeypointSequence) -> None:
    rows = clip.take(slice(0, 5))
    message = encode_lift_response(load_lifter().lift(rows))
    fast, plain = (
        decode_lift_response(parsed, rows) for parsed in (parse_lift_response(message.SerializeToString()), message)
    )
    for name, value in vars(plain).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(fast, name), value, err_msg=name)
            assert getattr(fast, name).dtype == value.dtype, name
            assert getattr(fast, name).flags.writeable, name
        else:
            assert getattr(fast, name) == value, name


def test_numbers_that_were_not_packed_are_read_too() -> None:
    tag = LiftResponse.DESCRIPTOR.fields_by_name["mixing_coefficients"].number << 3 | 5
    one_by_one = b"".join(struct.pack("<Bf", tag, weight) for weight in (0.25, 0.75))
    header = LiftResponse(num_poses=1, num_hypotheses=2).SerializeToString()
    assert list(parse_lift_response(header + one_by_one).mixing_coefficients) == [0.25, 0.75]
