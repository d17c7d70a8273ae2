"""BVH: read back by two public libraries and our own reader, joints are where they were."""

import warnings
from pathlib import Path

import bvhio
import numpy as np
import pybvh
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import InputError
from pose_mdn.formats.motions.bvh import END_SUFFIX, read_bvh
from pose_mdn.formats.motions.conversion import ConversionOptions, convert_motion
from pose_mdn.formats.results.bvh import write_bvh
from pose_mdn.formats.results.bvh_rigid import write_rigid_bvh
from pose_mdn.skeletons import HUMAN36M17


def read_own(path: Path) -> np.ndarray:
    """(T, 17, 3) metres."""
    (motion,) = read_bvh(path)
    joints = [index for index, name in enumerate(motion.joint_names) if not name.endswith(END_SUFFIX)]
    assert tuple(motion.joint_names[index] for index in joints) == HUMAN36M17.joint_names
    return motion.positions[:, joints] / 100


def read_bvhio(path: Path, frames: int) -> np.ndarray:
    root = bvhio.readAsHierarchy(str(path))
    places = []
    for frame in range(frames):
        root.loadPose(frame)
        at = {joint.Name: list(joint.PositionWorld) for joint, _, _ in root.layout()}
        places.append([at[name] for name in HUMAN36M17.joint_names])
    return np.array(places) / 100


def read_pybvh(path: Path) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it wonders which way is up
        film = pybvh.read_bvh_file(path)
        assert tuple(film.joint_names) == HUMAN36M17.joint_names
        return film.joint_positions() / 100


def held(track: np.ndarray) -> np.ndarray:
    """The last pose in gaps, the first one before it."""
    seen = np.flatnonzero(np.isfinite(track[:, 0, 0]))
    return track[[max(seen[seen <= frame], default=seen[0]) for frame in range(len(track))]]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read(tmp_path_factory, any_poses, expected_tracks, data) -> None:
    """bvhio computes in single precision."""
    poses = data.draw(any_poses)
    tracks = expected_tracks(poses)
    paths = write_bvh(tmp_path_factory.mktemp("bvh") / "walk.bvh", poses)
    assert len(paths) == len(tracks)
    for path, track in zip(paths, tracks.values(), strict=True):
        wanted = held(track)
        np.testing.assert_allclose(read_own(path), wanted, atol=2e-6)
        np.testing.assert_allclose(read_bvhio(path, len(track)), wanted, atol=1e-4, rtol=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), wildness=st.sampled_from([0.1, 1.0, 3.0]))
