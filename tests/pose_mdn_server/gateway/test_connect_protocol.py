import base64
import gzip
import json
import struct

import grpc
import numpy as np
import pytest
from google.rpc.error_details_pb2 import BadRequest

from pose_mdn.poses.keypoints import FloatArray
from pose_mdn_server.client import PoseLiftingClient
from pose_mdn_server.gateway.connect_protocol import HTTP_STATUSES
from pose_mdn_server.rpc.pose_lifting_pb2 import LiftRequest, LiftResponse, LiftStreamRequest, LiftStreamResponse

from .conftest import Answer, RunningGateway, Script

LIFT = "/pose_mdn.v1.PoseLiftingService/Lift"
LIFT_STREAM = "/pose_mdn.v1.PoseLiftingService/LiftStream"


def envelopes(*messages: bytes) -> bytes:
    return b"".join(struct.pack(">BI", 0, len(message)) + message for message in messages)


def opened(body: bytes) -> list[tuple[int, bytes]]:
    found = []
    while body:
        flags, length = struct.unpack_from(">BI", body)
        found.append((flags, body[5 : 5 + length]))
        assert len(found[-1][1]) == length
        body = body[5 + length :]
    return found


def as_json(people: FloatArray) -> bytes:
    flat = [float(value) if np.isfinite(value) else "NaN" for value in people.ravel()]
    return json.dumps({"keypointsPx": flat}).encode()


def error_of(answer: Answer) -> dict[str, object]:
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, object] = json.loads(answer.body)
    return found


def test_protobuf_and_json_answer_as_grpc_does(
    gateway: RunningGateway, client: PoseLiftingClient, people: FloatArray
) -> None:
    expected = client.lift(people)
    request = LiftRequest(keypoints_px=people.ravel()).SerializeToString()
    proto = gateway.post(LIFT, request, "application/proto", x_request_id="r7")
    assert proto.headers["content-type"] == "application/proto"
    assert proto.headers["trailer-x-request-id"] == "r7"
    np.testing.assert_array_equal(
        np.float32(LiftResponse.FromString(proto.body).means_m), expected.means_m.astype(np.float32).ravel()
    )
    answer = gateway.post(LIFT, as_json(people), "application/json; charset=utf-8")
    assert answer.headers["content-type"] == "application/json"
    np.testing.assert_array_equal(
        np.float32(json.loads(answer.body)["meansM"]), expected.means_m.astype(np.float32).ravel()
    )


def test_missing_joints_and_poses_are_nan_in_words(gateway: RunningGateway, people: FloatArray) -> None:
    people = people.copy()
    people[0] = np.nan
    content = json.loads(gateway.post(LIFT, as_json(people), "application/json").body)
    assert content["status"][0] == "LIFT_STATUS_NO_PERSON"
    assert set(content["meansM"][:51]) == {"NaN"}


def test_errors_have_a_status_a_code_and_the_fields_at_fault(gateway: RunningGateway) -> None:
    answer = gateway.post(LIFT, b'{"keypointsPx": [1, 2, 3]}', "application/json")
    assert answer.status == 400
    error = error_of(answer)
    assert error["code"] == "invalid_argument"
    (detail,) = (item for item in error["details"] if item["type"] == "google.rpc.BadRequest")
    value = BadRequest.FromString(base64.b64decode(detail["value"] + "=="))
    assert [item.field for item in value.field_violations] == ["keypoints_px"]
    assert detail["debug"]["fieldViolations"][0]["field"] == "keypoints_px"


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[]", b"null", b'"x"', b"\xff", b'{"keypointsPx": [null]}', b'{"keypointsPx": [NaN]}',
        b'{"keypointPx": []}', b"[" * 100_000, b'{"camera":' * 1000, b'{"keypointsPx": ["1e999999"]}',
        b'{"seed": 1e400}',
    ],
)  # fmt: skip
def test_what_is_no_json_of_the_message_is_an_invalid_argument(gateway: RunningGateway, body: bytes) -> None:
    answer = gateway.post(LIFT, body, "application/json")
    assert answer.status == 400
    assert error_of(answer)["code"] == "invalid_argument"
    assert "\n" not in str(error_of(answer)["message"])


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/grpc"])
def test_other_content_types_are_refused(gateway: RunningGateway, content_type: str) -> None:
    answer = gateway.post(LIFT, b"{}", content_type)
    assert answer.status == 415
    assert "application/json" in answer.headers["accept-post"]


def test_a_stream_is_not_called_as_a_unary_method(gateway: RunningGateway) -> None:
    assert gateway.post(LIFT_STREAM, b"{}", "application/json").status == 415
    assert gateway.post(LIFT, b"{}", "application/connect+json").status == 415


@pytest.mark.parametrize("code", list(HTTP_STATUSES))
def test_every_code_has_its_status(scripted: RunningGateway, script: Script, code: grpc.StatusCode) -> None:
    script.behave = lambda request, context: context.abort(code, "no: ünd so")
    answer = scripted.post(LIFT, b"", "application/proto")
    assert answer.status == HTTP_STATUSES[code]
    expected = "canceled" if code is grpc.StatusCode.CANCELLED else code.name.lower()
    assert error_of(answer) == {"code": expected, "message": "no: ünd so"}


