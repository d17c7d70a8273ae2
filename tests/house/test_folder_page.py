"""The page on a folder's page: its Python runs as it stands, its options exist, its thresholds are the code's."""

import re
from pathlib import Path

import typer
from typer.main import get_command

from pose_mdn.batch import folder_index
from pose_mdn.cli.index import register
from pose_mdn.quality.flags import FLAGS

PAGE = (Path(__file__).parents[2] / "docs" / "folder_page.md").read_text(encoding="utf-8")


def test_the_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    namespace: dict[str, object] = {}
    exec(compile(example, "folder_page.md", "exec"), namespace)
    assert namespace["quality"] == namespace["counter"].result()  # type: ignore[attr-defined]


def test_the_command_has_the_options_that_the_page_lists() -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    command = get_command(app).commands["index"]  # type: ignore[attr-defined]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    listed = set(re.findall(r"^\| `(--[a-z-]+)", PAGE, flags=re.MULTILINE))
    assert listed == {option for option in options if option.startswith("--")} - {"--viewers"}
    assert f"{folder_index._VIEWER_ROWS:,} rows" in PAGE
    assert f"`--max-megabytes {folder_index.VIEWER_MEGABYTES:g}`" in PAGE


def test_flags_and_thresholds_are_those_of_the_code() -> None:
    (table,) = re.findall(r"\| flag \|.*?\n\|[-|:]+\n(.*?)\n\n", PAGE, flags=re.DOTALL)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert [row[0] for row in rows if row[0]] == list(FLAGS)
    bounds = [tuple(float(cell) if cell else float("inf") for cell in row[2:]) for row in rows[1:]]
    assert bounds == [(each.warn, each.bad) for thresholds in FLAGS.values() for each in thresholds]
