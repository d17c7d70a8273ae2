"""The documentation is true: its examples run as they stand, and its tables equal the code."""

import re
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.formats import keypoint_formats, write_hypotheses
from pose_mdn.formats.keypoints.layout_by_count import layout_of_count
from pose_mdn.poses.status import Status
from pose_mdn.skeletons import SKELETONS, mapping_table

DOCS = Path(__file__).parents[3] / "docs"
EXAMPLES = [
    pytest.param(example, id=f"{page}-{number}")
    for page in ("formats.md", "skeletons.md", "tool_formats.md")
    for number, example in enumerate(re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL))
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_runs(example, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "documentation", "exec"), {})


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


def test_the_tables_of_skeletons_equal_the_code() -> None:
    text = (DOCS / "skeletons.md").read_text("utf-8")
    counts = {name: int(joints) for name, joints in re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.MULTILINE)}
    assert counts == {name: skeleton.num_joints for name, skeleton in SKELETONS.items()}
    header, rows = re.search(r"\| layout \| (.*?) \|\n\|[-|]+\|\n((?:\|.*\n)+)", text).groups()
    described = {}
    for name, cells in re.findall(r"\| `(\w+)` \| (.*) \|", rows):
        described[name] = dict(zip(header.split(" | "), cells.split(" | "), strict=True))
    means = {"mean of hips": {"l_hip", "r_hip"}, "mean of shoulders": {"l_shoulder", "r_shoulder"}, "missing": set()}
    assert set(described) == set(SKELETONS)
    for name, targets in described.items():
        table = mapping_table(SKELETONS[name])
        assert {target: means.get(cell, {cell}) for target, cell in targets.items()} == {
            target: set(table[target]) for target in targets
        }, name


def test_every_status_is_documented() -> None:
    text = (DOCS / "formats.md").read_text("utf-8")
    assert [status for status in Status if f"`{status}`" not in text] == []


def test_every_key_of_a_hypotheses_file_is_documented(tmp_path, make_hypotheses) -> None:
    write_hypotheses(tmp_path / "result.npz", make_hypotheses())
    text = (DOCS / "formats.md").read_text("utf-8")
    with np.load(tmp_path / "result.npz") as file:
        assert [key for key in file if f"`{key}`" not in text] == []


def test_the_examples_of_keypoint_formats_run_one_after_the_other(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (DOCS / "keypoint_formats.md").read_text("utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) >= 3
    exec(compile("\n".join(examples), "documentation", "exec"), {})


def test_every_keypoints_format_and_count_is_documented() -> None:
    text = (DOCS / "keypoint_formats.md").read_text("utf-8")
    tables = text + (DOCS / "tool_formats.md").read_text("utf-8")
    assert [name for name in keypoint_formats() if f"| `{name}` |" not in tables] == []
    rows = re.findall(r"^\| (\d+) \| .* \| `(\w+)`.* \| ([\d.]+).* \|$", text, re.MULTILINE)
    assert len(rows) == 11
    for count, name, confidence in rows:
        layout = layout_of_count(Path("a.json"), np.empty((0, int(count), 3), np.float32), int(count))
        assert (layout.skeleton.name, layout.confidence) == (name, float(confidence))
