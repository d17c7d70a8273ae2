"""JSON in pieces and in the forms that Python writes."""

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pose_mdn.errors import FormatError
from pose_mdn.formats import read_keypoints
from pose_mdn.formats.keypoints import json_document
from pose_mdn.formats.keypoints.json_document import list_pieces, read_json

thorough = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

TEXT = st.sampled_from(["", "}, {", '"}, {"a": "', "]}", "\\", 'x\\", {', "ü"])
VALUE = st.recursive(
    st.integers(-9, 9) | TEXT, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=2)
)
ELEMENTS = st.lists(st.fixed_dictionaries({"a": VALUE, "b": st.lists(st.fixed_dictionaries({"a": VALUE}))}), max_size=8)


@thorough
@given(elements=ELEMENTS, piece=st.integers(1, 200), indent=st.sampled_from([None, 2]), separator=st.booleans())
def test_pieces_put_together_are_the_list(tmp_path, elements, piece, indent, separator) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(elements, indent=indent, separators=(",", ":") if separator else None))
    assert [element for part in list_pieces(path, piece_bytes=piece) for element in part] == elements


def test_a_long_list_comes_in_many_pieces(tmp_path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"image_id": i, "box": {"x": {"y": [1, 2]}}} for i in range(1000)]))
    parts = list(list_pieces(path, piece_bytes=1000))
    assert len(parts) > 20
    assert max(map(len, parts)) < 60


@pytest.mark.parametrize("cut", [0.3, 0.999])
def test_a_list_that_breaks_off_is_refused_with_the_place(tmp_path, cut) -> None:
    path = tmp_path / "a.json"
    whole = json.dumps([{"image_id": i} for i in range(1000)])
    path.write_text(whole[: int(cut * len(whole))])
    with pytest.raises(FormatError, match=r"a\.json: expected whole JSON") as caught:
        list(list_pieces(path, piece_bytes=1000))
    assert abs(int(str(caught.value).split("near byte ")[1].split(";")[0]) - cut * len(whole)) < 20


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_python_and_windows_write_is_read(tmp_path, encoding) -> None:
    (tmp_path / "a.json").write_text('[{"a": [NaN, Infinity, 1]}]', encoding=encoding)
    ((element,),) = list_pieces(tmp_path / "a.json")
    assert str(element["a"]) == "[nan, inf, 1]"
    assert str(read_json(tmp_path / "a.json")) == "[{'a': [nan, inf, 1]}]"


def test_documents_beyond_the_limit_say_what_to_do(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(json_document, "LARGEST_DOCUMENT_BYTES", 1 << 20)
    (tmp_path / "a.json").write_text('{"people": [' + "1," * (1 << 19) + "1]}")
    with pytest.raises(FormatError, match=r"at most 1 MiB.*split it"):
        read_json(tmp_path / "a.json")
    (tmp_path / "b.json").write_text("[" + "[1]," * (1 << 20) + "1]")
    with pytest.raises(FormatError, match=r"at most 1 MiB.*split it"):
        list(list_pieces(tmp_path / "b.json", piece_bytes=1 << 18))
    # A list of people may be longer.
    people = [{"image_id": i, "keypoints": [9.0, 8.0, 1.0, 300.0, 200.0, 1.0] * 8 + [0, 0, 0]} for i in range(8000)]
    (tmp_path / "c.json").write_text(json.dumps(people))
    assert os.path.getsize(tmp_path / "c.json") > 1 << 20
    assert len(read_keypoints(tmp_path / "c.json")) == 8000
