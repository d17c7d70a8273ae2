"""Biovision's BVH: a skeleton with offsets and channels, and a table of channel values."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.motions.forward_kinematics import intrinsic_rotation, joint_positions
from pose_mdn.formats.motions.motion_format import (
    MotionFormat,
    ReadOptions,
    SourceMotion,
    line_fault,
    read_lines,
    to_numbers,
)

END_SUFFIX = "_end"
"""An end site has no name in the file; here it has its parent's with this added."""

_CURE = "mend the line or export the file again"
_CHANNELS = {f"{axis}{kind}" for axis in "XYZ" for kind in ("position", "rotation")}
_CHANNEL_SPELLING = {name.lower(): name for name in _CHANNELS}


@dataclass(kw_only=True)
class _Joint:
    name: str
    parent: int
    line: int
    offset: list[float] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)


def read_bvh(path: Path, options: ReadOptions | None = None) -> list[SourceMotion]:
    """Read a BVH file: its joints and end sites over time.

    Channels may stand in any order and rotations about any axes, each turning the joint about its own axes in the order
    listed. Position channels of a joint replace its offset, unless they stay nearer to zero than to it; then they are
    added.

    Raises:
        FormatError: The file is not BVH, is incomplete, or its numbers do not fit its channels; says which line.
    """
    lines = read_lines(path)
    joints, motion_line = _read_hierarchy(path, lines)
    fps, values = _read_motion(path, lines, motion_line, sum(len(joint.channels) for joint in joints))
    rotations, translations = _local_frames(joints, values)
    parents = [joint.parent for joint in joints]
    offsets = [np.array(joint.offset) for joint in joints]
    still = [np.eye(3)] * len(joints)
    return [
        SourceMotion(
            trial=path.stem,
            joint_names=tuple(joint.name for joint in joints),
            positions=np.broadcast_to(joint_positions(parents, rotations, translations), (len(values), len(joints), 3)),
            fps=(options.fps if options else None) or fps,
            rest_positions=joint_positions(parents, still, offsets),
        )
    ]


def _read_hierarchy(path: Path, lines: list[str]) -> tuple[list[_Joint], int]:
    """The joints in file order, and the index of the line after MOTION."""
    joints: list[_Joint] = []
    open_joints: list[int] = []
    began = False
    for number, text in enumerate(lines, start=1):
        for statement in text.replace("{", "\n{\n").replace("}", "\n}\n").split("\n"):
            words = statement.split()
            if not words:
                continue
            keyword = words[0].upper()
            if not began and keyword != "HIERARCHY":
                raise line_fault(path, number, expected="HIERARCHY", got=repr(words[0][:40]), cure="is it a BVH file?")
            began = True
            if keyword == "MOTION":
                _check_hierarchy(path, number, joints, open_joints)
                return joints, number
            _take_statement(path, number, words, joints, open_joints)
    raise line_fault(path, len(lines), expected="MOTION", got="the end of the file", cure="get the whole file")


def _take_statement(path: Path, line: int, words: list[str], joints: list[_Joint], open_joints: list[int]) -> None:
    keyword, rest = words[0].upper(), words[1:]
    parent = open_joints[-1] if open_joints else -1
    if keyword in {"ROOT", "JOINT", "END"}:
        name = f"{joints[parent].name}{END_SUFFIX}" if keyword == "END" and parent >= 0 else " ".join(rest)
        if not name or (keyword != "ROOT") != (parent >= 0):
            raise line_fault(path, line, expected="a named ROOT, JOINTs within", got=" ".join(words)[:60], cure=_CURE)
        joints.append(_Joint(name=name, parent=parent, line=line))
    elif keyword == "{" and joints:
        open_joints.append(len(joints) - 1)
    elif keyword == "}" and open_joints:
        open_joints.pop()
    elif keyword == "OFFSET" and open_joints:
        joints[parent].offset = to_numbers(path, line, rest, 3, "OFFSET")
    elif keyword == "CHANNELS" and open_joints:
        joints[parent].channels = _channels(path, line, rest)
    elif keyword != "HIERARCHY":
        expected = "ROOT, JOINT, End Site, OFFSET, CHANNELS, braces or MOTION"
        raise line_fault(path, line, expected=expected, got=repr(" ".join(words)[:60]), cure=_CURE)


