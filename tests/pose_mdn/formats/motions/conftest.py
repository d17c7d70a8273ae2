"""A person who moves, and writers of the files that record it. Oracle: scipy's rotations, joint by joint."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pose_mdn.skeletons import HUMAN36M17

RIG = {
    "Hips": ("", (0.0, 0.0, 0.0)),
    "Spine": ("Hips", (0.0, 0.1, 0.0)),
    "Spine1": ("Spine", (0.0, 0.13, 0.0)),
    "Neck": ("Spine1", (0.0, 0.25, 0.0)),
    "Head": ("Neck", (0.0, 0.11, 0.01)),
    "Head_end": ("Head", (0.0, 0.12, 0.0)),
    "LeftShoulder": ("Spine1", (0.03, 0.2, 0.0)),
    "LeftArm": ("LeftShoulder", (0.13, 0.0, 0.0)),
    "LeftForeArm": ("LeftArm", (0.28, 0.0, 0.0)),
    "LeftHand": ("LeftForeArm", (0.25, 0.0, 0.0)),
    "LeftHand_end": ("LeftHand", (0.08, 0.0, 0.0)),
    "RightShoulder": ("Spine1", (-0.03, 0.2, 0.0)),
    "RightArm": ("RightShoulder", (-0.13, 0.0, 0.0)),
    "RightForeArm": ("RightArm", (-0.28, 0.0, 0.0)),
    "RightHand": ("RightForeArm", (-0.25, 0.0, 0.0)),
    "RightHand_end": ("RightHand", (-0.08, 0.0, 0.0)),
    "LeftUpLeg": ("Hips", (0.12, 0.0, 0.0)),
    "LeftLeg": ("LeftUpLeg", (0.0, -0.43, 0.0)),
    "LeftFoot": ("LeftLeg", (0.0, -0.44, 0.0)),
    "LeftFoot_end": ("LeftFoot", (0.0, -0.08, 0.12)),
    "RightUpLeg": ("Hips", (-0.12, 0.0, 0.0)),
    "RightLeg": ("RightUpLeg", (0.0, -0.43, 0.0)),
    "RightFoot": ("RightLeg", (0.0, -0.44, 0.0)),
    "RightFoot_end": ("RightFoot", (0.0, -0.08, 0.12)),
}
"""Joint -> parent and offset in metres, Y up, facing z, arms spread: the names of Mixamo and MotionBuilder."""

JOINTS17 = {
    "pelvis": ("LeftUpLeg", "RightUpLeg"), "spine": ("Spine1",), "thorax": ("Neck",), "neck_nose": ("Head",),
    "head_top": ("Head_end",), "l_hip": ("LeftUpLeg",), "l_knee": ("LeftLeg",), "l_ankle": ("LeftFoot",),
    "r_hip": ("RightUpLeg",), "r_knee": ("RightLeg",), "r_ankle": ("RightFoot",), "l_shoulder": ("LeftArm",),
    "l_elbow": ("LeftForeArm",), "l_wrist": ("LeftHand",), "r_shoulder": ("RightArm",),
    "r_elbow": ("RightForeArm",), "r_wrist": ("RightHand",),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Performance:
    """Joint names, parents, offsets (J, 3), local rotations [J][T], root (T, 3), metres and Y up unless turned."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    rotations: tuple[Rotation, ...]
    root: np.ndarray
    fps: float = 30.0

    def positions(self) -> np.ndarray:
        """(T, J, 3) by walking down the tree with scipy's rotations."""
        frames: list[Rotation] = []
        origins: list[np.ndarray] = []
        for parent, offset, rotation in zip(self.parents, self.offsets, self.rotations, strict=True):
            frames.append(rotation if parent < 0 else frames[parent] * rotation)
            origins.append(self.root if parent < 0 else origins[parent] + frames[parent].apply(offset))
        return np.stack(origins, axis=1)

    def pose17(self) -> np.ndarray:
        positions = self.positions()
        joints = [
            [self.names.index(name) for name in JOINTS17[joint] if name in self.names]
            for joint in HUMAN36M17.joint_names
        ]
        return np.stack([positions[:, indices].mean(axis=1) for indices in joints], axis=1)

    def turned(self, turn: Rotation, scale: float = 1.0) -> "Performance":
        """The same person in a room with other axes and another unit."""
        return Performance(
            names=self.names,
            parents=self.parents,
            offsets=turn.apply(self.offsets) * scale,
            rotations=tuple(turn * rotation * turn.inv() for rotation in self.rotations),
            root=turn.apply(self.root) * scale,
            fps=self.fps,
        )


