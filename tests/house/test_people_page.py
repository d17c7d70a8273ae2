"""The page on who is who: its Python runs as it stands, and its commands have the options that it names."""

import re
from pathlib import Path

import typer
from typer.main import get_command

from pose_mdn.cli.track import register

PAGE = (Path(__file__).parents[2] / "docs" / "people.md").read_text(encoding="utf-8")


def test_the_examples_run() -> None:
    tracking, matching = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    namespace: dict[str, object] = {}
    exec(compile(tracking, "people.md", "exec"), namespace)
    assert len(namespace["presences"](namespace["clip"].frame, namespace["person"])) == 1
    assert namespace["tracked"].tracked
    exec(compile(matching, "people.md", "exec"), namespace)
    assert namespace["fused_numbers"]([], []) == []


def test_commands_have_the_options_that_the_page_names() -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    command = get_command(app).commands["track"]
    options = {option for parameter in command.params for option in parameter.opts}
    commands = " ".join(re.findall(r"pose-mdn track[^`\n]*|\(`--[a-z]+`\)", PAGE))
    named = set(re.findall(r"--[a-z]+", commands))
    assert {"--online", "--memory", "--joining", "--fps", "--json"} <= named <= options
