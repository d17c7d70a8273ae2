"""The page in a real browser: it loads from a disk, asks for nothing, draws, and answers to the mouse and the keys."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.visualization import write_report

from .conftest import OpenReport

pytestmark = pytest.mark.browser

COLOURS_ON_CANVAS = """id => {
  const canvas = document.getElementById(id);
  const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return new Set(pixels).size;
}"""


OpenFunction = Callable[..., OpenReport]


@pytest.fixture
def open_report(open_page: OpenFunction, tmp_path: Path) -> OpenFunction:
    def open_(sequence: HypothesisSequence, **context: Any) -> OpenReport:
        return open_page(write_report(sequence, tmp_path / "report.html", title="A walk").path, **context)

    return open_


def test_everything_is_drawn(open_report: OpenFunction, walking: HypothesisSequence) -> None:
    report = open_report(walking)
    for canvas in ("scene", "picture", "timeline"):
        assert report.page.evaluate(COLOURS_ON_CANVAS, canvas) > 10
    assert report.page.locator("#hypotheses li").count() == walking.num_hypotheses
    assert "mdn_lifter/1" in report.text("header")
    assert walking.intrinsics_source in report.text(".reading")


def test_dragging_and_the_wheel_turn_and_zoom_and_a_double_click_resets(
    open_report: OpenFunction, walking: HypothesisSequence
) -> None:
    report = open_report(walking)
    start = report.picture()
    box = report.page.locator("#scene").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    report.page.mouse.move(x, y)
    report.page.mouse.down()
    report.page.mouse.move(x + 90, y + 20, steps=4)
    report.page.mouse.up()
    turned = report.picture()
    report.page.mouse.wheel(0, -300)
    zoomed = report.picture()
    assert len({start, turned, zoomed}) == 3
    report.page.mouse.dblclick(x, y)
    report.page.mouse.move(2, 2)
    assert report.picture() == start


def test_the_slider_the_keys_and_the_strip_change_the_frame(
    open_report: OpenFunction, walking: HypothesisSequence
) -> None:
    report = open_report(walking)
    first = report.picture()
    report.page.locator("#slider").fill("30")
    assert report.text("#frame-label") == "Frame 30"
    assert report.picture() != first
    report.page.locator("#slider").blur()
    report.page.keyboard.press("ArrowRight")
    assert report.text("#frame-label") == "Frame 31"
    report.page.keyboard.press("Shift+ArrowLeft")
    assert report.text("#frame-label") == "Frame 21"
    strip = report.page.locator("#timeline").bounding_box()
    report.page.mouse.click(strip["x"] + strip["width"] * (50.5 / 64), strip["y"] + 10)
    assert report.text("#frame-label") == "Frame 50"
    expected = 100 * walking.mixing_coefficients[50].max()
    assert f"{expected:.0f} %" in report.text("#hypotheses li.selected .percent")


def test_playing_moves_on_and_stops(open_report: OpenFunction, walking: HypothesisSequence) -> None:
    report = open_report(walking)
    report.page.keyboard.press(" ")
    # The page's policy forbids eval, and with it Playwright's own way to wait for a condition.
    deadline = time.monotonic() + 10
    while int(report.page.input_value("#slider")) <= 3:
        assert time.monotonic() < deadline, "nothing moves"
        report.page.wait_for_timeout(50)
    report.page.click("#play")
    stopped = report.text("#frame-label")
    report.page.wait_for_timeout(150)
    assert report.text("#frame-label") == stopped


def test_hypotheses_and_ellipsoids_can_be_hidden(open_report: OpenFunction, walking: HypothesisSequence) -> None:
    report = open_report(walking)
    everything = report.picture()
    report.page.locator("#hypotheses input").nth(1).uncheck()
    without_second = report.picture()
    report.page.keyboard.press("2")
    assert report.picture() == everything
    report.page.check("input[name=sigma][value='0']")
    without_ellipsoids = report.picture()
    report.page.check("input[name=sigma][value='2']")
    assert len({everything, without_second, without_ellipsoids, report.picture()}) == 4
    report.page.click("#show-all")
    report.picture()
    assert report.page.locator("#hypotheses input:checked").count() == 0


def test_pinning_a_hypothesis_changes_the_overlay(open_report: OpenFunction, walking: HypothesisSequence) -> None:
    report = open_report(walking)
    likeliest = report.picture("picture")
    report.page.locator("#hypotheses .choose").nth(3).click()
    assert report.picture("picture") != likeliest
    assert report.text("#error") == f"{walking.reprojection_error_px[0, 3]:.1f}"


def test_a_row_that_was_not_lifted_says_why(open_report: OpenFunction, walking: HypothesisSequence) -> None:
    report = open_report(walking)
    assert not report.page.locator("#notice").is_visible()
    report.page.locator("#slider").fill("20")
    assert "Nobody was seen" in report.text("#notice")
    report.page.locator("#slider").fill("40")
    assert "right elbow" in report.text("#status")


def test_poses_that_may_be_nobody_are_flagged(open_report: OpenFunction, walking: HypothesisSequence) -> None:
    calm = open_report(walking)
    strips = calm.picture("timeline")
    assert not calm.page.locator("#doubt, #fact-doubtful").first.is_visible()
    walking.ood_score[30:34] = 0.87
    report = open_report(walking)
    assert report.picture("timeline") != strips
    assert "4 poses may not be people" in report.text("header")
    assert not report.page.locator("#doubt").is_visible()
    report.page.locator("#slider").fill("31")
    assert "May not be a person 87 %" in " ".join(report.text("#doubt").split())
    assert "animal" in report.page.get_attribute("#doubt", "title")


def test_a_page_opens_where_the_person_is_first_lifted(open_report: OpenFunction, walking: HypothesisSequence) -> None:
    report = open_report(walking.take(np.arange(len(walking)) >= 20))
    assert report.text("#frame-label") == "Frame 21"
    assert not report.page.locator("#notice").is_visible()


def test_several_people_can_be_chosen(open_report: OpenFunction, two_people: HypothesisSequence) -> None:
    report = open_report(two_people)
    both = report.picture()
    report.page.uncheck("#everyone")
    alone = report.picture()
    report.page.select_option("#person", "1")
    assert len({both, alone, report.picture()}) == 3


def test_a_lens_bends_the_overlay_as_opencv_does(open_report: OpenFunction, walking: HypothesisSequence) -> None:
    cv2 = pytest.importorskip("cv2")
    distortion = np.array([-0.28, 0.11, 0.002, -0.001, -0.02])
    points = (walking.means_m[0, 0] + walking.root_translation_m[0, 0]).astype(np.float64)
    expected = cv2.projectPoints(points, np.zeros(3), np.zeros(3), walking.intrinsics[0], distortion)[0][:, 0]
    # The page's functions live in one closed scope; the source of the lens is small enough to run on its own.
    report = open_report(replace(walking, distortion=distortion))
    lens = (Path(__file__).parents[3] / "pose_mdn/visualization/report/lens.js").read_text("utf-8")
    project = f"([points, k, d]) => {{ {lens}\n return points.map(p => projectToPicture(p, k, d)); }}"
    intrinsics = walking.intrinsics[0].reshape(-1).tolist()
    actual = report.page.evaluate(project, [points.tolist(), intrinsics, distortion.tolist()])
    np.testing.assert_allclose(actual, expected, atol=1e-6)


def test_a_fisheye_bends_the_overlay_as_opencv_does(open_report: OpenFunction, walking: HypothesisSequence) -> None:
    cv2 = pytest.importorskip("cv2")
    distortion = np.array([0.04, -0.01, 0.005, -0.001])
    points = (walking.means_m[0, 0] + walking.root_translation_m[0, 0]).astype(np.float64)
    points[0] = [0, 0, 2]
    expected = cv2.fisheye.projectPoints(points[:, None], np.zeros(3), np.zeros(3), walking.intrinsics[0], distortion)
    report = open_report(replace(walking, distortion=distortion, lens_model="fisheye"))
    assert "fisheye" in report.page.inner_text("#about-lens")
    lens = (Path(__file__).parents[3] / "pose_mdn/visualization/report/lens.js").read_text("utf-8")
    project = f"([points, k, d]) => {{ {lens}\n return points.map(p => projectToPicture(p, k, d, 'fisheye')); }}"
    intrinsics = walking.intrinsics[0].reshape(-1).tolist()
    actual = report.page.evaluate(project, [points.tolist(), intrinsics, distortion.tolist()])
    np.testing.assert_allclose(actual, expected[0][:, 0], atol=1e-6)


def test_an_ellipsoid_s_outline_is_exact(open_report: OpenFunction, walking: HypothesisSequence) -> None:
    """Points of the ellipsoid project inside the outline, and some of them onto it."""
    random = np.random.default_rng(3)
    center, across, along, focal = np.array([0.5, -0.3, 2.0]), 0.15, 0.5, 700.0
    sight = np.array([0.48, 0.6, 0.64])
    directions = random.normal(size=(200_000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    root = across * np.eye(3) + (along - across) * np.outer(sight, sight)
    surface = center + directions @ root
    pixels = focal * surface[:, :2] / surface[:, 2:]
    algebra = (Path(__file__).parents[3] / "pose_mdn/visualization/report/algebra.js").read_text("utf-8")
    call = f"([c, d, a, b, f]) => {{ {algebra}\n return ellipsoidOutline(c, lineOfSightCovariance(d, a, b), f); }}"
    ellipse = open_report(walking).page.evaluate(call, [center.tolist(), sight.tolist(), across, along, focal])
    cos, sin = np.cos(ellipse["angle"]), np.sin(ellipse["angle"])
    local = (pixels - [ellipse["x"], ellipse["y"]]) @ np.array([[cos, -sin], [sin, cos]])
    radius = np.hypot(local[:, 0] / ellipse["major"], local[:, 1] / ellipse["minor"])
    assert radius.max() == pytest.approx(1, abs=1e-3)
    angle = np.arctan2(local[:, 1] / ellipse["minor"], local[:, 0] / ellipse["major"])[radius > 0.995]
    assert np.histogram(angle, bins=12, range=(-np.pi, np.pi))[0].min() > 0


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1100), (1280, 800)])
def test_the_page_is_never_wider_than_the_screen(
    open_report: OpenFunction, two_people: HypothesisSequence, width: int, height: int
) -> None:
    report = open_report(two_people, viewport={"width": width, "height": height})
    assert report.page.evaluate("document.documentElement.scrollWidth") <= width
    assert report.page.evaluate("document.getElementById('speed').getBoundingClientRect().right") <= width
