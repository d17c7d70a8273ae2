"""The page on motion data says what the code does."""

from pathlib import Path

import numpy as np
import pytest
import typer
from typer.main import get_command

from pose_mdn.cli.data_import import register
from pose_mdn.data.motion_file import MotionRecord, write_motion_file
from pose_mdn.evaluation import human36m
from pose_mdn.formats.motions.joint_names import NAMINGS
from pose_mdn.formats.motions.registry import motion_formats
from pose_mdn.formats.motions.world_frame import UNITS_M, UP_AXES
from pose_mdn.skeletons import HUMAN36M17

PAGE = (Path(__file__).parents[4] / "docs" / "motion_data.md").read_text("utf-8")
FLAT = " ".join(PAGE.split())


@pytest.mark.parametrize("word", [*motion_formats(), *UNITS_M, *UP_AXES])
def test_formats_units_and_axes_are_named(word) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("naming", NAMINGS, ids=lambda naming: naming.name)
def test_namings_are_named(naming) -> None:
    assert naming.name in FLAT


def test_the_options_it_uses_exist() -> None:
    app = typer.Typer()
    register(app)
    group = get_command(app).commands["data"]
    known = {option for parameter in group.commands["import"].params for option in parameter.opts}
    used = {word.strip("`,.;:()") for word in FLAT.replace("`", " ").split() if word.strip("`(").startswith("--")}
    assert used - known - {"--preset", "--data"} == set()
    assert {"--unit", "--up", "--joint-map", "--split-by", "--append", "--skeleton"} <= used


def test_the_keys_of_the_file_are_listed(tmp_path, standing_poses) -> None:
    record = MotionRecord(
        pose_m=standing_poses, valid=np.ones(len(standing_poses), bool), fps=30.0, subject="", trial="", action="",
        source="", licence="", split="train",
    )  # fmt: skip
    write_motion_file(tmp_path / "m.npz", [record])
    with np.load(tmp_path / "m.npz") as file:
        assert [key for key in file if f"`{key}`" not in PAGE] == []


def test_the_example_imports_what_there_is() -> None:
    assert all(name in PAGE for name in human36m.__all__ if name.endswith(("rows", "views")))
    joints = [line.split(" = ")[0] for line in PAGE.split("```toml\n")[1].split("```")[0].splitlines()]
    assert set(joints) <= set(HUMAN36M17.joint_names)
