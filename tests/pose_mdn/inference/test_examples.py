"""Every numbered example runs as its own first lines say."""

import subprocess
import sys
from pathlib import Path

import pytest

from pose_mdn.inference.bundle import BUNDLED_REPOSITORY

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("[0-9]*.py"))

pytestmark = pytest.mark.skipif(
    not (BUNDLED_REPOSITORY / "mdn_lifter").is_dir(), reason="the package was built without its model"
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(example: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, example], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "nan" not in done.stdout
    assert " m" in done.stdout


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3