def perform(frames: int = 12, seed: int = 0, wildness: float = 0.4) -> Performance:
    """Somebody who walks about and bends every joint at random, knees the right way."""
    rng = np.random.default_rng(seed)
    names = tuple(RIG)
    rotations = []
    for name in names:
        angles = wildness * rng.normal(size=(frames, 3))
        if name == "Hips":
            angles *= 0.3
        if name.endswith("Leg") and not name.endswith("UpLeg"):
            angles = np.abs(angles) * [1, 0, 0] + [0.4, 0, 0]
        rotations.append(Rotation.identity(frames) if name.endswith("_end") else Rotation.from_rotvec(angles))
    return Performance(
        names=names,
        parents=tuple(names.index(parent) if parent else -1 for parent, _ in RIG.values()),
        offsets=np.array([offset for _, offset in RIG.values()]),
        rotations=tuple(rotations),
        root=np.array([0.3, 0.95, -0.2]) + np.cumsum(rng.normal(scale=0.02, size=(frames, 3)), axis=0),
    )


def write_bvh(
    path: Path,
    performance: Performance,
    *,
    order: str = "ZXY",
    positions_first: bool = True,
    moving: bool = False,
    rename: dict[str, str] | None = None,
) -> None:
    """Write BVH; `moving` gives every joint position channels, too."""
    rename = rename or {}
    lines = ["HIERARCHY"]
    columns: list[np.ndarray] = []

    def add(joint: int, depth: int) -> None:
        indent = "\t" * depth
        name, offset = performance.names[joint], performance.offsets[joint]
        children = [child for child, parent in enumerate(performance.parents) if parent == joint]
        leaf = name.endswith("_end")
        lines.append(
            f"{indent}End Site" if leaf else f"{indent}{'JOINT' if depth else 'ROOT'} {rename.get(name, name)}"
        )
        lines.append(f"{indent}{{")
        lines.append(f"{indent}\tOFFSET {' '.join(f'{value:.9f}' for value in offset)}")
        if not leaf:
            turns = [f"{axis}rotation" for axis in order]
            moves = [f"{axis}position" for axis in "XYZ"] if moving or not depth else []
            channels = moves + turns if positions_first else turns + moves
            lines.append(f"{indent}\tCHANNELS {len(channels)} {' '.join(channels)}")
            angles = performance.rotations[joint].as_euler(order, degrees=True)
            place = performance.root if not depth else np.tile(offset, (len(angles), 1))
            columns.extend([place, angles] if positions_first and moves else [angles, place] if moves else [angles])
        for child in children:
            add(child, depth + 1)
        lines.append(f"{indent}}}")

    add(0, 0)
    table = np.concatenate(columns, axis=1)
    lines += ["MOTION", f"Frames: {len(table)}", f"Frame Time: {1 / performance.fps:.9f}"]
    lines += [" ".join(f"{value:.9f}" for value in row) for row in table]
    path.write_text("\n".join(lines) + "\n")


ASF_BONES = {
    "lhipjoint": ("root", (0.09, -0.09, 0.0)), "lfemur": ("lhipjoint", (0.05, -0.42, 0.0)),
    "ltibia": ("lfemur", (0.0, -0.42, 0.0)), "lfoot": ("ltibia", (0.0, -0.05, 0.12)),
    "rhipjoint": ("root", (-0.09, -0.09, 0.0)), "rfemur": ("rhipjoint", (-0.05, -0.42, 0.0)),
    "rtibia": ("rfemur", (0.0, -0.42, 0.0)), "rfoot": ("rtibia", (0.0, -0.05, 0.12)),
    "lowerback": ("root", (0.0, 0.11, 0.0)), "upperback": ("lowerback", (0.0, 0.11, 0.0)),
    "thorax": ("upperback", (0.0, 0.11, 0.0)), "lowerneck": ("thorax", (0.0, 0.09, 0.0)),
    "upperneck": ("lowerneck", (0.0, 0.09, 0.0)), "head": ("upperneck", (0.0, 0.1, 0.0)),
    "lclavicle": ("thorax", (0.17, 0.05, 0.0)), "lhumerus": ("lclavicle", (0.28, 0.0, 0.0)),
    "lradius": ("lhumerus", (0.2, 0.0, 0.0)), "lwrist": ("lradius", (0.05, 0.0, 0.0)),
    "rclavicle": ("thorax", (-0.17, 0.05, 0.0)), "rhumerus": ("rclavicle", (-0.28, 0.0, 0.0)),
    "rradius": ("rhumerus", (-0.2, 0.0, 0.0)), "rwrist": ("rradius", (-0.05, 0.0, 0.0)),
}  # fmt: skip
"""Bone -> the bone it starts at and its vector in metres, as CMU's skeletons have them."""

