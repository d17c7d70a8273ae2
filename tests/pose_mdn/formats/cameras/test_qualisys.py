from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats.cameras.registry import read_camera, read_cameras
from pose_mdn.geometry.camera import Camera

FLIP = np.diag([1.0, -1.0, -1.0])


def qca(cameras: list[Camera], *, left: int = 0, top: int = 0, camera_attributes: str = "") -> str:
    """What Qualisys Track Manager would export for these cameras."""
    blocks = []
    for camera in cameras:
        width, height = camera.image_size
        axes = FLIP @ camera.rotation
        x, y, z = camera.optical_center * 1000
        fx, fy, cx, cy = camera.intrinsics[[0, 1, 0, 1], [0, 1, 2, 2]] + [0, 0, left, top]
        k1, k2, p1, p2, k3 = np.pad(camera.distortion, (0, 5 - camera.distortion.size))
        rows = " ".join(f'r{row + 1}{column + 1}="{axes[row, column]:.12g}"' for row in range(3) for column in range(3))
        blocks.append(
            f'<camera active="1" avg-residual="0.4" serial="{camera.name}" model="Miqus Video" viewrotation="0" '
            f"{camera_attributes}>"
            f'<fov_video bottom="{top + height - 1}" left="{left}" right="{left + width - 1}" top="{top}"/>'
            f'<transform {rows} x="{x:.9g}" y="{y:.9g}" z="{z:.9g}"/>'
            f'<intrinsic centerPointU="{cx * 64:.9f}" centerPointV="{cy * 64:.9f}" focalLengthU="{fx * 64:.9f}" '
            f'focalLengthV="{fy * 64:.9f}" focallength="9.3" radialDistortion1="{k1}" radialDistortion2="{k2}" '
            f'radialDistortion3="{k3}" tangentalDistortion1="{p1}" tangentalDistortion2="{p2}" skew="0.000000" '
            f'sensorMinU="0" sensorMaxU="{width * 64}" sensorMinV="0" sensorMaxV="{height * 64}"/></camera>'
        )
    return f'<?xml version="1.0" encoding="ASCII"?><calibration><cameras>{"".join(blocks)}</cameras></calibration>'


@pytest.mark.parametrize(("left", "top"), [(0, 0), (120, 56)])
def test_cameras_come_back(
    tmp_path: Path, make_camera: Callable[..., Camera], assert_same: Callable[..., None], left: int, top: int
) -> None:
    cameras = [make_camera(seed, name=f"2340{seed}") for seed in range(3)]
    path = tmp_path / "session.qca.txt"
    path.write_text(qca(cameras, left=left, top=top))
    for camera, found in zip(cameras, read_cameras(path).values(), strict=True):
        assert_same(found, camera, atol=1e-7)


def test_axes_are_turned_to_ours(tmp_path: Path) -> None:
    # It stands 3 m before the origin, 1.5 m high, and looks along the world's y axis; the world's z axis is up.
    camera = Camera(
        intrinsics=np.array([[1000.0, 0, 500], [0, 1000, 400], [0, 0, 1]]),
        rotation=np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
        translation=np.array([0.0, 1.5, 3.0]),
        image_size=(1000, 800),
        name="1",
    )
    text = qca([camera]).replace('"-0"', '"0"')
    assert 'x="0" y="-3000" z="1500"' in text
    assert 'r21="0" r22="0" r23="1" r31="0" r32="-1"' in text
    path = tmp_path / "a.qca.txt"
    path.write_text(text)
    np.testing.assert_allclose(read_camera(path).project([0.3, 0, 1.8]), [600, 300])


def test_smaller_videos_have_smaller_matrices(tmp_path: Path, make_camera: Callable[..., Camera]) -> None:
    camera = make_camera(name="1")
    path = tmp_path / "a.qca.txt"
    path.write_text(qca([camera], camera_attributes='video_resolution="540p"'))
    found = read_camera(path)
    np.testing.assert_allclose(found.intrinsics[:2], camera.intrinsics[:2] / 2)
    np.testing.assert_allclose(found.image_size, np.array(camera.image_size) / 2, atol=0.5)
    path.write_text(qca([camera], camera_attributes='video_resolution="N/A"'))
    np.testing.assert_allclose(read_camera(path).intrinsics, camera.intrinsics)


def test_cameras_that_only_see_markers_are_left_out(tmp_path: Path, make_camera: Callable[..., Camera]) -> None:
    path = tmp_path / "a.qca.txt"
    text = qca([make_camera(name="1")])
    path.write_text(text.replace("<cameras>", '<cameras><camera serial="9"><fov_marker left="0"/></camera>'))
    assert list(read_cameras(path)) == ["1"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("<?xml", "hello <?xml"), "expected XML"),
        (("fov_video", "fov_marker"), "<fov_video>"),
        (("<intrinsic", "<intrinsics"), "<intrinsic> in camera '1'"),
        (('focalLengthU="', 'focalLengthU="-'), "positive focal"),
        (('focalLengthU="', 'focalLengthU="x'), "number as 'focalLengthU'"),
        (('skew="0', 'skew="1'), "skew 0"),
        (('r11="', 'r11="9'), "orthogonal"),
        (('viewrotation="0"', 'video_resolution="big"'), "such as 1080p, got 'big'"),
    ],
)
def test_bad_files_give_one_clear_line(
    tmp_path: Path, make_camera: Callable[..., Camera], change: tuple[str, str], says: str
) -> None:
    path = tmp_path / "a.qca.txt"
    path.write_text(qca([make_camera(name="1")]).replace(*change))
    with pytest.raises(FormatError, match=says) as caught:
        read_cameras(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
