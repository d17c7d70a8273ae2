"""JSON lines: any language reads them, edited files are read back, and what is wrong is said with its line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pose_mdn.errors import FormatError
from pose_mdn.formats import read_hypotheses, write_hypotheses
from pose_mdn.formats.hypotheses import jsonl
from pose_mdn.formats.hypotheses.columns import COLUMNS
from pose_mdn.skeletons import HUMAN36M17


@pytest.fixture
def path(tmp_path, make_hypotheses) -> Path:
    write_hypotheses(tmp_path / "film.jsonl", make_hypotheses(rows=5))
    return tmp_path / "film.jsonl"


def test_a_line_is_an_object_for_any_parser_with_null_for_nan(path, make_hypotheses) -> None:
    film = make_hypotheses(rows=5)
    facts, *rows = (json.loads(line, parse_constant=pytest.fail) for line in path.read_text().splitlines())
    assert facts["pose_mdn"]["joint_names"] == list(HUMAN36M17.joint_names)
    assert facts["pose_mdn"]["units"]["means"] == "m"
    assert [list(row) for row in rows] == [[column.key for column in COLUMNS]] * 5
    for place, row in enumerate(rows):
        np.testing.assert_array_equal(np.array(row["means"], np.float32), film.means_m[place])
        assert (row["frame"], row["status"]) == (film.frame[place], film.status[place])


def test_rows_may_be_taken_out_and_sorted_and_other_keys_added(path, make_hypotheses) -> None:
    facts, *rows = path.read_text().splitlines()
    kept = [json.dumps({**json.loads(rows[place]), "note": "kept"}) for place in (4, 1)]
    path.write_text("\n".join([facts, "", *kept]))
    np.testing.assert_array_equal(read_hypotheses(path).means_m, make_hypotheses(rows=5).means_m[[4, 1]])


def change(key: str, value: object) -> Callable[[dict], None]:
    return lambda row: row.__setitem__(key, value)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (change("frame", 1.5), "a whole number in 'frame' in line 4"),
        (change("frame", 2**70), "a whole number in 'frame' in line 4"),
        (change("status", None), "a text in 'status' in line 4"),
        (change("means", [1, [2]]), r"numbers\[3\]\[17\]\[3\] in 'means' in line 4"),
        (change("means", "a lot"), r"numbers\[3\]\[17\]\[3\] in 'means' in line 4"),
        (change("std", [[0.1] * 2] * 17), r"numbers\[3\]\[17\]\[2\] in 'std' in line 4"),
        (change("keypoints", [[1.0, 2.0]] * 16), r"numbers\[17\]\[2\] in 'keypoints' in line 4"),
        (lambda row: row.pop("keypoints"), r"numbers\[17\]\[2\] in 'keypoints' in line 4"),
        (lambda row: row.pop("root_std"), r"numbers\[3\]\[2\] in 'root_std' in line 4"),
    ],
)
def test_a_wrong_value_is_named_with_its_line(path, edit, message) -> None:
    lines = path.read_text().splitlines()
    row = json.loads(lines[3])
    edit(row)
    lines[3] = json.dumps(row)
    path.write_text("\n".join(lines))
    with pytest.raises(FormatError, match=message) as caught:
        read_hypotheses(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["{"], "in line 1"),
        (["[1]"], "an object in line 1"),
        (['{"frame": 1}'], "a first line with the key 'pose_mdn'"),
        (['{"pose_mdn": {"model": "x"}}'], "a first line with the key 'pose_mdn'"),
    ],
)
def test_a_wrong_first_line_is_explained(path, lines, message) -> None:
    path.write_text("\n".join([*lines, *path.read_text().splitlines()[1:]]))
    with pytest.raises(FormatError, match=message):
        read_hypotheses(path)


def test_an_endless_line_is_refused_before_it_is_read(path, monkeypatch) -> None:
    monkeypatch.setattr(jsonl, "_LONGEST_LINE", 4096)
    with pytest.raises(FormatError, match="line 2, got a line of more than"):
        read_hypotheses(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_json_in_any_place_gives_a_sequence_or_one_line(path, data) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()[:3]]
    target = data.draw(st.sampled_from([lines[0]["pose_mdn"], lines[1]]))
    target[data.draw(st.sampled_from(sorted(target)))] = data.draw(JSON)
    strange = path.with_name("strange.jsonl")
    strange.write_text("\n".join(map(json.dumps, lines)))
    message = f"{strange}"
    try:
        read_hypotheses(strange)
    except FormatError as error:
        message = str(error)
    assert message.startswith(str(strange))
    assert "\n" not in message
