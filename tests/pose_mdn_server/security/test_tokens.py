import hashlib
import logging
import os
import stat
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pose_mdn.errors import ConfigError
from pose_mdn_server.calls import Priority
from pose_mdn_server.security.tokens import TOKEN_PREFIX, TokenFile, new_token, parse_tokens


def write(path: Path, *entries: str) -> Path:
    path.write_text("\n".join(f"[[token]]\n{entry}\n" for entry in entries))
    path.chmod(0o600)
    return path


def entry(name: str, digest: str, rest: str = "") -> str:
    return f'name = "{name}"\nsha256 = "{digest}"\n{rest}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.toml"


def test_each_token_finds_its_own_client_and_no_other(path: Path) -> None:
    tokens = {f"app-{number}": new_token() for number in range(5)}
    file = TokenFile(write(path, *(entry(name, digest) for name, (_, digest) in tokens.items())))
    for name, (token, _) in tokens.items():
        client = file.find(f"Bearer {token}")
        assert client is not None
        assert client.name == name
        assert file.find(f"bearer {token}") == client


def test_everything_else_finds_nobody(path: Path) -> None:
    token, digest = new_token()
    file = TokenFile(write(path, entry("app", digest)))
    for wrong in (
        "", "Bearer", "Bearer ", token, f"Basic {token}", f"Bearer {token[:-1]}", f"Bearer {token}x",
        f"Bearer {digest}", f"Bearer {token.upper()}", "Bearer \udcff", "Bearer é",
    ):  # fmt: skip
        assert file.find(wrong) is None, wrong


def test_a_token_is_256_random_bits() -> None:
    made = {new_token() for _ in range(50)}
    assert len(made) == 50
    for token, digest in made:
        assert token.startswith(TOKEN_PREFIX)
        assert len(token) == len(TOKEN_PREFIX) + 43  # 32 bytes in base64 without padding
        assert hashlib.sha256(token.encode()).hexdigest() == digest


def test_rights_come_from_the_file(path: Path) -> None:
    token, digest = new_token()
    rest = 'models = ["mdn_lifter"]\npriority = "bulk"\ncalls_per_s = 5\nposes_per_s = 0\nadministers = true\n'
    client = TokenFile(write(path, entry("app", digest, rest)), calls_per_s=1, poses_per_s=2).find(f"Bearer {token}")
    assert client is not None
    assert client.models == {"mdn_lifter"}
    assert client.priority is Priority.BULK
    assert client.calls_per_s == 5.0
    assert client.poses_per_s is None, "0 is no limit, whatever the server's quota is"
    assert client.administers


def test_who_has_no_quota_gets_the_servers(path: Path) -> None:
    token, digest = new_token()
    client = TokenFile(write(path, entry("app", digest)), calls_per_s=3, poses_per_s=0).find(f"Bearer {token}")
    assert client is not None
    assert (client.calls_per_s, client.poses_per_s) == (3, None)


@pytest.mark.parametrize(("hours", "is_known"), [(1, True), (-1, False)])
def test_a_token_ends_when_it_says(path: Path, hours: int, is_known: bool) -> None:
    token, digest = new_token()
    ends = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
    file = TokenFile(write(path, entry("app", digest, f"expires = {ends}")))
    assert (file.find(f"Bearer {token}") is not None) == is_known


def test_a_token_ends_while_the_server_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token, digest = new_token()
    file = TokenFile(write(path, entry("app", digest, "expires = 2031-01-01")))
    end = datetime(2031, 1, 1, tzinfo=UTC).timestamp()
    for moment, is_known in ((end - 1, True), (end, False)):
        monkeypatch.setattr(time, "time", lambda moment=moment: moment)
        assert (file.find(f"Bearer {token}") is not None) == is_known


@pytest.mark.usefixtures("look_always")
def test_changes_are_noticed_and_broken_files_are_not_taken(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (first, first_digest), (second, second_digest) = new_token(), new_token()
    file = TokenFile(write(path, entry("first", first_digest)))
    write(path, entry("first", first_digest), entry("second", second_digest))
    assert file.find(f"Bearer {second}") is not None
    with caplog.at_level(logging.ERROR):
        path.write_text(f'[[token]]\nname = "first"\nsha256 = "{second}')
        assert file.find(f"Bearer {first}") is not None
        path.unlink()
        assert file.find(f"Bearer {first}") is not None
    assert len(caplog.records) == 2
    write(path, entry("second", second_digest))
    assert file.find(f"Bearer {first}") is None
    assert file.find(f"Bearer {second}") is not None


def test_a_file_is_looked_at_once_a_second(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    token, digest = new_token()
    file = TokenFile(write(path, entry("app", digest)))
    write(path)
    now[0] += 0.9
    assert file.find(f"Bearer {token}") is not None
    now[0] += 0.2
    assert file.find(f"Bearer {token}") is None
    write(path, entry("app", digest))
    now[0] += 0.9
    assert file.find(f"Bearer {token}") is None
    now[0] += 0.2
    assert file.find(f"Bearer {token}") is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "a"', "64 hexadecimal"),
        ('sha256 = "' + "0" * 64 + '"', "name"),
        ('name = "a"\nsha256 = "pmdn_secret"', "64 hexadecimal"),
        ('name = "a"\ntoken = "pmdn_secret"', "unknown setting 'token'"),
        (entry("a", "0" * 64, 'priority = "first"'), "priority"),
        (entry("a", "0" * 64, "calls_per_s = -1"), "calls_per_s"),
        (entry("a", "0" * 64, "calls_per_s = inf"), "calls_per_s"),
        (entry("a", "0" * 64, "expires = 2031-01-01T00:00:00"), "offset"),
        (entry("a", "0" * 64) + "\n[[token]]\n" + entry("a", "1" * 64), "name of its own"),
        (entry("a", "a" * 64) + "\n[[token]]\n" + entry("b", "A" * 64), "sha256 of its own"),
    ],
)
def test_a_wrong_file_says_what_is_wrong_and_shows_no_secret(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        parse_tokens(f"[[token]]\n{text}\n", source="tokens.toml")
    assert str(refused.value).startswith("tokens.toml: ")
    assert "secret" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="pose-mdn token new"):
        TokenFile(tmp_path / "missing.toml")


@pytest.mark.parametrize(("mode", "warnings"), [(0o600, 0), (0o400, 0), (0o640, 1), (0o644, 1), (0o602, 1)])
def test_a_file_that_others_can_read_is_warned_of(
    path: Path, caplog: pytest.LogCaptureFixture, mode: int, warnings: int
) -> None:
    write(path).chmod(mode)
    TokenFile(path)
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == warnings


def test_neither_tokens_nor_digests_are_shown(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    token, digest = new_token()
    with caplog.at_level(logging.DEBUG):
        file = TokenFile(write(path, entry("app", digest)))
        client = file.find(f"Bearer {token}")
    shown = f"{file!r} {client!r} {parse_tokens(path.read_text(), source='x')!r} {caplog.text}"
    assert token not in shown
    assert digest not in shown
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
