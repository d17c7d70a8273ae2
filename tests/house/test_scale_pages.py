"""The pages about metres and focal lengths: their Python runs, and their options exist."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pose_mdn.cli import build_app

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("scale.md", "focal_length.md")


@pytest.mark.parametrize("page", PAGES)
def test_the_python_of_the_page_runs(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(block, page, "exec"), {})
    said = capsys.readouterr().out
    for line in re.findall(r"# (given: .*)", block):
        assert line in said


@pytest.mark.parametrize("page", PAGES)
def test_the_options_of_the_page_exist(page: str) -> None:
    known = CliRunner().invoke(build_app(), ["lift", "--help"], env={"COLUMNS": "200"}).stdout
    told = set(re.findall(r"(--[a-z-]+)", " ".join(re.findall(r"pose-mdn lift .*", (DOCS / page).read_text()))))
    assert told
    assert {option for option in told if option not in known} == set()
