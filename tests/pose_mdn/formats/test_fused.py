from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.errors import FormatError, InputError
from pose_mdn.formats import read_fused, write_fused
from pose_mdn.poses.fused import FusedPoseSequence

DOCS = Path(__file__).parents[3] / "docs"


def made(rows: int = 3, fps: float | None = 25.0) -> FusedPoseSequence:
    rng = np.random.default_rng(0)

    def numbers(*shape: int) -> np.ndarray:
        return rng.normal(size=(rows, *shape)).astype(np.float32)

    return FusedPoseSequence(
        means_m=numbers(2, 17, 3),
        covariance_m2=numbers(2, 17, 3, 3),
        root_translation_m=numbers(2, 3),
        root_covariance_m2=numbers(2, 3, 3),
        mixing_coefficients=numbers(2),
        status=np.full(rows, "fused"),
        view_status=np.full((rows, 4), "sides_exchanged"),
        agreement=numbers(4),
        joint_weight=numbers(4, 17),
        frame=np.arange(rows),
        person=np.zeros(rows, np.int64),
        views=("a", "b", "left", "d"),
        fps=fps,
        method="posterior",
        model="mdn_lifter/1",
    )


@pytest.mark.parametrize(("rows", "fps"), [(3, 25.0), (0, None)])
def test_what_was_written_is_read(tmp_path: Path, rows: int, fps: float | None) -> None:
    fused = made(rows, fps)
    write_fused(tmp_path / "fused.npz", fused)
    again = read_fused(tmp_path / "fused.npz")
    for field in fields(fused):
        got, expected = getattr(again, field.name), getattr(fused, field.name)
        np.testing.assert_array_equal(got, expected, err_msg=field.name)
        if isinstance(expected, np.ndarray) and expected.dtype.kind != "U":
            assert got.dtype == expected.dtype, field.name


def test_every_key_is_documented(tmp_path: Path) -> None:
    write_fused(tmp_path / "fused.npz", made())
    section = (DOCS / "formats.md").read_text("utf-8").partition("## Fused poses")[2].partition("\n## ")[0]
    with np.load(tmp_path / "fused.npz") as file:
        assert [key for key in file if f"`{key}`" not in section] == []


def test_other_files_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "fused.npz"
    write_fused(path, made())
    with np.load(path) as file:
        arrays = dict(file)
    faults = {
        "view_status": (arrays["view_status"][:, :3], r"expected 'view_status' of shape \(3, 4\), got \(3, 3\)"),
        "means": (arrays["means"].astype(str), "expected numbers in 'means'"),
        "skeleton": (np.array("coco17"), "expected poses of skeleton 'human36m17', got 'coco17'"),
    }
    for key, (value, message) in faults.items():
        np.savez(path, **{**arrays, key: value})
        with pytest.raises(FormatError, match=message):
            read_fused(path)
    np.savez(path, **{key: value for key, value in arrays.items() if key != "views"})
    with pytest.raises(FormatError, match="expected the key 'views'"):
        read_fused(path)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(FormatError, match=r"expected a whole \.npz archive"):
        read_fused(path)
    with pytest.raises(InputError, match=r"ends in \.npz"):
        write_fused(tmp_path / "fused.parquet", made())