def test_a_rigid_person_is_exact_in_the_rigid_form_too(
    tmp_path_factory, make_poses, rigid_positions, *, seed, wildness
) -> None:
    frames = 1 + seed % 8
    positions = rigid_positions(seed, frames, wildness)
    (path,) = write_rigid_bvh(tmp_path_factory.mktemp("bvh") / "walk.rigid.bvh", make_poses(positions))
    wanted = positions * [1, -1, -1]
    np.testing.assert_allclose(read_own(path), wanted, atol=1e-4)
    np.testing.assert_allclose(read_pybvh(path), wanted, atol=1e-4)
    np.testing.assert_allclose(read_bvhio(path, frames), wanted, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_rigid_form_keeps_the_pelvis_and_the_lengths_of_bones(tmp_path_factory, any_poses, data) -> None:
    poses = data.draw(any_poses)
    paths = write_rigid_bvh(tmp_path_factory.mktemp("bvh") / "walk.rigid.bvh", poses)
    for path, person in zip(paths, np.unique(poses.person[poses.present]), strict=True):
        found = read_own(path)
        lengths = np.linalg.norm([found[:, child] - found[:, parent] for parent, child in HUMAN36M17.bones], axis=-1)
        np.testing.assert_allclose(lengths, np.broadcast_to(lengths[:, :1], lengths.shape), atol=2e-6)
        rows = poses.present & (poses.person == person)
        pelvis = poses.positions_m[rows, 0] * [1, -1, -1]
        np.testing.assert_allclose(found[poses.frame[rows] - poses.frame.min(), 0], pelvis, atol=1e-6)
        np.testing.assert_allclose(read_pybvh(path), found, atol=1e-6)


def test_single_limbs_point_the_right_way_in_the_rigid_form(tmp_path, make_poses) -> None:
    """Where the parent has one child only, a bone's direction survives a change of its length."""
    positions = np.random.default_rng(3).normal(0, 0.4, (9, 17, 3))
    (path,) = write_rigid_bvh(tmp_path / "walk.rigid.bvh", make_poses(positions))
    found, wanted = read_own(path), positions * [1, -1, -1]
    for parent, child in HUMAN36M17.bones:
        if HUMAN36M17.joint_names[parent] not in {"pelvis", "thorax"}:
            bone, true = found[:, child] - found[:, parent], wanted[:, child] - wanted[:, parent]
            cosine = (bone * true).sum(-1) / np.linalg.norm(bone, axis=-1) / np.linalg.norm(true, axis=-1)
            np.testing.assert_allclose(cosine, 1, atol=1e-9)


def test_the_rest_pose_is_a_t_pose_of_the_persons_size(tmp_path, make_poses, rigid_positions) -> None:
    (path,) = write_rigid_bvh(tmp_path / "walk.rigid.bvh", make_poses(rigid_positions(5, 20)))
    (motion,) = read_bvh(path)
    rest = dict(zip(motion.joint_names, motion.rest_positions / 100, strict=True))
    np.testing.assert_allclose(rest["l_wrist"] - rest["l_shoulder"], [0.53, 0, 0], atol=1e-5)
    np.testing.assert_allclose(rest["r_ankle"] - rest["r_hip"], [0, -0.86, 0], atol=1e-5)
    np.testing.assert_allclose(rest["head_top"], [0, 0.69, 0], atol=1e-5)


@pytest.mark.parametrize("write", [write_bvh, write_rigid_bvh])
def test_angles_do_not_jump(tmp_path, make_poses, rigid_positions, write) -> None:
    """Somebody who turns around several times, each joint by no more than some 5 degrees a frame."""
    angle = np.linspace(0, 20, 400)
    cos, sin, zero, one = np.cos(angle), np.sin(angle), np.zeros(400), np.ones(400)
    about_y = np.array([[cos, zero, sin], [zero, one, zero], [-sin, zero, cos]]).transpose(2, 0, 1)
    still = rigid_positions(2, 1, wildness=0.5)[0]
    positions = (still - still[0]) @ about_y.transpose(0, 2, 1) + [0, 0, 4]
    (path,) = write(tmp_path / "walk.bvh", make_poses(positions))
    rows = path.read_text().splitlines()
    channels = np.array([row.split() for row in rows[rows.index("MOTION") + 3 :]], float)
    assert np.abs(np.diff(channels, axis=0)).max() < 5
    assert np.ptp(channels[:, 5]) == pytest.approx(np.degrees(20), rel=0.1)


def test_it_can_be_imported_as_a_motion(tmp_path, make_poses, rigid_positions) -> None:
    positions = rigid_positions(1, 8, wildness=0.3)
    (path,) = write_bvh(tmp_path / "walk.bvh", make_poses(positions, fps=29.97))
    (motion,) = read_bvh(path)
    joint_map = {joint: (joint,) for joint in HUMAN36M17.joint_names}
    found = convert_motion(path, motion, ConversionOptions(joint_map=joint_map, fps=29.97))
    assert (found.up, found.metres_per_unit) == ("y", 0.01)
    assert found.fps == pytest.approx(29.97)
    np.testing.assert_allclose(found.pose_m, positions * [1, -1, -1], atol=1e-4)


@pytest.mark.parametrize("write", [write_bvh, write_rigid_bvh])
def test_the_same_poses_give_the_same_bytes(tmp_path, make_poses, rigid_positions, write) -> None:
    poses = make_poses(rigid_positions(0, 5))
    (path,) = write(tmp_path / "walk.bvh", poses)
    content = path.read_bytes()
    write(path, poses)
    assert path.read_bytes() == content
    assert b"-0.000000" not in content


@pytest.mark.parametrize("write", [write_bvh, write_rigid_bvh])
def test_a_place_that_cannot_be_written_to_is_one_line(tmp_path, make_poses, write) -> None:
    with pytest.raises(InputError, match="expected a place that can be written to") as caught:
        write(tmp_path / "no" / "walk.bvh", make_poses(np.zeros((1, 17, 3))))
    assert "\n" not in str(caught.value)