CMU_UNIT_M = 0.0254 / 0.45


def write_acclaim(folder: Path, stem: str, *, frames: int = 10, seed: int = 0, dof: str = "rx ry rz") -> np.ndarray:
    """Write `STEM.asf` and `STEM_01.amc`; returns where root and bones end (T, 1 + B, 3) in metres, by scipy."""
    rng = np.random.default_rng(seed)
    names = ["root", *ASF_BONES]
    axes = {name: np.zeros(3) if name == "root" else rng.uniform(-90, 90, 3) for name in names}
    angles = {name: 15 * rng.normal(size=(frames, 3)) for name in names}
    place = np.array([0, 0.95, 0]) + rng.normal(scale=0.1, size=(frames, 3))
    asf = [":version 1.10", ":units", "  mass 1.0", "  length 0.45", "  angle deg", ":root"]
    asf += ["  order TX TY TZ RX RY RZ", "  axis XYZ", "  position 0 0 0", "  orientation 0 0 0", ":bonedata"]
    for number, (name, (_, vector)) in enumerate(ASF_BONES.items(), start=1):
        length = np.linalg.norm(vector)
        direction = " ".join(f"{value:.12f}" for value in np.array(vector) / length)
        asf += ["  begin", f"    id {number}", f"    name {name}", f"    direction {direction}"]
        asf += [f"    length {length / CMU_UNIT_M:.12f}", f"    axis {' '.join(map(str, axes[name]))}  XYZ"]
        asf += [f"    dof {dof}", "    limits (-180 180)", "           (-180 180)", "  end"]
    children: dict[str, list[str]] = {}
    for name, (parent, _) in ASF_BONES.items():
        children.setdefault(parent, []).append(name)
    asf += [
        ":hierarchy",
        "  begin",
        *(f"    {' '.join([parent, *bones])}" for parent, bones in children.items()),
        "  end",
    ]
    (folder / f"{stem}.asf").write_text("\n".join(asf) + "\n")
    letters = "".join(word[1] for word in dof.split())
    amc = ["#!OML:ASF", ":FULLY-SPECIFIED", ":DEGREES"]
    for frame in range(frames):
        root = [*(place[frame] / CMU_UNIT_M), *angles["root"][frame]]
        amc += [str(frame + 1), "root " + " ".join(f"{value:.9f}" for value in root)]
        amc += [f"{n} " + " ".join(f"{v:.9f}" for v in angles[n][frame][: len(letters)]) for n in ASF_BONES]
    (folder / f"{stem}_01.amc").write_text("\n".join(amc) + "\n")
    frame_of = {"root": Rotation.from_euler("xyz", angles["root"], degrees=True)}
    end_of = {"root": place}
    for name, (parent, vector) in ASF_BONES.items():
        own = Rotation.from_euler("xyz", axes[name], degrees=True)
        turned = Rotation.from_euler(letters, angles[name][:, : len(letters)], degrees=True)
        frame_of[name] = frame_of[parent] * own * turned * own.inv()
        end_of[name] = end_of[parent] + frame_of[name].apply(vector)
    return np.stack([end_of[name] for name in names], axis=1)


@dataclass(frozen=True)
class Writers:
    """The functions above, for tests."""

    perform = staticmethod(perform)
    bvh = staticmethod(write_bvh)
    acclaim = staticmethod(write_acclaim)
    rig: Sequence[str] = tuple(RIG)
    asf_names: Sequence[str] = ("root", *(f"{name}_end" for name in ASF_BONES))


@pytest.fixture(scope="session")
def write() -> Writers:
    return Writers()
