"""The check's page in a real browser: verdict, table, overlay, and what the mouse and the keys do."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.reprojection import check_reprojection
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn.visualization.check_report import write_check_report

from .conftest import OpenReport, concatenate, make_walking

pytestmark = pytest.mark.browser

GUTTER_PX = 96
OpenFunction = Callable[..., OpenReport]


@pytest.fixture
def open_check(open_page: OpenFunction, tmp_path: Path) -> OpenFunction:
    def open_(sequence: HypothesisSequence, images: Path | None = None, **context: Any) -> OpenReport:
        found = check_reprojection(sequence)
        page = write_check_report(sequence, found, tmp_path / "check.html", title="A walk", images=images)
        return open_page(page.path, **context)

    return open_


def _cell(report: OpenReport, step: int, joint: str, steps: int = 64) -> dict[str, float]:
    """Where the table shows a joint in a frame."""
    box = report.page.locator("#heat").bounding_box()
    across = GUTTER_PX + (step + 0.5) * (box["width"] - GUTTER_PX) / steps
    return {"x": across, "y": 14 + (HUMAN36M17.index(joint) + 0.5) * (box["height"] - 14) / 17}


def _point_at(report: OpenReport, step: int, joint: str) -> str:
    report.page.locator("#heat").hover(position=_cell(report, step, joint))
    return report.text("#heat-note")


def test_the_verdict_and_its_reasons_stand_on_top(open_check: OpenFunction, walking: HypothesisSequence) -> None:
    assert open_check(walking).text("#verdict-text") == "Agrees with the picture"
    flip = list(HUMAN36M17.flip_indices)
    exchanged = replace(walking, keypoints_px=walking.keypoints_px[:, flip], confidence=walking.confidence[:, flip])
    report = open_check(exchanged)
    assert report.text("#verdict-text").startswith("Left and right are exchanged")
    assert "63 of 64 rows, 5 hypotheses each" in report.text("#summary")
    assert "off by" in report.text("#hypotheses")


def test_pointing_at_a_cell_tells_its_error(open_check: OpenFunction, walking: HypothesisSequence) -> None:
    larger = np.array([1.02, 1.02, 1.0, 1.02, 1.02], np.float32)[:, None, None]
    walking = replace(walking, means_m=walking.means_m * larger)
    report, found = open_check(walking), check_reprojection(walking)
    text = _point_at(report, 7, "l_wrist")
    best, joint = walking.most_probable[7], HUMAN36M17.index("l_wrist")
    where = "inside" if found.agreement.within[7, best, joint] else "outside"
    assert text.startswith(f"Frame 7, left wrist: {found.agreement.error_px[7, best, joint]:.1f} px, ")
    assert text.endswith(f"{where} its uncertainty (hypothesis {best + 1})")
    report.page.check("input[name=measure][value=best]")
    assert "(hypothesis 3)" in _point_at(report, 7, "l_wrist")
    assert "not seen" in _point_at(report, 40, "r_wrist")
    assert _point_at(report, 20, "r_wrist") == "Frame 20: not lifted"


def test_a_click_goes_to_a_frame_and_shows_its_hypotheses(
    open_check: OpenFunction, walking: HypothesisSequence
) -> None:
    report, found = open_check(walking), check_reprojection(walking)
    before = report.picture("picture")
    report.page.locator("#heat").click(position=_cell(report, 50, "spine"))
    assert report.text("#frame-label") == "Frame 50"
    assert report.picture("picture") != before
    for index, item in enumerate(report.page.locator("#hypotheses li").all()):
        text = item.inner_text()
        assert f"{found.agreement.rms_px[50, index]:.1f} px" in text
        assert ("passes" in text) == found.passes[50, index]
        assert all(reason in text for reason in found.reasons(50, index))
    report.page.keyboard.press("Shift+ArrowLeft")
    assert report.text("#frame-label") == "Frame 40"
    report.page.locator("#heat").click(position=_cell(report, 20, "spine"))
    assert "no error" in report.text("#hypotheses")


def test_choosing_a_hypothesis_and_hiding_others_changes_the_overlay(
    open_check: OpenFunction, walking: HypothesisSequence
) -> None:
    moved = replace(walking, means_m=walking.means_m * np.linspace(1.0, 1.2, 5, dtype=np.float32)[:, None, None])
    report = open_check(moved)
    shown = {report.picture("picture")}
    report.page.keyboard.press("4")
    assert "pinned" in report.text("#hypotheses li.selected")
    shown.add(report.picture("picture"))
    report.page.locator("#hypotheses input").nth(0).uncheck()
    shown.add(report.picture("picture"))
    report.page.check("input[name=window][value=picture]")
    shown.add(report.picture("picture"))
    assert len(shown) == 4


def test_each_person_has_a_table(open_check: OpenFunction, walking: HypothesisSequence) -> None:
    second = make_walking(64, person=1, seed=8)
    second = replace(second, keypoints_px=second.keypoints_px + 40)
    report = open_check(concatenate(walking, second))
    first = report.picture("heat")
    report.page.select_option("#person", "1")
    assert report.picture("heat") != first


def test_pictures_lie_under_the_overlay(open_check: OpenFunction, walking: HypothesisSequence, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for frame in range(2):
        picture = np.full((720, 1280, 3), (0, 0, 255) if frame else (255, 0, 0), np.uint8)
        cv2.imwrite(str(tmp_path / "pictures" / f"{frame}.jpg"), picture)
    report = open_check(walking, images=tmp_path / "pictures", color_scheme="light")
    report.page.check("input[name=window][value=picture]")
    middle = """() => {
      const [canvas, copy] = [document.getElementById("picture"), document.createElement("canvas")];
      const context = copy.getContext("2d");
      context.drawImage(canvas, -0.7 * canvas.width, -0.15 * canvas.height);
      return [...context.getImageData(0, 0, 1, 1).data];
    }"""
    report.page.wait_for_timeout(200)
    report.picture("picture")
    red, _, blue, _ = report.page.evaluate(middle)
    assert blue > red + 80
    report.page.click("#next")
    report.page.wait_for_timeout(200)
    report.picture("picture")
    red, _, blue, _ = report.page.evaluate(middle)
    assert red > blue + 80
    assert report.text("#about-pictures") == "2 of 64 frames"


@pytest.mark.parametrize("width", [430, 1280])
def test_nothing_is_wider_than_the_window(open_check: OpenFunction, walking: HypothesisSequence, width: int) -> None:
    report = open_check(walking, viewport={"width": width, "height": 800})
    report.picture("heat")
    assert report.page.evaluate("() => document.documentElement.scrollWidth") <= width
