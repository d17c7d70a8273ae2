"""Splits by subject."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.data.subject_splits import assign_splits
from pose_mdn.errors import InputError

NAMES = st.sets(st.text("abcdef0123456789", min_size=1, max_size=6), min_size=3, max_size=40)


@given(NAMES)
def test_every_subject_is_in_one_split_and_each_split_has_some(subjects) -> None:
    splits = assign_splits(subjects)
    assert splits.keys() == subjects
    counts = [list(splits.values()).count(split) for split in ("train", "validation", "test")]
    assert min(counts) >= 1
    assert counts[1] == counts[2] == max(1, round(len(subjects) / 10))
    assert assign_splits(sorted(subjects, reverse=True)) == splits


def test_named_subjects_go_where_they_are_named_and_the_others_train() -> None:
    splits = assign_splits(["a", "b", "c", "d"], validation=["b"], test=["c"])
    assert splits == {"a": "train", "b": "validation", "c": "test", "d": "train"}


def test_too_few_subjects_all_train() -> None:
    assert assign_splits(["a", "b"]) == {"a": "train", "b": "train"}


def test_who_is_in_the_file_already_stays(tmp_path) -> None:
    splits = assign_splits(["a", "b"], validation=["b"], settled={"a": "test", "z": "train"})
    assert splits == {"a": "test", "b": "validation", "z": "train"}


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ({"validation": ["anne"]}, "did you mean 'anna'"),
        ({"test": ["x"]}, "subjects: anna, ben"),
        ({"validation": ["ben"]}, "'ben' is in 'train' already"),
        ({"validation": ["anna"], "test": ["anna"]}, "one split"),
    ],
)
def test_what_cannot_be_is_refused(asked, what) -> None:
    with pytest.raises(InputError, match=what):
        assign_splits(["anna", "ben"], settled={"ben": "train"}, **asked)
