from pathlib import Path

import pytest

from pose_mdn.errors import FormatError, InputError
from pose_mdn.geometry.body import BONE_CLASSES, KnownBodies, KnownBody
from pose_mdn.geometry.body_file import read_bodies


@pytest.mark.parametrize(
    ("measures", "says"),
    [
        ({}, "at least one"),
        ({"bone_lengths_m": {}}, "at least one"),
        ({"stature_m": 182}, "if these are centimetres, give 1.82"),
        ({"stature_m": 1820.0}, "if these are millimetres, give 1.82"),
        ({"stature_m": 0.39}, "0.4 to 2.6 metres"),
        ({"stature_m": float("nan")}, "got nan"),
        ({"bone_lengths_m": {"knee": 43}}, "if these are centimetres, give 0.43"),
        ({"bone_lengths_m": {"knee": 0.0}}, "0.01 to 1.0 metres for 'knee'"),
        ({"bone_lengths_m": {"ankel": 0.4}}, "did you mean 'ankle'"),
        ({"stature_m": 1.7, "bone_lengths_m": {"l_knee": 0.4}}, "did you mean 'knee'"),
    ],
)
def test_measures_that_no_human_being_has_are_refused_with_a_hint(measures: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        KnownBody(**measures)  # type: ignore[arg-type]
    assert caught.value.field in {*measures, "body"}
    assert "\n" not in str(caught.value)


def test_bones_are_named_without_sides() -> None:
    assert len(BONE_CLASSES) == 10
    KnownBody(bone_lengths_m=dict.fromkeys(BONE_CLASSES, 0.2))


def test_a_body_says_what_is_known_of_it() -> None:
    child = KnownBody(stature_m=1.1)
    adult = KnownBody(stature_m=1.82, bone_lengths_m={"knee": 0.43})
    assert str(adult) == "stature 1.82 m, knee 0.43 m"
    assert str(KnownBodies(everyone=adult, persons={3: child})) == f"{adult}; person 3: stature 1.1 m"


def test_a_file_gives_everyone_and_persons(tmp_path: Path) -> None:
    path = tmp_path / "bodies.toml"
    path.write_text("stature_m = 2\nknee = 0.43\n[person.3]\nstature_m = 1.12\n[person.4]\nwrist = 0.2\n")
    bodies = read_bodies(path)
    assert bodies.everyone == KnownBody(stature_m=2.0, bone_lengths_m={"knee": 0.43})
    assert bodies.persons == {3: KnownBody(stature_m=1.12), 4: KnownBody(bone_lengths_m={"wrist": 0.2})}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "expected a stature or bone lengths"),
        ("stature_m = ", "expected a TOML file"),
        ("stature_m = '1.82'", "a number of metres for 'stature_m'"),
        ("stature_m = true", "a number of metres for 'stature_m'"),
        ("stature_m = 182", "give 1.82"),
        ("person = 3", r"expected tables such as \[person.3\]"),
        ("[person]\n3 = 1.8", "person 3: expected a table"),
        ("[person.anna]\nstature_m = 1.8", "number of a person"),
        ("[person.3]\nkne = 0.4", "person 3: .*did you mean 'knee'"),
        ("[person.3]", "person 3: .*at least one"),
    ],
)
def test_a_file_that_makes_no_sense_gives_one_line(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "bodies.toml"
    path.write_text(content)
    with pytest.raises(FormatError, match=says) as caught:
        read_bodies(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_gives_one_line(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read"):
        read_bodies(tmp_path / "absent.toml")
