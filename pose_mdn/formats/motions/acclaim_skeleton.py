"""Acclaim's skeleton file, `.asf`: bones that start where their parents end."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.motions.forward_kinematics import fixed_axis_rotation
from pose_mdn.formats.motions.motion_format import line_fault, read_lines, to_numbers

ROOT = "root"
_INCH_M = 0.0254
_CURE = "mend the line or get the skeleton file again"
_TRANSLATIONS = ("tx", "ty", "tz")
_ROTATIONS = ("rx", "ry", "rz")


@dataclass(frozen=True, kw_only=True)
class Bone:
    """A bone of an Acclaim skeleton.

    Attributes:
        name: Its name.
        vector: (3,) from its start to its end in the rest pose, file's unit.
        axes: (3, 3) the frame in which its rotations are given, in the world of the rest pose.
        channels: What a motion file gives for it, in order: "rx", "ry", "rz", and for the root "tx", "ty", "tz".
        parent: Name of the bone at whose end it starts; "" for the root.
        line: Where its description ends in the file.
    """

    name: str
    vector: NDArray[np.float64]
    axes: NDArray[np.float64]
    channels: tuple[str, ...]
    parent: str = ""
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class AcclaimSkeleton:
    """A skeleton.

    Attributes:
        bones: The root first, parents before their children.
        position: (3,) where the root starts, file's unit.
        degrees: Whether angles are degrees.
        metres_per_unit: CMU's reading of `length`: inches divided by it.
    """

    bones: tuple[Bone, ...]
    position: NDArray[np.float64]
    degrees: bool
    metres_per_unit: float


@dataclass
class _Draft:
    """What has been read of a file so far."""

    length: float = 1.0
    degrees: bool = True
    root: dict[str, list[str]] = field(default_factory=dict)
    bones: dict[str, Bone] = field(default_factory=dict)
    links: list[tuple[int, str, str]] = field(default_factory=list)


def read_asf(path: Path) -> AcclaimSkeleton:
    """Read a skeleton file.

    Raises:
        FormatError: The file is not ASF or incomplete; says which line.
    """
    lines = read_lines(path)
    draft = _Draft()
    section = ""
    block: dict[str, tuple[int, list[str]]] = {}
    for number, text in enumerate(lines, start=1):
        words = text.partition("#")[0].split()
        if not words:
            continue
        if words[0].startswith(":"):
            section = words[0].lower()
        elif section == ":units":
            _take_unit(path, number, words, draft)
        elif section == ":root":
            draft.root[words[0].lower()] = words[1:]
        elif section == ":bonedata":
            block = _take_bone_line(path, number, words, block, draft)
        elif section == ":hierarchy" and words[0].lower() not in {"begin", "end"}:
            draft.links += [(number, words[0], child) for child in words[1:]]
    if not draft.bones or not draft.links:
        raise line_fault(path, len(lines), expected=":bonedata and :hierarchy", got="the end of the file", cure=_CURE)
    return _assembled(path, len(lines), draft)


def _take_unit(path: Path, line: int, words: list[str], draft: _Draft) -> None:
    key = words[0].lower()
    if key == "length":
        (draft.length,) = to_numbers(path, line, words[1:], 1, "length")
        if not 0 < draft.length < np.inf:
            raise line_fault(path, line, expected="a length above 0", got=words[1], cure=_CURE)
    elif key == "angle":
        draft.degrees = not words[-1].lower().startswith("rad")


def _take_bone_line(
    path: Path, line: int, words: list[str], block: dict[str, tuple[int, list[str]]], draft: _Draft
) -> dict[str, tuple[int, list[str]]]:
    key = words[0].lower()
    if key == "begin":
        return {}
    if key != "end":
        block[key] = (line, words[1:])  # limits run over several lines, which are of no interest
        return block
    name = " ".join(block.get("name", (line, []))[1])
    for needed in ("name", "direction", "length"):
        if needed not in block:
            expected = f"a {needed} of the bone {name!r}"
            raise line_fault(path, line, expected=expected, got=f"only {', '.join(block)}", cure=_CURE)
    if name in draft.bones:
        raise line_fault(path, line, expected="every bone once", got=f"{name!r} again", cure=_CURE)
    direction = to_numbers(path, block["direction"][0], block["direction"][1], 3, "direction")
    (length,) = to_numbers(path, block["length"][0], block["length"][1], 1, "length")
    dof_line, dof = block.get("dof", (line, []))
    draft.bones[name] = Bone(
        name=name,
        vector=np.array(direction) * length,
        axes=_axes(path, *block.get("axis", (line, ["0", "0", "0", "XYZ"])), degrees=draft.degrees),
        channels=_channel_names(path, dof_line, dof, _ROTATIONS),
        line=line,
    )
    return {}


def _axes(path: Path, line: int, words: list[str], *, degrees: bool) -> NDArray[np.float64]:
    """Angles about fixed axes in the order of the letters that follow them."""
    order = words[3].lower() if len(words) == 4 else ""
    if sorted(order) != ["x", "y", "z"]:
        raise line_fault(path, line, expected="three angles and an order such as XYZ", got=" ".join(words), cure=_CURE)
    angles = np.array(to_numbers(path, line, words[:3], 3, "axis"))
    return fixed_axis_rotation(order, np.radians(angles) if degrees else angles)


def _channel_names(path: Path, line: int, words: list[str], known: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(word.lower() for word in words)
    if set(names) - set(known) or len(set(names)) != len(names):
        raise line_fault(path, line, expected=f"of {', '.join(known)}, each once", got=" ".join(words), cure=_CURE)
    return names


def _assembled(path: Path, last_line: int, draft: _Draft) -> AcclaimSkeleton:
    order = draft.root.get("order", ["TX", "TY", "TZ", "RX", "RY", "RZ"])
    orientation = draft.root.get("orientation", ["0", "0", "0"])
    axis = draft.root.get("axis", ["XYZ"])
    position = to_numbers(path, last_line, draft.root.get("position", ["0", "0", "0"]), 3, "the root's position")
    root = Bone(
        name=ROOT,
        vector=np.zeros(3),
        axes=_axes(path, last_line, [*orientation, *axis], degrees=draft.degrees),
        channels=_channel_names(path, last_line, order, (*_TRANSLATIONS, *_ROTATIONS)),
    )
    bones = [root]
    parent_of = {}
    for line, parent, child in draft.links:
        if child not in draft.bones or child in parent_of or (parent != ROOT and parent not in draft.bones):
            got = f"{parent!r} -> {child!r}"
            raise line_fault(path, line, expected="bones of :bonedata, each with one parent", got=got, cure=_CURE)
        parent_of[child] = parent
    placed = {ROOT}
    while waiting := [name for name, parent in parent_of.items() if parent in placed and name not in placed]:
        placed.update(waiting)
        bones += [replace(draft.bones[name], parent=parent_of[name]) for name in waiting]
    lost = [name for name in draft.bones if name not in placed]
    if lost:
        expected = f"every bone below {ROOT!r} in :hierarchy"
        raise line_fault(path, last_line, expected=expected, got=f"{', '.join(lost[:5])} elsewhere", cure=_CURE)
    return AcclaimSkeleton(
        bones=tuple(bones),
        position=np.array(position),
        degrees=draft.degrees,
        metres_per_unit=_INCH_M / draft.length,
    )