def _channels(path: Path, line: int, words: list[str]) -> list[str]:
    names = [_CHANNEL_SPELLING.get(word.lower(), "") for word in words[1:]]
    if not words or words[0] != str(len(names)) or "" in names:
        expected = f"CHANNELS, their number, and as many of {', '.join(sorted(_CHANNELS))}"
        raise line_fault(path, line, expected=expected, got=" ".join(words)[:80], cure=_CURE)
    return names


def _check_hierarchy(path: Path, line: int, joints: list[_Joint], open_joints: list[int]) -> None:
    if open_joints or not joints:
        got = f"{joints[open_joints[-1]].name!r} without its closing brace" if open_joints else "none"
        raise line_fault(path, line, expected="a whole skeleton before MOTION", got=got, cure="get the whole file")
    for joint in joints:
        if not joint.offset:
            raise line_fault(path, joint.line, expected=f"an OFFSET of {joint.name!r}", got="none", cure=_CURE)


def _read_motion(path: Path, lines: list[str], start: int, width: int) -> tuple[float, NDArray[np.float64]]:
    """Frames per second and the table (T, C) of channel values."""
    rows = [(number, text.split()) for number, text in enumerate(lines[start:], start=start + 1) if text.strip()]
    header = {" ".join(words[:-1]).rstrip(":").strip().lower(): (line, words[-1]) for line, words in rows[:2]}
    if header.keys() != {"frames", "frame time"}:
        got = repr(" / ".join(" ".join(words)[:40] for _, words in rows[:2]))
        raise line_fault(path, start + 1, expected="'Frames: N' and 'Frame Time: S'", got=got, cure=_CURE)
    (count_line, count), (time_line, time) = header["frames"], header["frame time"]
    frames = to_numbers(path, count_line, [count], 1, "Frames")[0]
    frame_time = to_numbers(path, time_line, [time], 1, "Frame Time")[0]
    if not 0 < frame_time < np.inf:
        raise line_fault(path, time_line, expected="a Frame Time above 0 seconds", got=time, cure=_CURE)
    table = rows[2:]
    if len(table) != frames or not table:
        cure = "get the whole file, or correct the number of frames"
        raise line_fault(path, count_line, expected=f"{count} frames", got=f"{len(table)} lines of them", cure=cure)
    values = [to_numbers(path, line, words, width, "the channels of a frame") for line, words in table]
    return 1.0 / frame_time, np.array(values, np.float64).reshape(len(values), width)


def _local_frames(
    joints: list[_Joint], values: NDArray[np.float64]
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Each joint's rotation and origin in its parent's frame."""
    rotations, translations = [], []
    start = 0
    for joint in joints:
        columns = values[:, start : start + len(joint.channels)]
        start += len(joint.channels)
        turns = [index for index, name in enumerate(joint.channels) if name.endswith("rotation")]
        axes = "".join(joint.channels[index][0].lower() for index in turns)
        rotations.append(intrinsic_rotation(axes, np.radians(columns[:, turns])))
        translations.append(_origin(joint, columns))
    return rotations, translations


def _origin(joint: _Joint, columns: NDArray[np.float64]) -> NDArray[np.float64]:
    offset = np.array(joint.offset)
    moves = [(index, "XYZ".index(name[0])) for index, name in enumerate(joint.channels) if name.endswith("position")]
    if not moves:
        return offset
    listed = np.zeros((len(columns), 3))
    listed[:, [axis for _, axis in moves]] = columns[:, [index for index, _ in moves]]
    if joint.parent < 0:
        return listed
    moved = [axis for _, axis in moves]
    typical = np.median(listed[:, moved], axis=0)
    replaces = np.linalg.norm(typical - offset[moved]) <= np.linalg.norm(typical)
    origin = np.broadcast_to(offset, listed.shape).copy()
    origin[:, moved] = listed[:, moved] if replaces else offset[moved] + listed[:, moved]
    return origin


def _matches(path: Path) -> bool:
    return path.suffix.lower() == FORMAT.suffix


FORMAT = MotionFormat(
    name="bvh",
    description="Biovision hierarchy and motion, .bvh",
    suffix=".bvh",
    matches=_matches,
    read=read_bvh,
)
