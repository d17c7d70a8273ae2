import re
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.errors import FormatError, InputError
from pose_mdn.formats.cameras.human36m import human36m_cameras
from pose_mdn.formats.cameras.registry import camera_formats, read_camera, read_cameras, split_camera_name

PAGE = Path(__file__).parents[4] / "docs" / "cameras.md"
ONE = "[a]\nmatrix = [[900.0, 0, 400], [0, 900, 300], [0, 0, 1]]\n"


def test_every_format_is_documented() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(rows) == sorted(camera_formats())


def test_the_cameras_of_human36m_have_names() -> None:
    cameras = read_cameras("human36m")
    assert len(cameras) == 28
    found, expected = cameras["S9.54138969"], human36m_cameras("S9")[0]
    np.testing.assert_array_equal(found.projection_matrix, expected.projection_matrix)
    np.testing.assert_array_equal(found.distortion, expected.distortion)
    assert read_camera("human36m", "S9.54138969").image_size == (1000, 1002)
    with pytest.raises(FormatError, match=r"did you mean 'S9.54138969'\? .* and 16 more"):
        read_camera("human36m", "S9.5413896")


def test_a_file_called_human36m_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "human36m").write_text("hello")
    with pytest.raises(FormatError, match="got another file"):
        read_cameras("human36m")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("calib.toml", ("calib.toml", None)),
        ("calib.toml:left", ("calib.toml", "left")),
        ("human36m:S9.54138969", ("human36m", "S9.54138969")),
        (r"C:\calib.toml", (r"C:\calib.toml", None)),
        (r"C:\calib.toml:left", (r"C:\calib.toml", "left")),
    ],
)
def test_a_name_follows_the_last_colon(text: str, expected: tuple[str, str | None]) -> None:
    assert split_camera_name(text) == expected


def test_a_path_with_a_colon_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "take:2.toml"
    path.write_text(ONE)
    assert split_camera_name(str(path)) == (str(path), None)
    assert split_camera_name(f"{path}:a") == (str(path), "a")


def test_a_format_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "calibration.txt"
    path.write_text(ONE)
    with pytest.raises(FormatError, match=r"expected one of: .*Qualisys \*.qca.txt.*got another file"):
        read_cameras(path)
    assert list(read_cameras(path, format="toml")) == ["a"]
    with pytest.raises(InputError, match="did you mean 'toml'"):
        read_cameras(path, format="tom")


def test_folders_and_missing_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="got a folder without them"):
        read_cameras(tmp_path)
    with pytest.raises(FormatError, match="no such file"):
        read_cameras(tmp_path / "absent.yml")
    with pytest.raises(FormatError, match="no such file"):
        read_cameras(tmp_path / "absent")
