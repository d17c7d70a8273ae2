import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from pose_mdn.errors import InputError
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.visualization.folder_entries import ClipEntry, FailedEntry, describe_clip
from pose_mdn.visualization.folder_page import viewer_href, write_folder_page

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "a&b\"'`{{data}}",
    "Grüße – 走",
    "\udcff",
]


@pytest.fixture
def entry(walking: HypothesisSequence) -> ClipEntry:
    quality, thumbnail = describe_clip(walking)
    return ClipEntry(
        name="walk", source="in/walk.json", result="walk.npz", viewer="viewers/walk.html", quality=quality,
        thumbnail=thumbnail, format="openpose", skeleton="body25",
    )  # fmt: skip


def description(page: str) -> dict[str, list[dict[str, object]]]:
    match = re.search(r'id="description">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    found: dict[str, list[dict[str, object]]] = json.loads(match[1])
    return found


def test_the_page_refers_to_nothing_outside_but_viewers(entry: ClipEntry, tmp_path: Path) -> None:
    write_folder_page(tmp_path / "index.html", [entry])
    page = (tmp_path / "index.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert re.findall(r"@import|fetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\(|\.ttf", page) == []
    assert set(re.findall(r"https?://[^\s'\"]+", page)) == {"http://www.w3.org/2000/svg"}
    assert "{{" not in page.replace("`{{", "")


def test_entries_in_any_order_give_the_same_bytes(entry: ClipEntry, tmp_path: Path) -> None:
    entries = [replace(entry, name=f"clip{i}") for i in range(5)]
    failed = [FailedEntry(source=f"bad{i}.json", reason="damaged") for i in range(3)]
    write_folder_page(tmp_path / "one.html", entries, failed)
    write_folder_page(tmp_path / "two.html", entries[::-1], failed[::-1])
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


@pytest.mark.parametrize("name", HOSTILE)
def test_names_and_reasons_are_only_text(entry: ClipEntry, tmp_path: Path, name: str) -> None:
    write_folder_page(tmp_path / "plain.html", [entry], [FailedEntry(source="a", reason="b")], title="plain")
    hostile = replace(entry, name=name, source=name, format=name, skeleton=name, thumbnail=name, result=name)
    write_folder_page(tmp_path / "index.html", [hostile], [FailedEntry(source=name, reason=name)], title=name)
    plain, page = ((tmp_path / file).read_text("utf-8") for file in ("plain.html", "index.html"))
    assert page.count("<script") == plain.count("<script")
    assert page.count("</script") == plain.count("</script")
    assert page.count("<img") == plain.count("<img")
    assert description(page)["clips"][0]["name"] == name


@pytest.mark.parametrize(
    ("path", "href"),
    [
        ("viewers/a b.html", "./viewers/a%20b.html"),
        ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
        ("//elsewhere.org/x", ".///elsewhere.org/x"),
        ("viewers/50%#?.html", "./viewers/50%25%23%3F.html"),
        ("viewers/\udcff.html", "./viewers/%FF.html"),
    ],
)
def test_a_link_is_a_path_below_the_page(path: str, href: str) -> None:
    assert viewer_href(path) == href


def test_entries_survive_json(entry: ClipEntry) -> None:
    for each in (entry, replace(entry, viewer=None, thumbnail="")):
        assert ClipEntry.from_dict(json.loads(json.dumps(each.to_dict()))) == each


@pytest.mark.parametrize("change", [{"name": 3}, {"thumbnail": None}, {"viewer": 1}, {"quality": []}, {"quality": {}}])
def test_entries_of_a_wrong_kind_are_refused(entry: ClipEntry, change: dict[str, object]) -> None:
    with pytest.raises(InputError, match="expected"):
        ClipEntry.from_dict(entry.to_dict() | change)


def test_a_place_that_cannot_be_written_to_is_an_error(entry: ClipEntry, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can be written to"):
        write_folder_page(tmp_path / "none" / "index.html", [entry])
