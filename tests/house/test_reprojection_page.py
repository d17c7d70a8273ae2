"""The page on the reprojection check: its Python runs as it stands, and its commands have the options that it names."""

import re
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from pose_mdn.cli.check import register
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.server import PoseServer

PAGE = (Path(__file__).parents[2] / "docs" / "reprojection.md").read_text(encoding="utf-8")


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    local, remote = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    namespace: dict[str, object] = {}
    exec(compile(local, "reprojection.md", "exec"), namespace)
    assert namespace["found"].diagnosis.overall == "none"
    assert (tmp_path / "check.html").exists()
    with PoseServer(ServerConfig(port=0)) as server:
        exec(compile(remote.replace("127.0.0.1:8001", server.address), "reprojection.md", "exec"), namespace)
    assert (namespace["answer"].passes == namespace["found"].passes).all()


def test_commands_have_the_options_that_the_page_names() -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    command = get_command(app).commands["check"]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE)) <= options
