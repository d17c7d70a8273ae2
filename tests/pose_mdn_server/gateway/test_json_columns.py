import json

import numpy as np
import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pose_mdn_server.gateway.http_errors import RefusedCallError
from pose_mdn_server.gateway.json_columns import to_json
from pose_mdn_server.gateway.message_format import JSON, from_wire, to_wire
from pose_mdn_server.rpc.model_pb2 import ListModelsResponse, Model
from pose_mdn_server.rpc.pose_lifting_pb2 import LiftRequest, LiftResponse, LiftStreamResponse

# Protobuf's own reader refuses the largest float that its writer writes, and NaN has one form in JSON.
ODD = st.sampled_from([np.nan, np.inf, -np.inf, -0.0])
FLOATS = hnp.arrays(np.float32, st.integers(0, 30), elements=st.floats(-(2.0**99), 2.0**99, width=32) | ODD)
DOUBLES = hnp.arrays(np.float64, st.integers(0, 9), elements=st.floats(allow_nan=False) | ODD)


@given(FLOATS, DOUBLES, st.text(max_size=9), st.lists(st.integers(0, 4), max_size=4), st.lists(st.integers(-9, 9)))
def test_json_is_what_protobuf_writes(
    floats: np.ndarray, doubles: np.ndarray, text: str, statuses: list[int], frames: list[int]
) -> None:
    lift = LiftResponse(means_m=floats, intrinsics=doubles, intrinsics_source=text, num_poses=3, status=statuses)
    message = LiftStreamResponse(lift=lift, frame=frames, is_rest=True)
    expected = json_format.MessageToDict(message)
    written = json.loads(to_json(LiftStreamResponse.FromString(message.SerializeToString())))
    assert written.keys() == expected.keys()
    assert written["lift"].keys() == expected["lift"].keys()
    assert json_format.ParseDict(written, LiftStreamResponse()).SerializeToString() == message.SerializeToString()


@given(FLOATS, DOUBLES, st.text(max_size=9))
def test_requests_survive_json(floats: np.ndarray, doubles: np.ndarray, text: str) -> None:
    request = LiftRequest(keypoints_px=floats, camera={"intrinsics": doubles}, skeleton=text, seed=2**63)
    wire = request.SerializeToString()
    assert to_wire(from_wire(wire, JSON, LiftRequest), JSON, LiftRequest) == wire


def test_messages_without_columns() -> None:
    assert to_json(LiftResponse()) == b"{}"
    models = ListModelsResponse(models=[Model(name="a", metadata={"licence": "ü"})])
    assert to_json(models).decode() == '{"models":[{"name":"a","metadata":{"licence":"ü"}}]}'


def test_long_columns_are_whole() -> None:
    values = np.arange(10_001, dtype=np.float32)
    assert json.loads(to_json(LiftResponse(means_m=values)))["meansM"] == values.tolist()


def test_what_the_server_may_not_have_sent_is_its_fault() -> None:
    with pytest.raises(RefusedCallError, match="no message of its kind"):
        from_wire(b"\xff\xff", JSON, LiftResponse)
