"""The lecture's page leads to functions that exist, and shows every example."""

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.lecture.catalogue import EXAMPLES

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "lecture.md").read_text()
MAX_PICTURE_BYTES = 200_000


def find(reference: str) -> object:
    """The module, function, class or method of a dotted name."""
    parts = reference.split(".")
    for size in range(len(parts), 0, -1):
        try:
            found: object = import_module(".".join(parts[:size]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[size:]:
            found = getattr(found, attribute)
        return found
    raise AssertionError(reference)


@pytest.mark.parametrize("reference", sorted(set(re.findall(r"`(pose_mdn(?:\.\w+)+)`", PAGE))))
def test_what_implements_a_formula_exists_and_is_explained(reference: str) -> None:
    assert find(reference).__doc__


def test_the_page_has_a_table_of_each_part_of_the_lecture() -> None:
    assert len(re.findall(r"\| formula \| what \| where \|", PAGE)) == 3


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_every_example_is_shown(example) -> None:
    assert f"pose-mdn lecture {example.name}" in PAGE
    assert f"(lecture/{example.name}.png)" in PAGE
    assert 10_000 < (DOCS / "lecture" / f"{example.name}.png").stat().st_size < MAX_PICTURE_BYTES


def test_its_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(first, "docs/lecture.md", "exec"), {})
    assert "nats; no density is below -1." in capsys.readouterr().out
    walker = {"keypoints_px": np.random.default_rng(0).uniform(300, 700, (2, 17, 2)), "confidence": np.ones((2, 17))}
    exec(compile(second, "docs/lecture.md", "exec"), walker)
    assert walker["modes"].pose_m.shape[::2] == (2, 17)
    assert (walker["modes"].count > 0).all()


def test_no_picture_is_left_over() -> None:
    assert {path.stem for path in (DOCS / "lecture").iterdir()} == {example.name for example in EXAMPLES}
