"""Damaged camera files give cameras or a `FormatError`, and never anything else."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pose_mdn.errors import FormatError
from pose_mdn.formats.cameras.registry import read_cameras

DAMAGE = st.tuples(
    st.floats(0, 1) | st.none(),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from("[]{}<>-:,.'\"#!&*e9\n ")), max_size=3),
)
"""Where to cut, if at all; which bytes to replace; which characters to put in; as fractions of the length."""

thorough = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

MATRIX = [[900.0, 0, 400], [0, 900, 300], [0, 0, 1]]
NAMES = [
    "a.toml",
    "a.yml",
    "a.json",
    "a.xml",
    "a.qca.txt",
    "cameras.txt",
    "images.txt",
    "camera.calibration",
    "a.jpg",
]


def damaged(content: bytes, damage) -> bytes:
    cut, changes, additions = damage
    result = bytearray(content)
    for place, value in changes:
        result[int(place * len(result))] = value
    for place, text in additions:
        at = int(place * len(result))
        result[at:at] = text.encode()
    return bytes(result if cut is None else result[: int(cut * len(result))])


@pytest.fixture(scope="module")
def correct(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("correct")
    (folder / "a.toml").write_text(
        f"[a]\nname = 'left'\nsize = [800, 600]\nmatrix = {MATRIX}\ndistortions = [0.1, 0.2, 0.0, 0.0]\n"
        "rotation = [0.1, 0.2, 0.3]\ntranslation = [1.0, 2.0, 3.0]\nfisheye = true\n[metadata]\nunit = 'mm'\n"
    )
    for suffix in ("yml", "json", "xml"):
        storage = cv2.FileStorage(str(folder / f"a.{suffix}"), cv2.FILE_STORAGE_WRITE)
        storage.write("image_width", 800)
        storage.write("image_height", 600)
        storage.write("camera_matrix", np.array(MATRIX))
        storage.write("distortion_coefficients", np.zeros((1, 5)))
        storage.write("rvec", np.zeros((3, 1)))
        storage.write("tvec", np.zeros((3, 1)))
        storage.release()
    axes = " ".join(f'r{row}{column}="{int(row == column)}"' for row in (1, 2, 3) for column in (1, 2, 3))
    (folder / "a.qca.txt").write_text(
        '<calibration><cameras><camera serial="1" video_resolution="1080p"><fov_video left="0" right="799" top="0" '
        f'bottom="599"/><transform {axes} x="1" y="2" z="3"/><intrinsic focalLengthU="57600" focalLengthV="57600" '
        'centerPointU="25600" centerPointV="19200" radialDistortion1="0.1" skew="0"/></camera></cameras></calibration>'
    )
    (folder / "cameras.txt").write_text("# c\n1 RADIAL 800 600 900 400 300 0.1 0.2\n2 PINHOLE 8 6 9 9 4 3\n")
    (folder / "images.txt").write_text("# i\n1 1 0 0 0 1 2 3 1 a.jpg\n\n2 0 1 0 0 1 2 3 2 b.jpg\n1 2 -1\n")
    flat = "900 0 400 0 0 900 300 0 0 0 1 0 0 0 0 1"
    (folder / "camera.calibration").write_text(
        "Skeletool Camera Calibration File V1.0\nname 0\n  sensor 10 10\n  size 800 600\n  animated 0\n"
        f"  intrinsic {flat}\n  extrinsic 1 0 0 5 0 1 0 6 0 0 1 7 0 0 0 1\n  radial 0\n"
    )
    exif = bytes.fromhex("45786966000049492a00080000000100698704000100000016000000000000000100a40503000100000032000000")
    _, jpeg = cv2.imencode(".jpg", np.zeros((4, 6), np.uint8))
    (folder / "a.jpg").write_bytes(b"\xff\xd8\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg.tobytes()[2:])
    return folder


@pytest.mark.parametrize("name", [name for name in NAMES if name != "a.jpg"])
def test_the_correct_files_are_correct(correct: Path, name: str) -> None:
    assert read_cameras(correct / name)


@pytest.mark.parametrize("name", NAMES)
@thorough
@given(damage=DAMAGE)
def test_damaged_files(correct: Path, tmp_path: Path, name: str, damage) -> None:
    for other in ("cameras.txt", "images.txt"):
        (tmp_path / other).write_bytes((correct / other).read_bytes())
    path = tmp_path / name
    path.write_bytes(damaged((correct / name).read_bytes(), damage))
    message = f"{tmp_path}"
    try:
        read_cameras(path)
    except FormatError as error:
        message = str(error)
    assert message.startswith(str(tmp_path))
    assert "\n" not in message
