"""People over time, likely and unlikely ones, to write to files that hold one pose."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose_mdn.poses.single import SinglePoses
from pose_mdn.skeletons import HUMAN36M17

Y_UP = np.array([1.0, -1.0, -1.0])

CAMERA_TO_PERSON_M = np.array([0.0, 0.0, 4.0])

T_POSE_M = {
    "r_hip": (-0.13, 0, 0), "r_knee": (0, -0.43, 0), "r_ankle": (0, -0.43, 0), "l_hip": (0.13, 0, 0),
    "l_knee": (0, -0.43, 0), "l_ankle": (0, -0.43, 0), "spine": (0, 0.23, 0), "thorax": (0, 0.25, 0),
    "neck_nose": (0, 0.1, 0), "head_top": (0, 0.11, 0), "l_shoulder": (0.17, -0.02, 0), "l_elbow": (0.28, 0, 0),
    "l_wrist": (0.25, 0, 0), "r_shoulder": (-0.17, -0.02, 0), "r_elbow": (-0.28, 0, 0), "r_wrist": (-0.25, 0, 0),
}  # fmt: skip
"""Bones of somebody rigid, metres, x to the person's left, y up."""


def _poses(positions_m: np.ndarray, *, persons: int = 1, first: int = 0, **others: object) -> SinglePoses:
    """Rows of (T * persons, 17, 3) camera-frame joints: frame by frame, in each frame person by person."""
    rows = len(positions_m)
    present = np.isfinite(positions_m).all(axis=(1, 2))
    fields: dict[str, object] = {
        "std_m": np.where(present[:, None, None], 0.05, np.nan) * np.linspace(0, 2, 17)[:, None] * [1.0, 1.0, 3.0],
        "frame": first + np.repeat(np.arange(rows // persons), persons),
        "person": np.tile(np.arange(persons), rows // persons),
        "status": np.where(present, "lifted", "too_few_joints"),
        "fps": 30.0,
        "tracked": True,
        "choice": "mean",
        "model": "mdn_lifter/1",
    }
    return SinglePoses(positions_m=positions_m.astype(np.float32), **{**fields, **others})  # type: ignore[arg-type]


def _rigid_positions(seed: int, frames: int, wildness: float = 1.0) -> np.ndarray:
    """(T, 17, 3) camera-frame joints of somebody with bones of fixed lengths, turned by scipy."""
    random = np.random.default_rng(seed)
    world: dict[str, Rotation] = {}
    at = {"pelvis": np.array([0.3, 0.2, -4.0]) + np.cumsum(random.normal(0, 0.02, (frames, 3)), axis=0)}
    for joint, parent in zip(HUMAN36M17.joint_names, HUMAN36M17.parents, strict=True):
        start, speed = random.normal(0, 0.5 * wildness, 3), random.normal(0, 0.1 * wildness, 3)
        turn = Rotation.from_rotvec(start + speed * np.arange(frames)[:, None])
        world[joint] = turn if parent is None else world[parent] * turn
        if parent is not None:
            at[joint] = at[parent] + world[parent].apply(T_POSE_M[joint])
    return np.stack([at[joint] for joint in HUMAN36M17.joint_names], axis=1) * Y_UP


def _odd_positions(random: np.random.Generator, rows: int, kind: str) -> np.ndarray:
    positions = random.normal(0, 0.4, (rows, 17, 3)) + CAMERA_TO_PERSON_M
    if kind == "all joints in one point":
        positions[:] = positions[:, :1]
    elif kind == "some bones without length":
        for parent, child in HUMAN36M17.bones:
            if random.random() < 0.4:
                positions[:, child] = positions[:, parent]
    elif kind == "straight limbs":
        for joint in ("knee", "ankle", "elbow", "wrist"):
            for side in "lr":
                index = HUMAN36M17.index(f"{side}_{joint}")
                parent = HUMAN36M17.parent_indices[index]
                positions[:, index] = positions[:, parent] + random.choice([-0.4, 0.4]) * np.eye(3)[random.integers(3)]
    elif kind == "still and in one plane":
        positions[:] = positions[:1]
        positions[..., 2] = 4.0
    elif kind == "far away":
        positions += [300.0, -200.0, 700.0]
    return positions


KINDS = (
    "anything",
    "all joints in one point",
    "some bones without length",
    "straight limbs",
    "still and in one plane",
    "far away",
)


@st.composite
def _any_poses(draw: st.DrawFn) -> SinglePoses:
    frames, persons = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    positions = _odd_positions(random, frames * persons, draw(st.sampled_from(KINDS)))
    gaps = random.random(len(positions)) < draw(st.sampled_from([0.0, 0.5]))
    gaps[draw(st.integers(0, len(positions) - 1))] = False
    positions[gaps] = np.nan
    poses = _poses(positions, persons=persons, first=draw(st.sampled_from([0, 17, 10**10])))
    kept = ~gaps | (random.random(len(gaps)) < 0.5)
    order = random.permutation(np.flatnonzero(kept))
    fps = draw(st.sampled_from([None, 25.0, 29.97, 240.0]))
    rows = {name: getattr(poses, name)[order] for name in ("positions_m", "std_m", "frame", "person", "status")}
    return SinglePoses(**rows, fps=fps, tracked=True, choice="top", model=poses.model)


@pytest.fixture(scope="session")
def any_poses() -> st.SearchStrategy[SinglePoses]:
    """Films of up to three people with gaps, rows in any order; and bodies that nobody has."""
    return _any_poses()


@pytest.fixture(scope="session")
def make_poses() -> Callable[..., SinglePoses]:
    """`make_poses(positions_m, persons=1, first=0, ...)`: rows of camera-frame joints, frame by frame."""
    return _poses


@pytest.fixture(scope="session")
def rigid_positions() -> Callable[..., np.ndarray]:
    """`rigid_positions(seed, frames, wildness=1.0)`: (T, 17, 3) joints of somebody with bones of fixed lengths."""
    return _rigid_positions


@pytest.fixture(scope="session")
def expected_tracks() -> Callable[[SinglePoses], dict[int, np.ndarray]]:
    """For each person with a pose (T, 17, 3) joints with Y up, NaN in gaps: written out row by row."""

    def lay_out(poses: SinglePoses) -> dict[int, np.ndarray]:
        first, last = poses.frame.min(), poses.frame.max()
        tracks: dict[int, np.ndarray] = {}
        for place, frame, person in zip(poses.positions_m, poses.frame, poses.person, strict=True):
            if np.isfinite(place).all():
                track = tracks.setdefault(int(person), np.full((last - first + 1, 17, 3), np.nan))
                track[frame - first] = place * Y_UP
        return dict(sorted(tracks.items()))

    return lay_out
