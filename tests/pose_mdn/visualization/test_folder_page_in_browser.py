"""The page of a folder in a real browser: it sorts, filters, links, and stands thousands of clips and hostile names."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.quality import ClipQuality
from pose_mdn.visualization import write_report
from pose_mdn.visualization.folder_entries import ClipEntry, FailedEntry, describe_clip
from pose_mdn.visualization.folder_page import write_folder_page

from .conftest import OpenReport

pytestmark = pytest.mark.browser

MANY = 5000
LIMIT_MS = 1000.0
SORT = """async key => {
  const start = performance.now();
  document.querySelector(`[data-column=${key}] button`).click();
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - start;
}"""

OpenFunction = Callable[..., OpenReport]


@pytest.fixture
def clip(walking: HypothesisSequence) -> Callable[..., ClipEntry]:
    quality, thumbnail = describe_clip(walking)

    def make(name: str, *, viewer: str | None = None, **figures: object) -> ClipEntry:
        return ClipEntry(
            name=name, source=f"in/{name}.json", result=f"{name}.npz", viewer=viewer, thumbnail=thumbnail,
            quality=ClipQuality.from_dict(quality.to_dict() | figures), format="openpose", skeleton="body25",
        )  # fmt: skip

    return make


@pytest.fixture
def folder(clip: Callable[..., ClipEntry]) -> list[ClipEntry]:
    return [
        clip("take 10", reprojection_of_size=0.01),
        clip("take 2", reprojection_of_size=0.05, depth_std_m=0.15),
        clip("take 1", reprojection_of_size=0.2, out_of_distribution_share=1.0),
        clip("empty", reprojection_of_size=None, lifted=0, lifted_share=0.0),
    ]


@pytest.fixture
def open_folder(open_page: OpenFunction, tmp_path: Path) -> OpenFunction:
    def open_(entries: Sequence[ClipEntry], failed: Sequence[FailedEntry] = (), **context: Any) -> OpenReport:
        write_folder_page(tmp_path / "index.html", entries, failed, title="A day")
        return open_page(tmp_path / "index.html", **context)

    return open_


def names(report: OpenReport) -> list[str]:
    return [str(name) for name in report.page.locator("tbody .name").all_inner_texts()]


def test_all_clips_are_there_by_name(open_folder: OpenFunction, folder: list[ClipEntry]) -> None:
    report = open_folder(folder, [FailedEntry(source="in/bad.json", reason="in/bad.json: expected a document, got 0")])
    assert names(report) == ["empty", "take 1", "take 2", "take 10"]
    totals = report.page.inner_text("#totals")
    assert all(text in totals for text in ("4 clips", "3 flagged", "1 failed"))
    assert report.page.inner_text("#failed-list li span") == "expected a document, got 0"
    # Pictures are decoded: of a damaged one the natural width would be 0.
    assert report.page.evaluate("Promise.all([...document.images].map(i => i.decode().then(() => i.naturalWidth > 0)))")


def test_each_column_sorts_both_ways_with_the_unknown_last(open_folder: OpenFunction, folder: list[ClipEntry]) -> None:
    report = open_folder(folder)
    report.page.click("[data-column=error] button")
    assert names(report) == ["take 1", "take 2", "take 10", "empty"]
    assert report.page.get_attribute("[data-column=error]", "aria-sort") == "descending"
    report.page.click("[data-column=error] button")
    assert names(report) == ["take 10", "take 2", "take 1", "empty"]
    for column in report.page.locator("thead [data-column]").evaluate_all("all => all.map(th => th.dataset.column)"):
        report.page.click(f"[data-column={column}] button")
        assert sorted(names(report)) == ["empty", "take 1", "take 10", "take 2"]
        assert report.page.locator("thead [aria-sort]").count() == 1


def test_flags_and_words_filter_and_come_back_with_the_address(
    open_folder: OpenFunction, folder: list[ClipEntry]
) -> None:
    report = open_folder(folder)
    report.page.click("[data-flag='reprojection']")
    assert names(report) == ["take 1", "take 2"]
    report.page.click("[data-flag='nothing lifted']")
    assert names(report) == ["empty", "take 1", "take 2"]
    report.page.fill("#search", "TAKE json")
    assert names(report) == ["take 1", "take 2"]
    assert report.page.inner_text("#shown") == "2 of 4"
    address = report.page.url
    report.page.keyboard.press("Escape")
    assert len(names(report)) == 4
    report.page.evaluate("hash => { location.hash = hash; }", address.partition("#")[2])
    report.page.wait_for_timeout(50)
    assert names(report) == ["take 1", "take 2"]
    report.page.fill("#search", "no such clip")
    assert report.page.is_visible("#nothing")
    report.page.click("#reset")
    assert len(names(report)) == 4


def test_everything_is_reached_by_the_keyboard(open_folder: OpenFunction, folder: list[ClipEntry]) -> None:
    report = open_folder([replace(folder[2], viewer="viewers/x.html")])
    report.page.keyboard.press("/")
    assert report.page.evaluate("document.activeElement.id") == "search"
    reached = []
    for _ in range(40):
        report.page.keyboard.press("Tab")
        reached.append(report.page.evaluate("document.activeElement.className || document.activeElement.innerText"))
        if reached[-1] == "flag bad":
            break
    assert {"Off picture", "name", "flag bad"} <= set(reached)
    assert report.page.locator(".flag:focus .tip").is_visible()
    assert "See whether" in report.page.inner_text(".flag:focus .tip")


def test_a_clip_leads_to_its_viewer_and_back(
    browser: Any, folder: list[ClipEntry], walking: HypothesisSequence, tmp_path: Path
) -> None:
    place = "viewers/day #1/50% <b>.html"
    (tmp_path / place).parent.mkdir(parents=True)
    write_report(walking, tmp_path / place, title="A walk", back="../../index.html")
    write_folder_page(tmp_path / "index.html", [replace(folder[0], viewer=place), folder[1]])
    page = browser.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    assert page.locator("tbody a.name").count() == 1
    page.click("[data-flag='']")
    page.click("tbody a.name")
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.inner_text("h1") == "A walk"
    page.click("text=All clips")
    page.wait_for_selector("#clips")
    assert page.inner_text("h1") == "Lifted clips"
    page.close()


@pytest.mark.parametrize("name", ["<script>window.bad=1</script>", "<img src=x onerror=window.bad=1>", "'\"`${bad}"])
def test_hostile_names_are_shown_as_they_are(open_folder: OpenFunction, folder: list[ClipEntry], name: str) -> None:
    picture = "<svg xmlns='http://www.w3.org/2000/svg'><script>parent.bad=1</script></svg>"
    hostile = replace(folder[2], name=name, source=name, thumbnail=picture, viewer=f"viewers/{name}.html")
    report = open_folder([hostile], [FailedEntry(source=name, reason=name)])
    assert names(report) == [name]
    assert report.page.inner_text("#failed-list b") == name
    assert report.page.evaluate("window.bad") is None


def test_thousands_of_clips_open_and_sort_at_once(open_folder: OpenFunction, folder: list[ClipEntry]) -> None:
    many = [replace(folder[i % 4], name=f"{folder[i % 4].name} {i}") for i in range(MANY)]
    report = open_folder(many, [FailedEntry(source=f"bad {i}", reason="damaged") for i in range(300)])
    ready = report.page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert ready < 2 * LIMIT_MS  # twice, for a machine that does other things beside
    assert report.page.locator("tbody tr").count() < 200
    for column in ("error", "name", "flags"):
        assert report.page.evaluate(SORT, column) < LIMIT_MS
    assert "5,000 clips" in report.page.inner_text("#totals")
    for _ in range(3):
        report.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        report.page.wait_for_timeout(100)
    assert report.page.locator("tbody tr").count() > 200
    report.page.click("#failed summary")
    report.page.click("text=Show all 300")
    assert report.page.locator("#failed-list li").count() == 300


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1100), (1130, 800), (1600, 900)])
def test_the_page_is_never_wider_than_the_screen(
    open_folder: OpenFunction, folder: list[ClipEntry], width: int, height: int
) -> None:
    entries = [replace(folder[1], name="a_very_long_name_without_any_space" * 4), *folder]
    report = open_folder(entries, viewport={"width": width, "height": height})
    assert report.page.evaluate("document.documentElement.scrollWidth") <= width
