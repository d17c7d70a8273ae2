import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.errors import ConfigError, InputError
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.visualization import write_report

KINDS = {"float32": "<f4", "int32": "<i4"}


def _decode(page: str) -> dict[str, np.ndarray]:
    elements = re.findall(r'data-array="(\w+)" data-kind="(\w+)" data-shape="([\d,]+)">([^<]*)<', page)
    return {
        name: np.frombuffer(base64.b64decode(text), KINDS[kind]).reshape([int(n) for n in shape.split(",")])
        for name, kind, shape, text in elements
    }


def _description(page: str) -> dict[str, object]:
    match = re.search(r'id="description">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    description: dict[str, object] = json.loads(match[1])
    return description


def test_arrays_come_back_from_the_page(walking: HypothesisSequence, tmp_path: Path) -> None:
    write_report(walking, tmp_path / "report.html")
    arrays = _decode((tmp_path / "report.html").read_text("utf-8"))
    for name in ("means_m", "std_m", "mixing_coefficients", "root_translation_m", "keypoints_px", "view_rotation"):
        np.testing.assert_array_equal(arrays[name], getattr(walking, name))
    np.testing.assert_array_equal(arrays["frame"], walking.frame)


def test_rows_in_any_order_are_shown_by_frame_and_person(two_people: HypothesisSequence, tmp_path: Path) -> None:
    write_report(two_people, tmp_path / "report.html")
    arrays = _decode((tmp_path / "report.html").read_text("utf-8"))
    order = np.lexsort((two_people.person, two_people.frame))
    np.testing.assert_array_equal(arrays["means_m"], two_people.means_m[order])
    np.testing.assert_array_equal(arrays["person"], two_people.person[order])


def test_the_page_refers_to_nothing_outside(walking: HypothesisSequence, tmp_path: Path) -> None:
    write_report(walking, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert (
        re.findall(r"https?:|//\w+\.\w+/|@import|fetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\(|\.ttf", page)
        == []
    )
    assert re.findall(r"\b(?:src|href)=[\"'](?!data:)", page) == []
    assert "{{" not in page.replace("`{{", "")


@pytest.mark.parametrize(
    "title", ["</title><script>alert(1)</script>", "a & b {{data}}", "Grüße \u2028 –", "</script>"]
)
def test_a_title_is_only_text(walking: HypothesisSequence, tmp_path: Path, title: str) -> None:
    plain = write_report(walking, tmp_path / "plain.html", title="plain").path.read_text("utf-8")
    page = write_report(walking, tmp_path / "report.html", title=title).path.read_text("utf-8")
    assert page.count("<script") == plain.count("<script")
    assert page.count("</script") == plain.count("</script")
    assert _description(page)["title"] == title


def test_long_sequences_keep_every_kth_frame_and_say_so(two_people: HypothesisSequence, tmp_path: Path) -> None:
    summary = write_report(two_people, tmp_path / "report.html", max_megabytes=0.12)
    page = summary.path.read_text("utf-8")
    step = _description(page)["frame_step"]
    assert isinstance(step, int)
    assert step > 1
    kept = np.unique(two_people.frame)[::step]
    np.testing.assert_array_equal(np.unique(_decode(page)["frame"]), kept)
    assert (summary.frames_shown, summary.frames_total) == (len(kept), 64)
    template = write_report(replace_frames(two_people, 1), tmp_path / "small.html").size_bytes
    assert summary.size_bytes < template + 0.13e6


def replace_frames(sequence: HypothesisSequence, count: int) -> HypothesisSequence:
    arrays = {k: v[:count] for k, v in vars(sequence).items() if isinstance(v, np.ndarray) and k != "distortion"}
    return replace(sequence, **arrays)


def test_nothing_to_show_is_an_error_and_leaves_no_file(walking: HypothesisSequence, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one row"):
        write_report(replace_frames(walking, 0), tmp_path / "report.html")
    with pytest.raises(ConfigError, match="max_megabytes"):
        write_report(walking, tmp_path / "report.html", max_megabytes=0)
    assert list(tmp_path.iterdir()) == []
