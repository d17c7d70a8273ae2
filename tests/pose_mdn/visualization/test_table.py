from rich.console import Console

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.status import Status
from pose_mdn.visualization import hypotheses_table
from pose_mdn.visualization.status_text import STATUS_TEXT, status_text


def _render(table: object) -> str:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_every_row_shows_its_figures_and_status(walking: HypothesisSequence) -> None:
    text = _render(hypotheses_table(walking, max_rows=1000))
    lines = [line for line in text.splitlines() if "lifted" in line or "no person" in line]
    assert len(lines) == len(walking)
    best = walking.reprojection_error_px[5].take(walking.most_probable[5])
    assert f"{best:.1f}" in lines[5]
    assert f"{100 * walking.mixing_coefficients[5].max():.0f}" in lines[5]
    assert "–" in lines[20]
    assert "no person" in lines[20]


def test_long_results_are_thinned_and_say_so(walking: HypothesisSequence) -> None:
    table = hypotheses_table(walking, max_rows=8)
    assert table.row_count == 8
    assert "8 of 64 rows" in _render(table)


def test_the_person_column_appears_with_several_people(
    walking: HypothesisSequence, two_people: HypothesisSequence
) -> None:
    assert "person" not in [column.header for column in hypotheses_table(walking).columns]
    assert "person" in [column.header for column in hypotheses_table(two_people).columns]


def test_doubts_whether_it_is_a_person_appear_where_there_are_any(walking: HypothesisSequence) -> None:
    assert "no person" not in [str(column.header).splitlines()[0] for column in hypotheses_table(walking).columns]
    walking.ood_score[30] = 0.87
    text = _render(hypotheses_table(walking, max_rows=1000))
    assert [line.count(" 87 ") for line in text.splitlines() if "lifted" in line or "–" in line][30] == 1
    assert "no person" in text


def test_the_table_fits_into_eighty_columns(walking: HypothesisSequence) -> None:
    table = hypotheses_table(walking, max_rows=8)
    console = Console(width=80)
    with console.capture() as capture:
        console.print(table)
    assert capture.get().count("lifted") + capture.get().count("no person") == 8
    assert len(capture.get().splitlines()) == 8 + 7  # title, three rules, two lines of headings, caption: no cell wraps


def test_every_status_has_words() -> None:
    assert set(STATUS_TEXT) == set(Status)
    assert status_text("from_the_future") == "from the future"
