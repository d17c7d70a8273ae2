import json
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn_server.telemetry.activity import increase
from pose_mdn_server.telemetry.exposition import exposition
from pose_mdn_server.telemetry.families import FAMILIES
from pose_mdn_server.telemetry.labels import key_of
from pose_mdn_server.telemetry.page import read_page
from pose_mdn_server.telemetry.snapshots import Snapshot, empty, merge

LABEL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)
COUNT = st.integers(0, 2**50)


def family_series(kind: str) -> st.SearchStrategy[dict[str, dict[str, object]]]:
    """Series of some families of one kind."""
    families = {name: family for name, family in FAMILIES.items() if family.kind == kind}

    def rows(name: str) -> st.SearchStrategy[dict[str, object]]:
        family = families[name]
        keys = st.tuples(*[LABEL] * len(family.labels)).map(lambda labels: key_of(*labels))
        length = len(family.bounds) + 1
        row = st.tuples(COUNT, st.lists(st.integers(0, 1000), min_size=length, max_size=length)).map(
            lambda parts: [parts[0], *parts[1]]
        )
        values = {"counter": COUNT, "gauge": st.integers(0, 2**40).map(float), "histogram": row}
        return st.dictionaries(keys, values[kind], max_size=2)

    return st.lists(st.sampled_from(sorted(families)), unique=True, max_size=3).flatmap(
        lambda names: st.fixed_dictionaries({name: rows(name) for name in names})
    )


SNAPSHOTS = st.fixed_dictionaries(
    {
        "counters": family_series("counter"),
        "gauges": family_series("gauge"),
        "histograms": family_series("histogram"),
    }
)


@settings(max_examples=40)
@given(SNAPSHOTS, SNAPSHOTS, SNAPSHOTS)
def test_merging_does_not_depend_on_order_or_grouping(a: Snapshot, b: Snapshot, c: Snapshot) -> None:
    assert merge([merge([a, b]), c]) == merge([a, merge([b, c])]) == merge([c, b, a])


@settings(max_examples=40)
@given(SNAPSHOTS)
def test_nothing_merged_with_a_snapshot_is_that_snapshot(taken: Snapshot) -> None:
    assert merge([taken, empty()]) == merge([taken]) == taken


@settings(max_examples=40)
@given(SNAPSHOTS, SNAPSHOTS)
def test_merging_changes_neither_of_them(a: Snapshot, b: Snapshot) -> None:
    before = json.dumps([a, b])
    merge([a, b])
    assert json.dumps([a, b]) == before


@settings(max_examples=40)
@given(SNAPSHOTS)
def test_a_snapshot_survives_a_pipe(taken: Snapshot) -> None:
    assert json.loads(json.dumps(taken)) == taken


@settings(max_examples=40)
@given(SNAPSHOTS, SNAPSHOTS)
def test_the_increase_is_what_was_merged_in(before: Snapshot, more: Snapshot) -> None:
    grown = increase(before, merge([before, more]))
    for kind in ("counters", "histograms"):
        for name, series in more[kind].items():  # type: ignore[literal-required]
            assert {key: grown[kind][name][key] for key in series} == series  # type: ignore[literal-required]


@pytest.mark.parametrize("row", [[10, *[3] * 34], [0, *[0] * 34]], ids=["smaller", "empty"])
def test_a_series_that_began_anew_counts_from_zero(row: list[int]) -> None:
    before, now = empty(), empty()
    before["histograms"]["call_seconds"] = {"key": [1000, *[5] * 34]}
    before["counters"]["calls"] = {"key": 170}
    now["histograms"]["call_seconds"] = {"key": row}
    now["counters"]["calls"] = {"key": sum(row[1:])}
    grown = increase(before, now)
    assert grown["histograms"]["call_seconds"]["key"] == row
    assert grown["counters"]["calls"]["key"] == sum(row[1:])


@settings(max_examples=25)
@given(SNAPSHOTS)
def test_a_page_read_back_is_the_snapshot(taken: Snapshot) -> None:
    body, _ = exposition(taken)
    read = read_page(body.decode()).snapshot
    for name, series in chain(taken["counters"].items(), taken["gauges"].items()):
        kind = "counters" if FAMILIES[name].kind == "counter" else "gauges"
        expected = {**dict.fromkeys(FAMILIES[name].always, 0), **series}
        # Floating-point seconds give back nanoseconds exactly up to 2**53 of them.
        assert read[kind].get(name, {}) == pytest.approx(expected, rel=1e-12)  # type: ignore[literal-required]
    for name, rows in taken["histograms"].items():
        got = read["histograms"].get(name, {})
        assert {key: row[1:] for key, row in got.items()} == {key: row[1:] for key, row in rows.items()}
        for key, row in rows.items():
            assert got[key][0] == pytest.approx(row[0], rel=1e-12)
