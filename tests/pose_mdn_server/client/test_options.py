from pathlib import Path

import pytest

from pose_mdn.errors import ConfigError
from pose_mdn_server.client import AsyncConnection, Connection, ConnectionOptions
from pose_mdn_server.client.options import is_on_this_machine


@pytest.mark.parametrize(
    "target",
    [
        "127.0.0.1:8001",
        "127.9.9.9:1",
        "localhost:8001",
        "localhost",
        "[::1]:8001",
        "dns:///localhost:8001",
        "ipv4:127.0.0.1:8001",
        "ipv6:[::1]:8001",
        "unix:/run/pose-mdn.sock",
        "unix:///run/pose-mdn.sock",
    ],
)
def test_loopback_is_this_machine(target: str) -> None:
    assert is_on_this_machine(target)


@pytest.mark.parametrize(
    "target",
    [
        "10.0.0.1:8001",
        "example.com:8001",
        "localhost.example.com:8001",
        "127.0.0.1.example.com:8001",
        "dns://10.0.0.1/localhost:8001",
        "ipv4:127.0.0.1:8001,10.0.0.1:8001",
        "[::2]:8001",
        "xds:///localhost:8001",
        "",
    ],
)
def test_anything_else_is_another_machine(target: str) -> None:
    assert not is_on_this_machine(target)


@pytest.mark.parametrize("kind", [Connection, AsyncConnection])
def test_a_token_is_not_sent_in_clear_to_another_machine(kind: type[Connection]) -> None:
    with pytest.raises(ConfigError, match="token: expected tls"):
        kind("10.0.0.1:8001", ConnectionOptions(token="secret-1"))
    kind("10.0.0.1:8001", ConnectionOptions(token="secret-1", tls=True))


def test_a_token_is_not_shown() -> None:
    assert "secret-1" not in repr(ConnectionOptions(token="secret-1"))


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"channels": 0}, "channels"),
        ({"timeout_s": 0.0}, "timeout_s"),
        ({"attempts": 6}, "attempts"),
        ({"keepalive_s": -1.0}, "keepalive_s"),
        ({"priority": "urgent"}, "priority"),
        ({"tls": True, "client_key": Path("key.pem")}, "client_key"),
        ({"client_certificate": Path("c.pem"), "client_key": Path("k.pem")}, "client_certificate"),
    ],
)
def test_impossible_options_are_named(settings: dict[str, object], name: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: expected"):
        ConnectionOptions(**settings)


def test_a_missing_file_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tls: expected a PEM file") as missing:
        Connection("localhost:1", ConnectionOptions(tls=tmp_path / "ca.pem"))
    assert "\n" not in str(missing.value)
