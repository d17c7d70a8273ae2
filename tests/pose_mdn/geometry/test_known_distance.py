import pytest

from pose_mdn.errors import InputError
from pose_mdn.geometry.known_distance import KnownDistance, parse_known_distance


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("l_hip:l_knee=0.43", KnownDistance(joints=("l_hip", "l_knee"), distance_m=0.43)),
        ("r_wrist:l_wrist=0.62@12", KnownDistance(joints=("r_wrist", "l_wrist"), distance_m=0.62, frame=12)),
        ("2/l_hip:r_hip=.25", KnownDistance(joints=("l_hip", "r_hip"), distance_m=0.25, person=2)),
    ],
)
def test_a_text_says_whose_joints_are_how_far_apart_and_when(text: str, expected: KnownDistance) -> None:
    assert parse_known_distance(text) == expected


def test_only_joints_that_move_against_each_other_need_a_frame() -> None:
    assert parse_known_distance("l_shoulder:r_shoulder=0.36").rigid
    with pytest.raises(InputError, match=r"l_wrist:r_wrist=0\.5@120"):
        parse_known_distance("l_wrist:r_wrist=0.5")
    assert not parse_known_distance("l_wrist:r_wrist=0.5@0").rigid


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("l_hip:l_kne=0.4", "did you mean 'l_knee'"),
        ("l_hip:l_hip=0.4", "'l_hip' twice"),
        ("l_hip:l_knee=43", "0.05 to 2.6 metres"),
        ("l_hip:l_knee=nan", "0.05 to 2.6 metres"),
        ("l_hip:l_knee", "JOINT:JOINT=METRES"),
        ("l_hip:l_knee=0.4@first", "JOINT:JOINT=METRES"),
        ("left/l_hip:l_knee=0.4", "JOINT:JOINT=METRES"),
        ("", "JOINT:JOINT=METRES"),
    ],
)
def test_what_cannot_be_is_explained_in_one_line(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as error:
        parse_known_distance(text)
    assert "\n" not in str(error.value)
    assert error.value.field == "known_distance"
