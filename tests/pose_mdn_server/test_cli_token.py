import json
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from pose_mdn_server import cli_token
from pose_mdn_server.calls import Priority
from pose_mdn_server.security.token_editor import add_token
from pose_mdn_server.security.tokens import TokenEntry, TokenFile, new_token


def run(*arguments: object) -> Result:
    app = typer.Typer()
    cli_token.register(app)
    return CliRunner().invoke(app, ["token", *map(str, arguments)])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.toml"


def names(path: Path) -> list[str]:
    return [entry["name"] for entry in json.loads(run("list", path, "--json").stdout)["tokens"]]


def test_a_new_token_is_shown_once_and_lets_its_client_in(path: Path) -> None:
    shown = run("new", path, "app", "--model", "mdn_lifter", "--priority", "bulk", "--poses-per-s", "50", "--administers")
    assert shown.exit_code == 0, shown.output
    token = shown.stdout.splitlines()[0]
    client = TokenFile(path).find(f"Bearer {token}")
    assert client is not None
    assert (client.name, client.models, client.priority) == ("app", {"mdn_lifter"}, Priority.BULK)
    assert (client.poses_per_s, client.calls_per_s, client.administers) == (50, None, True)
    assert token not in path.read_text()
    assert token not in run("list", path).stdout + run("list", path, "--json").stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_revoked_token_lets_nobody_in_and_the_others_stay(path: Path) -> None:
    tokens = {name: run("new", path, name).stdout.splitlines()[0] for name in ("first", "second", "third")}
    assert run("revoke", path, "second").exit_code == 0
    file = TokenFile(path)
    assert {name for name, token in tokens.items() if file.find(f"Bearer {token}")} == {"first", "third"}
    assert names(path) == ["first", "third"]


def test_what_people_wrote_stays(path: Path) -> None:
    run("new", path, "first")
    path.write_text("# ours\n" + path.read_text() + "# about the first\n")
    run("new", path, "second")
    run("revoke", path, "second")
    assert path.read_text().startswith("# ours\n")
    assert "# about the first" in path.read_text()
    assert names(path) == ["first"]


@pytest.mark.parametrize("name", ['quote " and \\ backslash', "[[token]]", "ünï", "x" * 64, "a = 'b'"])
def test_names_are_written_so_that_they_are_read_again(path: Path, name: str) -> None:
    run("new", path, "other")
    assert run("new", path, name, "--model", name).exit_code == 0
    assert names(path) == ["other", name]
    assert tomllib.loads(path.read_text())["token"][1]["models"] == [name]
    assert run("revoke", path, name).exit_code == 0
    assert names(path) == ["other"]


@pytest.mark.parametrize(("expires", "expired"), [("2020-01-31", True), ("2999-01-31T12:00:00+02:00", False)])
def test_expiry_is_kept_and_listed(path: Path, expires: str, expired: bool) -> None:
    run("new", path, "app", "--expires", expires)
    (facts,) = json.loads(run("list", path, "--json").stdout)["tokens"]
    assert (facts["expires"], facts["expired"]) == (expires, expired)
    assert ("(expired)" in run("list", path).stdout) == expired


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("new", "{path}", "there"), "expected one that is not in"),
        (("new", "{path}", ""), "name: expected"),
        (("new", "{path}", "line\nbreak"), "name: expected"),
        (("new", "{path}", "app", "--priority", "first"), "interactive or bulk"),
        (("new", "{path}", "app", "--calls-per-s", "-1"), "calls_per_s: expected"),
        (("new", "{path}", "app", "--expires", "tomorrow"), "expires: expected"),
        (("new", "{path}", "app", "--expires", "2999-01-31T12:00:00"), "with an offset"),
        (("new", "{path}", "app", "--model", "line\nbreak"), "expected TOML"),
        (("revoke", "{path}", "nobody"), "expected one of the tokens in .*: there; got 'nobody'"),
        (("list", "{path}.missing"), "expected a readable file"),
        (("revoke", "{path}.missing", "app"), "expected a readable file"),
        (("new", "/nowhere/at/all/tokens.toml", "app"), "expected a file that can be written"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(path: Path, arguments: tuple[str, ...], words: str) -> None:
    run("new", path, "there")
    before = path.read_text()
    result = run(*(argument.format(path=path) for argument in arguments))
    assert result.exit_code != 0
    assert result.exception is not None
    with pytest.raises(type(result.exception), match=words):
        raise result.exception
    assert path.read_text() == before
    assert [found.name for found in path.parent.iterdir()] == [path.name], "nothing is left behind"


def test_another_spelling_is_left_to_people(path: Path) -> None:
    digest = new_token()[1]
    path.write_text(f'token = [{{ name = "app", sha256 = "{digest}" }}]\n')
    result = run("revoke", path, "app")
    assert "edit it by hand" in str(result.exception)


def test_the_mode_of_a_file_stays(path: Path) -> None:
    run("new", path, "first")
    path.chmod(0o640)
    run("new", path, "second")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link, path = tmp_path / "link.toml", tmp_path / "tokens.toml"
    run("new", path, "first")
    link.symlink_to(path)
    run("new", link, "second")
    assert link.is_symlink()
    assert names(path) == ["first", "second"]


ADD_MANY = """
import sys
from pathlib import Path
from pose_mdn_server.security.token_editor import add_token
from pose_mdn_server.security.tokens import TokenEntry, new_token
for number in range(10):
    add_token(Path(sys.argv[1]), TokenEntry(name=f"{sys.argv[2]}-{number}", sha256=new_token()[1]))
"""


def test_two_who_edit_at_once_lose_nothing(path: Path) -> None:
    add_token(path, TokenEntry(name="first", sha256=new_token()[1]))
    editors = [subprocess.Popen([sys.executable, "-c", ADD_MANY, str(path), name]) for name in ("a", "b")]
    assert [editor.wait() for editor in editors] == [0, 0]
    assert len(names(path)) == 21
