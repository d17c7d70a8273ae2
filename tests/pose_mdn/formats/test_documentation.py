"""The examples in the documentation run as they stand."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs"
EXAMPLES = [
    pytest.param(example, id=f"{page}-{number}")
    for page in ("formats.md", "skeletons.md")
    for number, example in enumerate(re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL))
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_runs(example, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "documentation", "exec"), {})


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5
