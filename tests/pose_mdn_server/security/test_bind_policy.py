from pathlib import Path

import pytest

from pose_mdn.errors import ConfigError
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.security.bind_policy import SECOND_CONSENT, is_loopback, require_safe_address

PEM, TOKENS = Path("server.pem"), Path("tokens.toml")
OPEN = "0.0.0.0"


@pytest.fixture(autouse=True)
def no_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECOND_CONSENT, raising=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]", "::ffff:127.0.0.1"])
def test_loopback_needs_nothing(host: str) -> None:
    assert is_loopback(host)
    require_safe_address(ServerConfig(host=host, http_host=host))


@pytest.mark.parametrize("host", [OPEN, "::", "", "10.0.0.1", "192.168.1.5", "example.org", "127.0.0.1.example.org"])
@pytest.mark.parametrize(
    "have",
    [{}, {"tokens": TOKENS}, {"tls_certificate": PEM, "tls_key": PEM}],
    ids=["nothing", "tokens alone", "encryption alone"],
)
def test_an_open_address_needs_encryption_and_names(host: str, have: dict[str, Path]) -> None:
    for setting in ("host", "http_host"):
        with pytest.raises(ConfigError, match=f"^{setting}: expected .*{SECOND_CONSENT}=1"):
            require_safe_address(ServerConfig(**{setting: host}, **have))


@pytest.mark.parametrize("naming", ["tokens", "tls_client_ca"])
def test_with_both_an_open_address_is_fine(naming: str) -> None:
    require_safe_address(ServerConfig(host=OPEN, http_host=OPEN, tls_certificate=PEM, tls_key=PEM, **{naming: TOKENS}))


@pytest.mark.parametrize(("setting", "variable"), [(True, None), (False, "1"), (True, "0"), (True, "")])
def test_saying_it_once_is_not_enough(monkeypatch: pytest.MonkeyPatch, setting: bool, variable: str | None) -> None:
    if variable is not None:
        monkeypatch.setenv(SECOND_CONSENT, variable)
    with pytest.raises(ConfigError):
        require_safe_address(ServerConfig(host=OPEN, allow_insecure_public=setting))


def test_saying_it_twice_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECOND_CONSENT, "1")
    require_safe_address(ServerConfig(host=OPEN, http_host=OPEN, allow_insecure_public=True))


def test_an_http_port_that_is_not_there_does_not_count() -> None:
    require_safe_address(ServerConfig(http_host=OPEN, http_port=None))
