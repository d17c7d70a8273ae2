"""The page on video: its Python runs as it stands, and its command has the options that it names."""

import re
from pathlib import Path

import typer
from typer.main import get_command

from pose_mdn.cli.smooth import register

PAGE = (Path(__file__).parents[2] / "docs" / "video.md").read_text(encoding="utf-8")


def test_the_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    namespace: dict[str, object] = {}
    exec(compile(example, "video.md", "exec"), namespace)
    assert namespace["rest"].frame.tolist() == list(range(7, 12))
    assert namespace["smooth"].lifted.all()


def test_the_command_has_the_options_that_the_page_names() -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    command = get_command(app).commands["smooth"]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert set(re.findall(r"(?<![\w|-])--[a-z][a-z-]+", PAGE)) <= options
