import math
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats.cameras.registry import read_camera, read_cameras
from pose_mdn.geometry.field_of_view import field_of_view_rad

Tags = dict[int, tuple[int, float]]
SHORT, LONG, RATIONAL = 3, 4, 5
FOCAL, FOCAL_35, PLANE_X, PLANE_UNIT, ORIENTATION, WIDTH = 0x920A, 0xA405, 0xA20E, 0xA210, 0x0112, 0xA002


def tiff(main: Tags, exif: Tags, order: str) -> bytes:
    """An EXIF block of two directories."""
    main = main | {0x8769: (LONG, 0)}
    start = 8 + 2 + 12 * len(main) + 4
    values_at = start + 2 + 12 * len(exif) + 4
    values = b""

    def directory(tags: Tags) -> bytes:
        nonlocal values
        entries = struct.pack(order + "H", len(tags))
        for tag, (kind, value) in sorted(tags.items()):
            if tag == 0x8769:
                packed = struct.pack(order + "I", start)
            elif kind == RATIONAL:
                packed = struct.pack(order + "I", values_at + len(values))
                values += struct.pack(order + "II", round(value * 1000), 1000)
            else:
                packed = struct.pack(order + ("H2x" if kind == SHORT else "I"), int(value))
            entries += struct.pack(order + "HHI", tag, kind, 1) + packed
        return entries + struct.pack(order + "I", 0)

    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + directory(main) + directory(exif) + values


def photograph(path: Path, size: tuple[int, int], exif: Tags, main: Tags | None = None, order: str = "<") -> Path:
    width, height = size
    _, jpeg = cv2.imencode(".jpg", np.zeros((height, width), np.uint8))
    block = b"Exif\0\0" + tiff(main or {}, exif, order)
    content = jpeg.tobytes()
    path.write_bytes(content[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + content[2:])
    return path


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_focal_length_of_35_mm_film_is_measured_along_the_diagonal(tmp_path: Path, order: str) -> None:
    path = photograph(tmp_path / "holiday.jpg", (600, 400), {FOCAL_35: (SHORT, 50)}, order=order)
    camera = read_camera(path)
    assert (camera.name, camera.image_size) == ("holiday", (600, 400))
    np.testing.assert_allclose(camera.intrinsics[[0, 1], [0, 1]], 50 / 36 * 600)
    np.testing.assert_allclose(camera.intrinsics[:2, 2], [299.5, 199.5])
    # A 50 mm lens on 36 x 24 mm film.
    assert field_of_view_rad(camera) == pytest.approx([2 * math.atan(18 / 50), 2 * math.atan(12 / 50)])


@pytest.mark.parametrize(("unit", "millimetres"), [(2, 25.4), (3, 10.0)])
def test_a_focal_length_with_the_resolution_of_the_sensor(tmp_path: Path, unit: int, millimetres: float) -> None:
    # 300 pixels on 6 mm, seen by 4 mm; the picture was then halved.
    tags = {FOCAL: (RATIONAL, 4), PLANE_X: (RATIONAL, 50 * millimetres), PLANE_UNIT: (SHORT, unit), WIDTH: (LONG, 300)}
    camera = read_camera(photograph(tmp_path / "a.jpg", (150, 100), tags))
    np.testing.assert_allclose(camera.intrinsics[0, 0], 100, rtol=1e-5)


@pytest.mark.parametrize(("orientation", "size"), [(1, (600, 400)), (3, (600, 400)), (6, (400, 600)), (8, (400, 600))])
def test_pictures_on_their_side_are_turned(tmp_path: Path, orientation: int, size: tuple[int, int]) -> None:
    main = {ORIENTATION: (SHORT, orientation)}
    camera = read_camera(photograph(tmp_path / "a.jpg", (600, 400), {FOCAL_35: (SHORT, 50)}, main))
    assert camera.image_size == size
    assert cv2.imread(str(tmp_path / "a.jpg")).shape[1::-1] == size


def test_tags_that_another_library_wrote(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    picture = image.new("RGB", (640, 480))
    exif = picture.getexif()
    exif.get_ifd(0x8769).update({FOCAL: 4.25, FOCAL_35: 26})
    picture.save(tmp_path / "a.jpg", exif=exif)
    camera = read_camera(tmp_path / "a.jpg")
    np.testing.assert_allclose(camera.intrinsics[0, 0], 26 / math.hypot(36, 24) * 800)


@pytest.mark.parametrize(
    ("tags", "got"),
    [
        ({}, "got no focal length; give the camera's field of view"),
        ({FOCAL: (RATIONAL, 4.2)}, "got only FocalLength 4.2 mm"),
        ({FOCAL_35: (SHORT, 0)}, "no focal length"),
        ({FOCAL: (RATIONAL, 4.2), PLANE_X: (RATIONAL, 50), PLANE_UNIT: (SHORT, 9)}, "only FocalLength"),
    ],
)
def test_too_few_tags_say_what_is_missing(tmp_path: Path, tags: Tags, got: str) -> None:
    with pytest.raises(FormatError, match=got):
        read_camera(photograph(tmp_path / "a.jpg", (60, 40), tags))


def test_other_pictures_are_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((40, 60), np.uint8))
    with pytest.raises(FormatError, match="JPEG photograph, got another file; convert it"):
        read_cameras(tmp_path / "a.png", format="exif")


def test_a_photograph_without_exif_says_so(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((40, 60), np.uint8))
    with pytest.raises(FormatError, match="FocalLengthIn35mmFilm"):
        read_camera(tmp_path / "a.jpg")
