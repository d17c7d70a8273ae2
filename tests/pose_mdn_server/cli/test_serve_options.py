"""`pose-mdn serve` has a flag for every setting, and tells what would hold without starting anything."""

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import pose_mdn_server.cli
from pose_mdn.errors import ConfigError
from pose_mdn_server.cli import serve
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.config_sources import SECTIONS, load_config, settings


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in settings().values():
        monkeypatch.delenv(setting.variable, raising=False)
    monkeypatch.delenv("POSE_MDN_CONFIG", raising=False)


def run(*arguments: str) -> str:
    app = typer.Typer(rich_markup_mode="markdown")
    pose_mdn_server.cli.register(app)
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def printed(folder: Path, *arguments: str) -> ServerConfig:
    file = folder / "printed.toml"
    file.write_text(run(*arguments, "--print-config"))
    return load_config(file, {}, {})


def test_the_help_has_a_panel_for_each_section_and_every_flag_with_its_default() -> None:
    text = run("--help")
    assert re.findall(r"^╭─ ([\w ]+) ─", text, flags=re.MULTILINE) == ["Options", *(s.title for s in SECTIONS)]
    assert [setting.flag for setting in settings().values() if f" {setting.flag} " not in text] == []
    assert "[default: 8001]" in text
    assert "[default: on]" in text
    assert "Examples" in text


def test_the_examples_of_the_help_are_valid(tmp_path: Path) -> None:
    examples = [line.split("`")[1] for line in serve.EXAMPLES.splitlines() if line.startswith("`pose-mdn serve")]
    assert len(examples) >= 5
    for example in examples:
        arguments = example.removeprefix("pose-mdn serve").split(">")[0].split()
        if "--print-config" not in arguments:
            printed(tmp_path, *arguments)


def test_flags_variables_and_file_come_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "server.toml"
    file.write_text("[limits]\nmax_batch = 1\nbulk_poses = 2\nworkers = 3\n")
    monkeypatch.setenv("POSE_MDN_CONFIG", str(file))
    monkeypatch.setenv("POSE_MDN_BULK_POSES", "20")
    monkeypatch.setenv("POSE_MDN_WORKERS", "30")
    config = printed(tmp_path, "--workers", "300", "--no-reflection", "--access-log", "--http-port", "none")
    assert (config.max_batch, config.bulk_poses, config.workers) == (1, 20, 300)
    assert (config.reflection, config.access_log, config.http_port) == (False, True, None)


def test_a_value_that_is_none_names_its_flag() -> None:
    with pytest.raises(ConfigError, match="port from --port: expected a whole number, got 'x'"):
        run("--port", "x", "--print-config")


def test_what_is_served_is_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[ServerConfig] = []
    monkeypatch.setattr(serve, "_run", lambda read: asked.append(read()))
    run("--port", "0", "--drain-s", "1.5")
    assert asked == [ServerConfig(port=0, drain_s=1.5)]
