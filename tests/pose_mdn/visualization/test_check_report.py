import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pose_mdn.errors import ConfigError, InputError
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.reprojection import check_reprojection
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn.visualization.check_report import write_check_report

KINDS = {"float32": "<f4", "int32": "<i4"}


def _write(sequence: HypothesisSequence, folder: Path, **options: Any) -> str:
    found = check_reprojection(sequence)
    return write_check_report(sequence, found, folder / "check.html", **options).path.read_text("utf-8")


def _arrays(page: str) -> dict[str, np.ndarray]:
    elements = re.findall(r'data-array="(\w+)" data-kind="(\w+)" data-shape="([\d,]+)">([^<]*)<', page)
    return {
        name: np.frombuffer(base64.b64decode(text), KINDS[kind]).reshape([int(n) for n in shape.split(",")])
        for name, kind, shape, text in elements
    }


def _json(page: str, name: str) -> Any:
    match = re.search(rf'id="{name}">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    return json.loads(match[1])


def _folder(folder: Path, frames: range, size: tuple[int, int] = (1280, 720)) -> Path:
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (size[1] // 8, size[0] // 8, 3)).astype(np.uint8)
    picture = cv2.resize(noise, size)
    for frame in frames:
        cv2.imwrite(str(folder / f"clip2_frame_{frame:05d}.png"), picture)
    return folder


def test_what_was_found_is_in_the_page(walking: HypothesisSequence, tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(len(walking))
    page = _write(walking.take(order), tmp_path)
    found, arrays, about = check_reprojection(walking), _arrays(page), _json(page, "description")
    np.testing.assert_array_equal(arrays["frame"], walking.frame)
    np.testing.assert_allclose(arrays["error_px"], found.agreement.error_px, rtol=1e-6)
    np.testing.assert_allclose(arrays["points_px"], found.projection.points_px, rtol=1e-6)
    np.testing.assert_array_equal(arrays["passes"] == 1, found.passes)
    assert about["verdict"] == found.diagnosis.overall == "none"
    for row, index in ((0, 0), (20, 2), (40, 4)):
        assert about["reasons"][arrays["reason"][row, index]] == "; ".join(found.reasons(row, index))
    inside = arrays["distance"] <= about["radius"]
    assert (inside == found.agreement.within).mean() > 0.999


def test_the_ellipses_contain_the_keypoints_that_are_within(walking: HypothesisSequence, tmp_path: Path) -> None:
    arrays, found = _arrays(_write(walking, tmp_path)), check_reprojection(walking)
    xx, xy, yy = np.moveaxis(arrays["covariance_px2"].astype(np.float64), -1, 0)
    x, y = np.moveaxis(arrays["keypoints_px"][:, None] - arrays["points_px"], -1, 0)
    square = (yy * x * x - 2 * xy * x * y + xx * y * y) / (xx * yy - xy * xy)
    np.testing.assert_allclose(np.sqrt(square), found.agreement.distance, rtol=1e-3)


def test_the_page_refers_to_nothing_outside(walking: HypothesisSequence, tmp_path: Path) -> None:
    page = _write(walking, tmp_path, title="</title><script>alert(1)</script>")
    assert "default-src 'none'" in page
    assert re.findall(r"https?:|@import|fetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\(", page) == []
    assert re.findall(r"\b(?:src|href)=[\"'](?!data:)", page) == []
    assert "<script>alert" not in page


def test_long_sequences_keep_every_kth_frame_and_say_so(walking: HypothesisSequence, tmp_path: Path) -> None:
    page = _write(walking, tmp_path, max_megabytes=0.1)
    step = _json(page, "description")["frame_step"]
    assert step > 1
    np.testing.assert_array_equal(_arrays(page)["frame"], walking.frame[::step])


def test_pictures_are_found_by_number_and_fit_into_the_bound(walking: HypothesisSequence, tmp_path: Path) -> None:
    folder = _folder(tmp_path / "pictures", range(10, 30))
    lengths = []
    for bound in (6.0, 1.0):
        page = _write(walking, tmp_path, images=folder, max_megabytes=bound)
        pictures = _json(page, "pictures")
        assert set(pictures) <= {str(frame) for frame in range(10, 30)}
        assert len(page) < 1e6 * bound + 100_000
        first = base64.b64decode(next(iter(pictures.values())).partition(",")[2])
        lengths.append(cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR).shape[1])
    assert lengths[0] > lengths[1]
    assert len(_json(_write(walking, tmp_path, images=folder, max_megabytes=6.0), "pictures")) == 20


def test_pictures_of_a_video_are_counted_from_zero(walking: HypothesisSequence, tmp_path: Path) -> None:
    video = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (1280, 720))
    for shade in range(0, 250, 25):
        video.write(np.full((720, 1280, 3), shade, np.uint8))
    video.release()
    rows = walking.take(np.array([1, 4, 9, 30]))
    pictures = _json(_write(rows, tmp_path, images=tmp_path / "clip.avi"), "pictures")
    assert list(pictures) == ["1", "4", "9"]
    shades = [
        cv2.imdecode(np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR).mean()
        for uri in pictures.values()
    ]
    np.testing.assert_allclose(shades, [25, 100, 225], atol=4)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: _folder(folder / "other", range(3), (640, 480)), "expected pictures of 1280 x 720 px"),
        (
            lambda folder: _folder(folder / "later", range(900, 902)),
            "expected pictures of the frames 0 to 63, got none",
        ),
        (lambda folder: _folder(folder / "one", range(1)) / "clip2_frame_00000.png", "since there are 64 frames"),
        (lambda folder: folder / "nothing.mp4", "expected a folder of images, an image or a video"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(
    walking: HypothesisSequence, tmp_path: Path, make: Any, reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        _write(walking, tmp_path, images=make(tmp_path))
    assert not (tmp_path / "check.html").exists()


def test_nothing_to_show_is_refused(walking: HypothesisSequence, tmp_path: Path) -> None:
    found = check_reprojection(walking)
    with pytest.raises(InputError, match="at least one row"):
        write_check_report(walking.take(slice(0, 0)), found, tmp_path / "check.html")
    with pytest.raises(ConfigError, match="max_megabytes"):
        write_check_report(walking, found, tmp_path / "check.html", max_megabytes=0)


def test_the_verdict_names_exchanged_sides(walking: HypothesisSequence, tmp_path: Path) -> None:
    flip = list(HUMAN36M17.flip_indices)
    exchanged = replace(walking, keypoints_px=walking.keypoints_px[:, flip], confidence=walking.confidence[:, flip])
    assert "left and right are exchanged" in _json(_write(exchanged, tmp_path), "description")["verdict_text"]
