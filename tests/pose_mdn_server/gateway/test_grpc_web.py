import base64
import gzip
import json
import struct
from urllib.parse import unquote

import grpc
import numpy as np
import pytest
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from pose_mdn.poses.keypoints import FloatArray
from pose_mdn_server.client import PoseLiftingClient
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.rpc.pose_lifting_pb2 import LiftRequest, LiftResponse, LiftStreamRequest, LiftStreamResponse

from .conftest import RunningGateway, Script, running_gateway
from .test_connect_protocol import LIFT, LIFT_STREAM, envelopes, opened


def split(body: bytes) -> tuple[list[bytes], dict[str, str]]:
    """Messages and trailers."""
    *messages, (flags, last) = opened(body)
    assert flags == 0x80
    lines = [line.split(": ", 1) for line in last.decode("ascii").split("\r\n") if line]
    return [message for _, message in messages], dict(lines)


def from_pieces(text: bytes) -> bytes:
    """What base64 with padding between its pieces holds."""
    return b"".join(base64.b64decode(text[at : at + 4]) for at in range(0, len(text), 4))


@pytest.mark.parametrize("content_type", ["application/grpc-web", "application/grpc-web+proto"])
def test_a_call_answers_as_grpc_does(
    gateway: RunningGateway, client: PoseLiftingClient, people: FloatArray, content_type: str
) -> None:
    request = LiftRequest(keypoints_px=people.ravel()).SerializeToString()
    answer = gateway.post(LIFT, envelopes(request), content_type, x_grpc_web="1", x_request_id="r9")
    assert (answer.status, answer.headers["content-type"]) == (200, content_type)
    (message,), trailers = split(answer.body)
    assert trailers["grpc-status"] == "0"
    assert trailers["x-request-id"] == "r9"
    means = np.float32(LiftResponse.FromString(message).means_m)
    np.testing.assert_array_equal(means, client.lift(people).means_m.astype(np.float32).ravel())


def test_text_is_the_same_in_base64(gateway: RunningGateway, people: FloatArray) -> None:
    request = envelopes(LiftRequest(keypoints_px=people.ravel()).SerializeToString())
    pieces = base64.b64encode(request[:7]) + base64.b64encode(request[7:])
    answer = gateway.post(LIFT, pieces, "application/grpc-web-text")
    (message,), trailers = split(from_pieces(answer.body))
    assert trailers["grpc-status"] == "0"
    assert LiftResponse.FromString(message).num_poses == len(people)
    _, trailers = split(from_pieces(gateway.post(LIFT, b"!!!", "application/grpc-web-text").body))
    assert trailers["grpc-status"] == str(grpc.StatusCode.INVALID_ARGUMENT.value[0])


def test_json_in_envelopes(gateway: RunningGateway, people: FloatArray) -> None:
    request = json.dumps({"keypointsPx": people.ravel().tolist()}).encode()
    (message,), _ = split(gateway.post(LIFT, envelopes(request), "application/grpc-web+json").body)
    assert json.loads(message)["numPoses"] == len(people)


def test_errors_stand_in_the_trailers(gateway: RunningGateway) -> None:
    request = LiftRequest(keypoints_px=[1.0]).SerializeToString()
    answer = gateway.post(LIFT, envelopes(request), "application/grpc-web+proto")
    assert answer.status == 200
    messages, trailers = split(answer.body)
    assert not messages
    assert trailers["grpc-status"] == "3"
    assert "keypoints_px: expected" in unquote(trailers["grpc-message"])
    packed = trailers["grpc-status-details-bin"]
    violations = BadRequest()
    assert any(
        d.Unpack(violations) for d in Status.FromString(base64.b64decode(packed + "=" * (-len(packed) % 4))).details
    )
    assert violations.field_violations[0].field == "keypoints_px"


def test_messages_of_statuses_survive_any_characters(scripted: RunningGateway, script: Script) -> None:
    text = "100 % of\r\nx-evil: 1 ünd 人"
    script.behave = lambda request, context: context.abort(grpc.StatusCode.NOT_FOUND, text)
    _, trailers = split(scripted.post(LIFT, envelopes(b""), "application/grpc-web").body)
    assert unquote(trailers["grpc-message"]) == text
    assert "x-evil" not in trailers


def test_streams(gateway: RunningGateway, people: FloatArray) -> None:
    requests = [
        LiftStreamRequest(settings={}),
        *(LiftStreamRequest(poses={"keypoints_px": row.ravel()}) for row in people),
    ]
    body = envelopes(*(request.SerializeToString() for request in requests))
    messages, trailers = split(gateway.post(LIFT_STREAM, body, "application/grpc-web+proto").body)
    assert [LiftStreamResponse.FromString(message).lift.num_poses for message in messages] == [1] * len(people)
    assert trailers["grpc-status"] == "0"


def test_gzip_both_ways(gateway: RunningGateway, people: FloatArray) -> None:
    packed = gzip.compress(LiftRequest(keypoints_px=people.ravel()).SerializeToString())
    body = struct.pack(">BI", 1, len(packed)) + packed
    answer = gateway.post(LIFT, body, "application/grpc-web", grpc_encoding="gzip", grpc_accept_encoding="gzip")
    assert answer.headers["grpc-encoding"] == "gzip"
    (flags, message), _ = opened(answer.body)
    assert flags == 1
    assert LiftResponse.FromString(gzip.decompress(message)).num_poses == len(people)


def test_timeouts_become_deadlines(scripted: RunningGateway, script: Script) -> None:
    script.behave = script.hold
    _, trailers = split(scripted.post(LIFT, envelopes(b""), "application/grpc-web", grpc_timeout="150m").body)
    script.released.set()
    assert trailers["grpc-status"] == "4"
    _, trailers = split(scripted.post(LIFT, envelopes(b""), "application/grpc-web", grpc_timeout="1 day").body)
    assert trailers["grpc-status"] == "3"


@pytest.mark.parametrize("count", [0, 2])
def test_a_unary_call_has_one_message(gateway: RunningGateway, count: int) -> None:
    _, trailers = split(gateway.post(LIFT, envelopes(*[b""] * count), "application/grpc-web").body)
    assert trailers["grpc-status"] == "3"


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with running_gateway(ServerConfig(http_port=0, workers=1, drain_s=1.0), "127.0.0.1:1") as alone:
        _, trailers = split(alone.post(LIFT, envelopes(b""), "application/grpc-web").body)
        assert trailers["grpc-status"] == str(grpc.StatusCode.UNAVAILABLE.value[0])
        assert alone.post(LIFT, b"{}", "application/json").status == 503
