"""The text of BVH files."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.atomic import replace_atomically
from pose_mdn.formats.results.armature.kinematics import CHILDREN, joint_motion, rest_direction, rest_offsets_m
from pose_mdn.formats.results.armature.rotations import zxy_angles_rad
from pose_mdn.formats.results.recording import PersonTrack, person_paths, to_recording
from pose_mdn.poses.single import SinglePoses
from pose_mdn.skeletons import HUMAN36M17

Floats = NDArray[np.float64]

_CM = 100.0
_END_CM = 8.0
"""From wrists, ankles and the head's top to where their bones end: tools drop bones without a length."""

_POSITIONS = ("Xposition", "Yposition", "Zposition")
_ROTATIONS = ("Zrotation", "Xrotation", "Yrotation")
"""With x in the middle, arms that hang and people who turn around stay away from where angles are not unique."""


def write_skeletons(path: Path, poses: SinglePoses, *, suffix: str, rigid: bool) -> tuple[Path, ...]:
    """Write a file for each person.

    Args:
        path: Where to; with several people, what their paths are made of.
        poses: The poses.
        suffix: Ending of the files.
        rigid: Whether bones have fixed lengths.

    Raises:
        InputError: The poses are no film of somebody, or the place cannot be written to.
    """
    recording = to_recording(poses)
    paths = person_paths(path, recording, suffix)
    for target, track in zip(paths, recording.tracks, strict=True):
        offsets, channels = _skeleton(track, rigid=rigid)
        with replace_atomically(target) as stream:
            stream.write("\n".join(("HIERARCHY", *_hierarchy(offsets, rigid=rigid), "MOTION\n")).encode())
            stream.write(f"Frames: {len(channels)}\nFrame Time: {1 / recording.fps:.10g}\n".encode())
            np.savetxt(stream, channels, fmt="%.6f", newline="\n", encoding="ascii")
    return paths


def _skeleton(track: PersonTrack, *, rigid: bool) -> tuple[Floats, Floats]:
    """Offsets (17, 3) in centimetres, and channels (T, C) in centimetres and degrees."""
    motion = joint_motion(track.positions_m)
    held = np.maximum(np.cumsum(track.present) - 1, 0)
    # Readers that do not know whether positions stand instead of offsets compare the two, so these are of all frames.
    offsets = rest_offsets_m(motion.translations_m if rigid else motion.translations_m[held])
    columns = []
    for joint, parent in enumerate(HUMAN36M17.parent_indices):
        if parent < 0 or not rigid:
            columns.append(_CM * motion.translations_m[:, joint])
        columns.append(np.degrees(zxy_angles_rad(motion.rotations[:, joint])))
    return _CM * offsets, (np.round(np.concatenate(columns, axis=1), 6) + 0.0)[held]


def _hierarchy(offsets_cm: Floats, *, rigid: bool, joint: int = 0, depth: int = 0) -> Iterator[str]:
    """Lines of a joint and those below it; joints stand in the order of Human3.6M-17."""
    parent, name, pad = HUMAN36M17.parent_indices[joint], HUMAN36M17.joint_names[joint], "\t" * depth
    channels = _ROTATIONS if rigid and parent >= 0 else (*_POSITIONS, *_ROTATIONS)
    yield f"{pad}{'ROOT' if parent < 0 else 'JOINT'} {name}"
    yield f"{pad}{{"
    yield f"{pad}\tOFFSET {_three(offsets_cm[joint])}"
    yield f"{pad}\tCHANNELS {len(channels)} {' '.join(channels)}"
    for child in CHILDREN[joint]:
        yield from _hierarchy(offsets_cm, rigid=rigid, joint=child, depth=depth + 1)
    if not CHILDREN[joint]:
        yield from (f"{pad}\tEnd Site", f"{pad}\t{{")
        yield f"{pad}\t\tOFFSET {_three(_END_CM * rest_direction(name))}"
        yield f"{pad}\t}}"
    yield f"{pad}}}"


def _three(values: Floats) -> str:
    return " ".join(f"{value:.6f}" for value in np.round(values, 6) + 0.0)
