"""Who trains and who is kept back: a person is wholly in one split, because people are recognised by how they move."""

import difflib
import hashlib
from collections.abc import Collection, Mapping, Sequence

from pose_mdn.data.motion_file import SPLITS
from pose_mdn.errors import InputError

_TRAIN, _VALIDATION, _TEST = SPLITS
_SHARE_KEPT_BACK = 0.1
_FEWEST_SUBJECTS = 3


def assign_splits(
    subjects: Collection[str],
    *,
    validation: Sequence[str] = (),
    test: Sequence[str] = (),
    settled: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The split of every subject.

    Subjects that are named go where they are named, the others to `train`. If nobody is named and there are at least
    three new subjects, a tenth of them (at least one) goes to each of `validation` and `test`, by their names alone.

    Args:
        subjects: Who was imported.
        validation: Who is to be in `validation`.
        test: Who is to be in `test`.
        settled: Subject -> split of those whose motions are in the file already; they stay there.

    Raises:
        InputError: A subject is named who is not there, or twice, or who is already in another split.
    """
    settled = settled or {}
    named = {**dict.fromkeys(validation, _VALIDATION), **dict.fromkeys(test, _TEST)}
    known = {*subjects, *settled}
    for name, split in named.items():
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            cure = f"did you mean {nearest[0]!r}?" if nearest else f"subjects: {', '.join(sorted(known))}"
            raise InputError(f"{split}: expected a subject of the data, got {name!r}; {cure}", field=split)
        if settled.get(name, split) != split or (name in validation and name in test):
            other = settled.get(name, _VALIDATION)
            raise InputError(f"{split}: {name!r} is in {other!r} already; a subject belongs to one split", field=split)
    new = sorted(set(subjects) - settled.keys())
    if not named and len(new) >= _FEWEST_SUBJECTS:
        count = max(1, round(len(new) * _SHARE_KEPT_BACK))
        shuffled = sorted(new, key=lambda name: hashlib.sha256(name.encode()).digest())
        named = {
            **dict.fromkeys(shuffled[:count], _VALIDATION),
            **dict.fromkeys(shuffled[count : 2 * count], _TEST),
        }
    return {name: settled.get(name) or named.get(name, _TRAIN) for name in sorted(known)}
