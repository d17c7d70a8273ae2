"""The page on files for motion software keeps its word."""

import re
from pathlib import Path

import pytest

from pose_mdn.formats.results import bvh, bvh_rigid, c3d, gltf, trc

PAGE = (Path(__file__).parents[4] / "docs" / "motion_exports.md").read_text(encoding="utf-8")
FORMATS = [module.FORMAT for module in (trc, c3d, bvh, bvh_rigid, gltf)]


def test_the_example_runs(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    exec(compile(example, "docs/motion_exports.md", "exec"), {})
    assert (tmp_path / "walk.trc").exists()


@pytest.mark.parametrize("entry", FORMATS, ids=lambda entry: entry.name)
def test_the_table_is_that_of_the_code(entry) -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([.\w]+)` \| (\w+) \| (\w) \|", PAGE, flags=re.MULTILINE)
    up = "XYZ"[entry.axes.index("-y")]
    assert rows[[row[0] for row in rows].index(entry.name)] == (entry.name, entry.suffix, entry.unit, up)
    assert len(rows) == len(FORMATS)


@pytest.mark.parametrize("entry", FORMATS, ids=lambda entry: entry.name)
def test_a_format_holds_one_pose(entry) -> None:
    assert entry.write_poses is not None
    assert entry.holds_one_pose
