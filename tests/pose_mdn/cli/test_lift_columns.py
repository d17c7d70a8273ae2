"""`pose-mdn lift --columns`: parquet results with some of their columns."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pose_mdn.cli import build_app
from pose_mdn.formats import read_keypoints
from pose_mdn.formats.keypoints.parquet import FORMAT
from pose_mdn.formats.keypoints.tables.parquet_writer import write


@pytest.fixture
def clip(tmp_path):
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(100, 900, (5, 17, 2))
    np.savez(tmp_path / "clip.npz", keypoints=keypoints, skeleton="coco17", image_size=[1000, 1000])
    write(tmp_path / "clip.parquet", read_keypoints(tmp_path / "clip.npz"))
    assert FORMAT.stream is not None
    return tmp_path / "clip.npz"


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_the_columns_named_are_written_streamed_or_not(clip, tiny_bundle, suffix) -> None:
    source, target = clip.with_suffix(suffix), clip.with_name("out.parquet")
    arguments = ["lift", str(source), "-o", str(target), "--model", str(tiny_bundle), "--columns", "means, frame"]
    done = CliRunner().invoke(build_app(), arguments)
    assert done.exit_code == 0, done.output
    assert pq.read_table(target).column_names == ["frame", "means"]


@pytest.mark.parametrize(("columns", "out"), [("mean", "out.parquet"), ("means", "out.npz")])
def test_wrong_columns_end_the_command_before_it_begins(clip, tiny_bundle, columns, out) -> None:
    target = clip.with_name(out)
    arguments = ["lift", str(clip), "-o", str(target), "--model", str(tiny_bundle), "--columns", columns]
    done = CliRunner().invoke(build_app(), arguments)
    assert done.exit_code == 2
    assert "columns" in done.output
    assert not target.exists()
