import json

import pytest

from .conftest import RunningGateway


def test_metrics_come_in_the_format_that_is_accepted(gateway: RunningGateway) -> None:
    plain = gateway.ask("GET", "/metrics")
    assert (plain.status, plain.body) == (200, b"up 1\n")
    assert plain.headers["content-type"].startswith("text/plain")
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"
    assert gateway.ask("GET", "/metrics", headers={"accept": accept}).body == b"# EOF\n"


def test_readiness_is_a_status_and_says_why(scripted: RunningGateway) -> None:
    assert scripted.ask("GET", "/readyz").status == 200
    scripted.supervisor.ready = {"ready": False, "reason": "models are loading"}
    answer = scripted.ask("GET", "/readyz")
    assert answer.status == 503
    assert json.loads(answer.body) == {"ready": False, "reason": "models are loading"}


def test_a_supervisor_that_fails_is_not_ready_and_shows_no_trace(scripted: RunningGateway) -> None:
    scripted.supervisor.failure = RuntimeError("a secret of the house")
    assert scripted.ask("GET", "/healthz").status == 200
    assert scripted.ask("GET", "/").status == 200
    for path, status in (("/readyz", 503), ("/metrics", 500)):
        answer = scripted.ask("GET", path)
        assert answer.status == status
        assert b"secret" not in answer.body
        assert b"Traceback" not in answer.body


def test_the_status_page_links_everything(gateway: RunningGateway) -> None:
    page = gateway.ask("GET", "/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for link in (b'href="/metrics"', b'href="/healthz"', b'href="/readyz"', b"/pose_mdn.v1.PoseLiftingService/Lift"):
        assert link in page.body


def test_head_is_get_without_a_body(gateway: RunningGateway) -> None:
    answer = gateway.ask("HEAD", "/healthz")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "3")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/pose_mdn.v1.PoseLiftingService/Lift", 405),
        ("DELETE", "/metrics", 405),
        ("POST", "/metrics", 404),
        ("POST", "/pose_mdn.v1.PoseLiftingService/Nothing", 404),
    ],
)
def test_what_does_not_exist_says_what_does(gateway: RunningGateway, method: str, path: str, status: int) -> None:
    answer = gateway.ask(method, path)
    assert answer.status == status
    assert json.loads(answer.body)["message"].startswith("expected ")
