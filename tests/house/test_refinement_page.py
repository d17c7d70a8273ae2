"""The page on refinement: its Python runs, its commands have the options that it names, and its numbers ship."""

import re
from dataclasses import asdict
from pathlib import Path

import typer
from typer.main import get_command

from pose_mdn.cli.refine import register
from pose_mdn.refinement.settings import fitted_numbers

PAGE = (Path(__file__).parents[2] / "docs" / "refinement.md").read_text(encoding="utf-8")


def test_the_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    namespace: dict[str, object] = {}
    exec(compile(example, "refinement.md", "exec"), namespace)
    assert namespace["refined"].model == "mdn_lifter/1+refined"


def test_commands_have_the_options_that_the_page_names() -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    options = {option for parameter in get_command(app).commands["refine"].params for option in parameter.opts}
    assert set(re.findall(r"(?<![\w-])--(?!fit)[a-z][a-z-]+", PAGE)) <= options


def test_the_fitted_numbers_are_those_that_ship() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", PAGE, flags=re.MULTILINE)
    assert {name: float(value) for name, value in rows} == asdict(fitted_numbers())
