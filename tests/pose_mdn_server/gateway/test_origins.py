import json

import pytest

from pose_mdn.errors import ConfigError
from pose_mdn_server.config import ServerConfig

from .conftest import PAGE_ORIGIN, RunningGateway
from .test_connect_protocol import LIFT


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8002",
        "localhost",
        "LOCALHOST:1",
        "a.localhost",
        "[::1]:8002",
        "10.2.3.4:8002",
        "poses.example",
    ],
)
def test_addresses_and_our_names_are_hosts(gateway: RunningGateway, host: str) -> None:
    assert gateway.ask("GET", "/healthz", headers={"host": host}).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "poses.example.evil.example", "a@localhost"],
)
def test_other_names_are_refused_everywhere(gateway: RunningGateway, host: str) -> None:
    for method, path in (("GET", "/metrics"), ("POST", LIFT), ("OPTIONS", LIFT)):
        answer = gateway.ask(method, path, b"" if method == "POST" else None, {"host": host})
        assert answer.status == 403
        assert "http_allowed_hosts" in json.loads(answer.body)["message"]


def preflight(gateway: RunningGateway, origin: str, headers: str = "content-type") -> "tuple[int, dict[str, str]]":
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": headers,
        "access-control-request-private-network": "true",
    }
    answer = gateway.ask("OPTIONS", LIFT, headers=asked)
    return answer.status, {name.lower(): value for name, value in answer.headers.items()}


def test_a_preflight_from_an_allowed_origin_allows_what_the_protocols_need(gateway: RunningGateway) -> None:
    status, headers = preflight(gateway, PAGE_ORIGIN, "content-type, X-Own, bad name")
    assert status == 204
    assert headers["access-control-allow-origin"] == PAGE_ORIGIN
    assert headers["access-control-allow-private-network"] == "true"
    assert "POST" in headers["access-control-allow-methods"]
    allowed = headers["access-control-allow-headers"].split(", ")
    needed = {"connect-protocol-version", "connect-timeout-ms", "grpc-timeout", "x-grpc-web", "authorization", "x-own"}
    assert needed <= set(allowed)
    assert "bad name" not in allowed
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize(
    "origin", ["null", "http://page.example", "http://page.example:3000.evil", "https://page.example:3000"]
)
def test_other_origins_get_nothing(gateway: RunningGateway, origin: str) -> None:
    status, headers = preflight(gateway, origin)
    assert status == 403
    assert "access-control-allow-origin" not in headers
    answer = gateway.post(LIFT, b"{}", "application/json", origin=origin)
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers


def test_pages_of_an_allowed_origin_may_read_answers_and_errors(gateway: RunningGateway) -> None:
    for body, content_type, status in (
        (b"{}", "application/json", 400),
        (b"", "application/proto", 400),
        (b"", "text/x", 415),
    ):
        answer = gateway.post(LIFT, body, content_type, origin=PAGE_ORIGIN)
        assert answer.status == status
        assert answer.headers["access-control-allow-origin"] == PAGE_ORIGIN
        assert "grpc-status" in answer.headers["access-control-expose-headers"]
        assert "origin" in answer.headers["vary"]


def test_a_page_of_this_port_itself_may_call(gateway: RunningGateway) -> None:
    own = f"http://127.0.0.1:{gateway.port}"
    assert gateway.post(LIFT, b"{}", "application/json", origin=own).status == 400
    assert gateway.post(LIFT, b"{}", "application/json", origin=own.replace("http:", "https:")).status == 403


@pytest.mark.parametrize("origin", ["*", "page.example", "https://page.example/", "https://Page.example", "null"])
def test_settings_that_could_never_match_are_refused(origin: str) -> None:
    with pytest.raises(ConfigError, match="http_allowed_origins"):
        ServerConfig(http_allowed_origins=(origin,))