def test_gzip_both_ways(gateway: RunningGateway, people: FloatArray) -> None:
    body = gzip.compress(as_json(people))
    answer = gateway.post(LIFT, body, "application/json", content_encoding="gzip", accept_encoding="br, gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.body))["numPoses"] == len(people)
    assert gateway.post(LIFT, body, "application/json", content_encoding="br").status == 501


def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(scripted: RunningGateway, script: Script) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 100_000
    assert scripted.post(LIFT, bomb, "application/proto", content_encoding="gzip").status == 429
    assert not script.called.is_set()


def test_streams_answer_in_order_and_end_with_a_word(gateway: RunningGateway, people: FloatArray) -> None:
    requests = [
        LiftStreamRequest(settings={}),
        *(LiftStreamRequest(poses={"keypoints_px": row.ravel()}) for row in people),
    ]
    body = envelopes(*(request.SerializeToString() for request in requests))
    answer = gateway.post(LIFT_STREAM, body, "application/connect+proto", x_request_id="r8")
    assert answer.status == 200
    *messages, (flags, end) = opened(answer.body)
    assert [LiftStreamResponse.FromString(message).lift.num_poses for _, message in messages] == [1] * len(people)
    assert flags == 2
    assert "error" not in json.loads(end)
    assert json.loads(end)["metadata"]["x-request-id"] == ["r8"]


def test_a_stream_that_fails_says_so_at_its_end(gateway: RunningGateway) -> None:
    body = envelopes(b'{"settings":{}}', b'{"poses":{"keypointsPx":[1]}}')
    answer = gateway.post(LIFT_STREAM, body, "application/connect+json")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/connect+json"
    ((flags, end),) = opened(answer.body)
    assert flags == 2
    assert json.loads(end)["error"]["code"] == "invalid_argument"


@pytest.mark.parametrize("body", [b"\x00", b"\x00\x00\x00\x00\x09x", b"\x80\x00\x00\x00\x00", b"\x01\x00\x00\x00\x01x"])
def test_broken_envelopes_are_an_invalid_argument(gateway: RunningGateway, body: bytes) -> None:
    ((flags, end),) = opened(gateway.post(LIFT_STREAM, body, "application/connect+json").body)
    assert flags == 2
    assert json.loads(end)["error"]["code"] == "invalid_argument"


def test_metadata_passes_both_ways(scripted: RunningGateway, script: Script) -> None:
    def behave(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.send_initial_metadata((("x-first", "1"), ("x-bytes-bin", b"\x00\xff"), ("content-length", "7")))
        context.set_trailing_metadata((("x-last", "2"), ("set-cookie", "a=b")))
        return request

    script.behave = behave
    answer = scripted.post(
        LIFT, b"", "application/proto",
        authorization="Bearer abc", x_request_id="r1", x_priority="bulk", x_blob_bin="AP8, AQ==",
        traceparent="00-1-2-3", cookie="secret=1", x_forwarded_for="6.6.6.6", grpc_previous_rpc_attempts="9",
    )  # fmt: skip
    assert answer.headers["x-first"] == "1"
    assert answer.headers["x-bytes-bin"] == "AP8"
    assert answer.headers["trailer-x-last"] == "2"
    assert answer.headers.get_all("content-length") == ["0"]
    assert "set-cookie" not in answer.headers
    assert "trailer-set-cookie" not in answer.headers
    sent = [item for item in script.metadata if item[0] != "user-agent"]
    assert sorted(sent) == [
        ("authorization", "Bearer abc"), ("traceparent", "00-1-2-3"),
        ("x-blob-bin", b"\x00\xff"), ("x-blob-bin", b"\x01"),
        ("x-forwarded-for", "127.0.0.1"), ("x-priority", "bulk"), ("x-request-id", "r1"),
    ]  # fmt: skip


def test_timeouts_become_deadlines(scripted: RunningGateway, script: Script) -> None:
    script.behave = script.hold
    answer = scripted.post(LIFT, b"", "application/proto", connect_timeout_ms="600")
    script.released.set()
    assert answer.status == 504
    assert error_of(answer)["code"] == "deadline_exceeded"
    assert script.remaining_s is not None
    assert script.remaining_s <= 0.6
    assert scripted.post(LIFT, b"", "application/proto", connect_timeout_ms="soon").status == 400


def test_an_unknown_version_of_the_protocol_is_refused(gateway: RunningGateway) -> None:
    assert gateway.post(LIFT, b"{}", "application/json", connect_protocol_version="2").status == 400


def test_a_caller_who_goes_away_cancels_the_call(scripted: RunningGateway, script: Script) -> None:
    script.behave = lambda request, context: b"" if script.cancelled.wait(20) else b"nobody left"
    with scripted.connect() as connection:
        head = f"POST {LIFT} HTTP/1.1", "host: localhost", "content-type: application/proto", "content-length: 0"
        connection.sendall("\r\n".join((*head, "", "")).encode())
        assert script.called.wait(10)
        assert not script.cancelled.is_set()
    assert script.cancelled.wait(10)
