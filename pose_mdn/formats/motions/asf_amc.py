"""Acclaim's motion file, `.amc`, which moves the skeleton of an `.asf`: the form of CMU's motion capture database."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.faults import fault
from pose_mdn.formats.motions.acclaim_skeleton import ROOT, AcclaimSkeleton, Bone, read_asf
from pose_mdn.formats.motions.forward_kinematics import fixed_axis_rotation, joint_positions
from pose_mdn.formats.motions.motion_format import (
    MotionFormat,
    ReadOptions,
    SourceMotion,
    line_fault,
    read_lines,
    to_numbers,
)

END_SUFFIX = "_end"
"""A joint is where a bone ends: its name is the bone's with this added, and "root" for the root."""

DEFAULT_FPS = 120.0
"""Of CMU's recordings (a few have 60); the file does not say it."""

_CURE = "mend the line or get the file again"


def read_amc(path: Path, options: ReadOptions | None = None) -> list[SourceMotion]:
    """Read a motion file together with its skeleton: where the root is and every bone ends, over time.

    The skeleton is `options.skeleton`, or else an `.asf` beside the file: of the same name, of the name before the
    first "_" (`02_01.amc` moves `02.asf`), or the only one there.

    Raises:
        FormatError: One of the files is broken (says which line), or no skeleton was found.
    """
    options = options or ReadOptions()
    skeleton = read_asf(options.skeleton or _skeleton_beside(path))
    values, degrees = _read_values(path, skeleton)
    rotations, translations = [], []
    index = {bone.name: place for place, bone in enumerate(skeleton.bones)}
    for bone in skeleton.bones:
        columns = values[bone.name]
        turns = [place for place, name in enumerate(bone.channels) if name.startswith("r")]
        axes = "".join(bone.channels[place][1] for place in turns)
        angles = columns[:, turns]
        turned = fixed_axis_rotation(axes, np.radians(angles) if degrees else angles)
        rotations.append(bone.axes @ turned @ bone.axes.T)
        translations.append(_root_origin(skeleton, columns) if bone.name == ROOT else np.zeros(3))
    parents = [index[bone.parent] if bone.parent else -1 for bone in skeleton.bones]
    names = tuple(ROOT if bone.name == ROOT else f"{bone.name}{END_SUFFIX}" for bone in skeleton.bones)
    still = [np.eye(3)] * len(parents)
    return [
        SourceMotion(
            trial=path.stem,
            joint_names=names,
            positions=_bone_ends(skeleton, parents, rotations, translations),
            fps=options.fps or DEFAULT_FPS,
            metres_per_unit=skeleton.metres_per_unit,
            up="y",
            rest_positions=_bone_ends(skeleton, parents, still, [np.zeros(3)] * len(parents)),
        )
    ]


def _bone_ends(
    skeleton: AcclaimSkeleton,
    parents: list[int],
    rotations: list[NDArray[np.float64]],
    translations: list[NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Where bones end: joint frames sit at the ends, so a bone's vector is turned by the bone's own rotation."""
    moved = [
        origin if parent < 0 else (rotation @ bone.vector)
        for bone, parent, rotation, origin in zip(skeleton.bones, parents, rotations, translations, strict=True)
    ]
    return joint_positions(parents, rotations, moved)


def _root_origin(skeleton: AcclaimSkeleton, columns: NDArray[np.float64]) -> NDArray[np.float64]:
    origin = np.broadcast_to(skeleton.position, (len(columns), 3)).copy()
    for place, name in enumerate(skeleton.bones[0].channels):
        if name.startswith("t"):
            origin[:, "xyz".index(name[1])] += columns[:, place]
    return origin


def _read_values(path: Path, skeleton: AcclaimSkeleton) -> tuple[dict[str, NDArray[np.float64]], bool]:
    """For each bone the table (T, C) of its channels, and whether angles are degrees."""
    bones = {bone.name: bone for bone in skeleton.bones}
    moving = [bone for bone in skeleton.bones if bone.channels]
    frames: list[dict[str, list[float]]] = []
    degrees, line = skeleton.degrees, 0
    for line, text in enumerate(read_lines(path), start=1):
        words = text.partition("#")[0].split()
        if not words:
            continue
        if words[0].startswith(":"):
            degrees = {":degrees": True, ":radians": False}.get(words[0].lower(), degrees)
        elif len(words) == 1 and words[0].isdigit():
            _check_complete(path, line, frames, moving)
            frames.append({})
        else:
            _take_bone(path, line, words, bones, frames)
    _check_complete(path, line, frames, moving)
    if not frames:
        raise line_fault(path, max(line, 1), expected="numbered frames", got="none", cure="is it an AMC file?")
    return {
        bone.name: np.array([frame.get(bone.name, []) for frame in frames], np.float64).reshape(
            len(frames), len(bone.channels)
        )
        for bone in skeleton.bones
    }, degrees


def _take_bone(
    path: Path, line: int, words: list[str], bones: dict[str, Bone], frames: list[dict[str, list[float]]]
) -> None:
    bone = bones.get(words[0])
    if bone is None or not frames or words[0] in frames[-1]:
        expected = "a frame's number, then each bone of the skeleton once"
        cure = "give the skeleton that belongs to this motion, or get the file again"
        raise line_fault(path, line, expected=expected, got=repr(" ".join(words)[:60]), cure=cure)
    frames[-1][bone.name] = to_numbers(path, line, words[1:], len(bone.channels), repr(bone.name))


def _check_complete(path: Path, line: int, frames: list[dict[str, list[float]]], moving: list[Bone]) -> None:
    missing = [bone.name for bone in moving if frames and bone.name not in frames[-1]]
    if missing:
        got = f"frame {len(frames)} without {', '.join(missing[:5])}"
        raise line_fault(path, line, expected="all bones that the skeleton lets move", got=got, cure=_CURE)


def _skeleton_beside(path: Path) -> Path:
    candidates = [path.with_suffix(".asf"), path.with_name(f"{path.stem.partition('_')[0]}.asf")]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    found = sorted(path.parent.glob("*.[aA][sS][fF]"))
    if len(found) == 1:
        return found[0]
    raise fault(
        path,
        expected=f"its skeleton beside it ({' or '.join(dict.fromkeys(file.name for file in candidates))})",
        got=f"{len(found)} .asf files in the folder",
        cure="name it with --skeleton FILE.asf",
    )


def _matches(path: Path) -> bool:
    return path.suffix.lower() == FORMAT.suffix


FORMAT = MotionFormat(
    name="asf_amc",
    description="Acclaim motion .amc with its skeleton .asf, as CMU's database has it",
    suffix=".amc",
    matches=_matches,
    read=read_amc,
)
