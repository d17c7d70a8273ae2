"""The page on large files: its Python runs as it stands, and its columns are those of the files."""

import re
from pathlib import Path

import pytest

from pose_mdn.formats.hypotheses.columns import choose_columns

PAGE = (Path(__file__).parents[2] / "docs" / "bulk.md").read_text(encoding="utf-8")


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(example, "bulk.md", "exec"), {})


def test_the_columns_named_exist() -> None:
    (named,) = re.findall(r"columns=\[(.*?)\]", PAGE)
    keys = re.findall(r'"(.*?)"', named)
    assert [column.key for column in choose_columns(keys)] == keys
