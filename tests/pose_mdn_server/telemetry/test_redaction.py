import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.errors import ConfigError
from pose_mdn_server.calls import Call
from pose_mdn_server.rpc import pose_lifting_pb2
from pose_mdn_server.telemetry.redaction import REDACTED, plain_text, plain_value

LOG = logging.getLogger("pose_mdn_server.made_up")
TOKEN = "pmdn_Zm9vYmFyYmF6cXV4MTIzNDU2"
CALL = Call(path="/a.B/C", request_id="4711", metadata={"authorization": f"Bearer {TOKEN}"})
Lines = Callable[[], list[str]]


SECRETS = [
    pytest.param("call %s", (CALL,), {}, id="a call with its metadata"),
    pytest.param("got %s", ({"authorization": f"Bearer {TOKEN}"},), {}, id="metadata"),
    pytest.param("got %(authorization)s", ({"authorization": f"Bearer {TOKEN}"},), {}, id="metadata by name"),
    pytest.param("got %s", ((("authorization", f"Bearer {TOKEN}"),),), {}, id="metadata as gRPC has it"),
    pytest.param(f"header authorization: Bearer {TOKEN}", (), {}, id="in the message"),
    pytest.param(f"[('Authorization', 'Bearer {TOKEN}')]", (), {}, id="a list in the message"),
    pytest.param(f"bearer  {TOKEN} is unknown", (), {}, id="without its name"),
    pytest.param("%s is unknown", (TOKEN,), {}, id="alone"),
    pytest.param("refused", (), {"authorization": f"Bearer {TOKEN}"}, id="as a field"),
    pytest.param("refused", (), {"client_token": TOKEN}, id="as a field of another name"),
    pytest.param("refused", (), {"details": {"authorization": TOKEN}}, id="inside a field"),
    pytest.param("refused: %s", (ValueError(f"authorization: Bearer {TOKEN}"),), {}, id="in an exception"),
]


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(("message", "arguments", "fields"), SECRETS)
def test_tokens_never_get_into_a_log(
    configure: Callable[..., Lines],
    log_format: str,
    message: str,
    arguments: tuple[object, ...],
    fields: dict[str, object],
) -> None:
    lines = configure(log_format)
    LOG.warning(message, *arguments, extra=fields)
    text = "\n".join(lines())
    assert "made_up" in text
    assert TOKEN not in text


@pytest.mark.parametrize("name", ["authorization", "client_secret", "api_key", "Cookie", "keypoints_px", "metadata"])
def test_fields_named_like_secrets_are_withheld(configure: Callable[..., Lines], name: str) -> None:
    lines = configure("json")
    LOG.warning("got", extra={name: "open sesame"})
    LOG.warning("got %(" + name + ")s", {name: "open sesame"})
    first, second = map(json.loads, lines())
    assert first[name] == REDACTED
    assert second["message"] == f"got {REDACTED}"


KEYPOINTS = np.random.default_rng(7).uniform(100, 900, (17, 2))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(KEYPOINTS, id="array"),
        pytest.param(KEYPOINTS.tolist(), id="list"),
        pytest.param(KEYPOINTS.astype(np.float32).tobytes(), id="bytes"),
        pytest.param(str(KEYPOINTS), id="printed"),
        pytest.param(repr(KEYPOINTS.astype(np.float32)), id="repr"),
        pytest.param("\n".join(f"keypoints_px: {value}" for value in KEYPOINTS.ravel()), id="a message as text"),
        pytest.param(json.dumps(KEYPOINTS.round(2).tolist()), id="JSON"),
        pytest.param(ValueError(f"got {KEYPOINTS}"), id="in an exception"),
        pytest.param({"keypoints": KEYPOINTS}, id="mapping"),
    ],
)
@pytest.mark.parametrize("how", ["argument", "field", "message"])
def test_keypoints_never_get_into_a_log(configure: Callable[..., Lines], value: object, how: str) -> None:
    lines = configure("json")
    if how == "argument":
        LOG.warning("got %s and %r", value, value)
    elif how == "field":
        LOG.warning("got", extra={"pose": value})
    else:
        LOG.warning(value)
    text = "\n".join(lines())
    shown = [number for number in KEYPOINTS.ravel() if f"{number:.2f}"[:-1] in text]
    assert shown == []


@given(
    st.lists(st.floats(0.5, 4000, allow_subnormal=False), min_size=4, max_size=12),
    st.sampled_from([", ", " ", "; ", "\n", ") ("]),
)
def test_four_coordinates_in_a_row_are_not_told(numbers: list[float], between: str) -> None:
    text = between.join(f"{number:.3f}" for number in numbers)
    assert plain_text(f"keypoints {text} of a person") == f"keypoints {REDACTED} of a person"


@pytest.mark.parametrize(
    "text",
    [
        "serving on 127.0.0.1:8001, metrics on 127.0.0.1:8002, tokens of 3 clients",
        "keypoints: expected shape (..., 17, 2) for skeleton 'human36m', got (4, 16, 2)",
        "stopped after 20.0 s; 3 calls took longer than 5.5 s",
        "the token expires in 3 days",
        "basic checks of mdn_lifter/1 took 0.25 s",
        "",
    ],
)
def test_ordinary_messages_stay_as_they_are(text: str) -> None:
    assert plain_text(text) == text


class Report:
    """Of one of our modules, with a text for people."""

    __module__ = "pose_mdn_server.models.report"

    def __str__(self) -> str:
        return "added mdn_lifter/2"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Path("/models/mdn_lifter"), "/models/mdn_lifter"),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (Report(), "added mdn_lifter/2"),
        (ConfigError("port: expected another"), "port: expected another"),
        (OSError("disk full"), "OSError: disk full"),
        (np.zeros((3, 2)), "<ndarray (3, 2)>"),
        ((1.0, 2.0), "<tuple of 2>"),
        (object(), "<object>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_told_if_they_are_for_people(value: object, shown: object) -> None:
    assert plain_value(value) == shown


def test_a_message_of_ours_is_told_by_its_kind_alone() -> None:
    request = pose_lifting_pb2.LiftRequest(keypoints_px=[101.5, 202.5])
    assert plain_value(request) == "<LiftRequest>"
