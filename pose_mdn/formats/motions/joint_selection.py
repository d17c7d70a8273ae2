"""Which joints of a file are the joints of Human3.6M-17: by tables of names, or as the user says."""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.faults import fault
from pose_mdn.formats.joint_spelling import normalized_names
from pose_mdn.formats.motions.joint_names import NAMINGS, Naming
from pose_mdn.skeletons import HUMAN36M17

JointMap = Mapping[str, tuple[str, ...]]
"""Joint of Human3.6M-17 -> names in the file whose mean it is."""

_SHOWN_NAMES = 60


@dataclass(frozen=True, kw_only=True)
class JointSelection:
    """How the 17 joints are made.

    Attributes:
        naming: Which table of names was used; "joint map" if the user's map says all.
        sources: For each of the 17 joints the indices of the file's joints whose mean it is.
    """

    naming: str
    sources: tuple[tuple[int, ...], ...]

    def apply(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """The 17 joints (..., 17, 3) of joints (..., J, 3); NaN where one of the joints needed is NaN."""
        return np.stack([positions[..., list(indices), :].mean(axis=-2) for indices in self.sources], axis=-2)


def read_joint_map(path: Path) -> JointMap:
    """Read a TOML file with lines such as `r_hip = "RightUpLeg"` or `pelvis = ["LeftUpLeg", "RightUpLeg"]`.

    Raises:
        FormatError: It is no TOML, a key is no joint of Human3.6M-17, or a value is neither text nor a list of texts.
    """
    try:
        entries = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        cure = 'write lines such as r_hip = "RightUpLeg"'
        raise fault(path, expected="a joint map in TOML", got=str(error), cure=cure) from error
    joint_map = {}
    for joint, value in entries.items():
        if joint not in HUMAN36M17.joint_names:
            nearest = difflib.get_close_matches(joint, HUMAN36M17.joint_names, n=1)
            cure = f"did you mean {nearest[0]!r}?" if nearest else "use these names"
            raise fault(path, expected=f"of {', '.join(HUMAN36M17.joint_names)}", got=repr(joint), cure=cure)
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            cure = 'write "Name" or ["Name", "Other"]'
            raise fault(path, expected=f"names for {joint!r}", got=repr(value)[:80], cure=cure)
        joint_map[joint] = tuple(names)
    return joint_map


def select_joints(path: Path, names: Sequence[str], joint_map: JointMap | None = None) -> JointSelection:
    """Find the 17 joints among a file's joints.

    Args:
        path: The file, for messages.
        names: Its J joint names.
        joint_map: What the user says; joints that it leaves out are found by the tables.

    Raises:
        FormatError: A joint is not found; the message names it, the joints that there are, and the fix.
    """
    joint_map = joint_map or {}
    finder = _Finder(path, names)
    given = {joint: tuple(finder.index(joint, name) for name in sources) for joint, sources in joint_map.items()}
    best: tuple[Naming, dict[str, tuple[int, ...]]] | None = None
    for naming in NAMINGS:
        found = {**finder.find(naming), **given}
        if best is None or len(found) > len(best[1]):
            best = naming, found
        if len(found) == HUMAN36M17.num_joints:
            break
    assert best is not None, "there are namings"
    naming, found = best
    missing = [joint for joint in HUMAN36M17.joint_names if joint not in found]
    if missing:
        raise _unmapped(path, names, missing, naming if len(found) > len(given) else None)
    label = "joint map" if len(given) == HUMAN36M17.num_joints else naming.name
    return JointSelection(naming=label, sources=tuple(found[joint] for joint in HUMAN36M17.joint_names))


class _Finder:
    """Looks up names of one file, exactly first and normalised then."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self._path = path
        self._names = list(names)
        self._exact = {name: index for index, name in reversed(list(enumerate(names)))}
        self._normalized: dict[str, list[int]] = {}
        for index, name in enumerate(normalized_names(names)):
            self._normalized.setdefault(name, []).append(index)

    def index(self, joint: str, name: str) -> int:
        """A joint that the user names."""
        if name in self._exact:
            return self._exact[name]
        places = self._normalized.get(normalized_names([name])[0], [])
        if len(places) != 1:
            nearest = difflib.get_close_matches(name, self._names, n=3, cutoff=0.4)
            cure = f"did you mean {' or '.join(map(repr, nearest))}?" if nearest else f"it has {_listed(self._names)}"
            got = "several such" if places else "none"
            raise fault(
                self._path, expected=f"the joint {name!r}, which the joint map gives for {joint!r}", got=got, cure=cure
            )
        return places[0]

    def find(self, naming: Naming) -> dict[str, tuple[int, ...]]:
        """The joints that a naming finds."""
        if not all(name in self._normalized for name in naming.needs):
            return {}
        found = {}
        for joint, recipes in naming.recipes.items():
            for recipe in recipes:
                if all(name in self._normalized for name in recipe):
                    found[joint] = tuple(self._only(name) for name in recipe)
                    break
        return found

    def _only(self, name: str) -> int:
        places = self._normalized[name]
        if len(places) > 1:
            twins = " and ".join(repr(self._names[place]) for place in places[:2])
            cure = "say which with --joint-map FILE (two people in one file: import it once for each)"
            raise fault(self._path, expected=f"one joint called {name!r}", got=twins, cure=cure)
        return places[0]


def _unmapped(path: Path, names: Sequence[str], missing: Sequence[str], naming: Naming | None) -> Exception:
    near = f" (the rest is named as by {naming.name})" if naming is not None else ""
    example = f'{missing[0]} = "NAME" or ["NAME", "OTHER"] for a mean'
    return fault(
        path,
        expected=f"joints for {', '.join(missing)}{near}",
        got=f"the names {_listed(names)}",
        cure=f"write a TOML file with {example} and pass it with --joint-map FILE",
    )


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(names[:_SHOWN_NAMES]) + rest
