"""glTF: read back by pygltflib, and animated here by the rules of the specification, joints are where they were."""

import numpy as np
import pygltflib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose_mdn.errors import InputError
from pose_mdn.formats.results.gltf import write_gltf
from pose_mdn.skeletons import HUMAN36M17

WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Film:
    """The parts of a file, found by name."""

    def __init__(self, path) -> None:
        self.file = pygltflib.GLTF2().load(str(path))
        self.binary = self.file.binary_blob()
        self.node = {node.name: index for index, node in enumerate(self.file.nodes)}
        self.parent = {child: index for index, node in enumerate(self.file.nodes) for child in node.children or ()}
        animation = self.file.animations[0]
        self.tracks = {
            (channel.target.node, channel.target.path): animation.samplers[channel.sampler]
            for channel in animation.channels
        }

    def array(self, accessor: int) -> np.ndarray:
        entry = self.file.accessors[accessor]
        view = self.file.bufferViews[entry.bufferView]
        dtype = {pygltflib.FLOAT: np.float32, pygltflib.UNSIGNED_BYTE: np.uint8}[entry.componentType]
        values = np.frombuffer(self.binary, dtype, entry.count * WIDTHS[entry.type], view.byteOffset)
        return values.reshape(entry.count, -1).astype(float)

    def keys(self, node: int, path: str) -> tuple[np.ndarray, np.ndarray] | None:
        sampler = self.tracks.get((node, path))
        return sampler and (self.array(sampler.input)[:, 0], self.array(sampler.output))

    def world(self, prefix: str) -> tuple[np.ndarray, np.ndarray]:
        """Times (K,) of the keys and joints (K, 17, 3) at them."""
        frames: dict[int, Rotation] = {}
        origins: dict[int, np.ndarray] = {}
        for joint in HUMAN36M17.joint_names:
            node = self.node[prefix + joint]
            times, translation = self.keys(node, "translation")
            turn = self.keys(node, "rotation")
            rotation = Rotation.from_quat(turn[1] if turn else np.tile([0, 0, 0, 1.0], (len(times), 1)))
            if joint == "pelvis":
                frames[node], origins[node] = rotation, translation
            else:
                above = self.parent[node]
                frames[node] = frames[above] * rotation
                origins[node] = origins[above] + frames[above].apply(translation)
        return times, np.stack([origins[self.node[prefix + joint]] for joint in HUMAN36M17.joint_names], axis=1)

    def shown(self, person: int, times: np.ndarray) -> np.ndarray:
        """(K,) whether the person's scale is 1, by the rule of STEP."""
        keys = self.keys(self.node[f"p{person}"], "scale")
        if keys is None:
            return np.ones(len(times), bool)
        assert self.tracks[self.node[f"p{person}"], "scale"].interpolation == "STEP"
        assert set(keys[1].ravel()) <= {0.0, 1.0}
        return keys[1][np.searchsorted(keys[0], times, side="right") - 1].all(axis=1)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read(tmp_path_factory, any_poses, expected_tracks, data) -> None:
    poses = data.draw(any_poses)
    tracks = expected_tracks(poses)
    (path,) = write_gltf(tmp_path_factory.mktemp("gltf") / "walk.glb", poses)
    film, axis = Film(path), None
    for person, track in tracks.items():
        axis = (np.arange(len(track)) / (poses.fps or 30.0)).astype(np.float32)
        seen = np.isfinite(track[:, 0, 0])
        times, found = film.world(f"p{person}_" if len(tracks) > 1 else "")
        np.testing.assert_array_equal(times, axis[seen])
        np.testing.assert_allclose(found, track[seen], atol=1e-4, rtol=1e-6)
        np.testing.assert_array_equal(film.shown(person, axis), seen)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_the_arrays_keep_the_rules_of_the_specification(tmp_path_factory, any_poses, data) -> None:
    (path,) = write_gltf(tmp_path_factory.mktemp("gltf") / "walk.glb", data.draw(any_poses))
    film = Film(path)
    assert path.stat().st_size % 4 == 0
    assert all(view.byteOffset % 4 == 0 for view in film.file.bufferViews)
    for index, entry in enumerate(film.file.accessors):
        values = film.array(index)
        assert np.isfinite(values).all()
        if entry.min:
            np.testing.assert_array_equal([entry.min, entry.max], [values.min(axis=0), values.max(axis=0)])
    for (_, kind), sampler in film.tracks.items():
        assert film.file.accessors[sampler.input].max
        times, values = film.array(sampler.input)[:, 0], film.array(sampler.output)
        assert times[0] >= 0
        assert (np.diff(times) > 0).all()
        if kind == "rotation":
            np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1, atol=1e-6)
            assert ((values[1:] * values[:-1]).sum(axis=1) >= -1e-6).all()
    for mesh in film.file.meshes:
        attributes = mesh.primitives[0].attributes
        np.testing.assert_allclose(np.linalg.norm(film.array(attributes.NORMAL), axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(film.array(attributes.WEIGHTS_0), np.tile([255, 0, 0, 0], (33 * 24, 1)))
        assert film.array(attributes.JOINTS_0).max() == 16


def test_bones_reach_from_joint_to_joint_in_every_frame(tmp_path, make_poses) -> None:
    """The skin by the rule of the specification: some vertex of each bone lies at both of its joints."""
    positions = np.random.default_rng(1).normal(0, 0.4, (3, 17, 3))
    (path,) = write_gltf(tmp_path / "walk.glb", make_poses(positions))
    film = Film(path)
    skin, attributes = film.file.skins[0], film.file.meshes[0].primitives[0].attributes
    rest = film.array(attributes.POSITION)
    owner = film.array(attributes.JOINTS_0)[:, 0].astype(int)
    bind = film.array(skin.inverseBindMatrices).reshape(17, 4, 4).transpose(0, 2, 1)
    assert [film.file.nodes[node].name for node in skin.joints] == list(HUMAN36M17.joint_names)
    local = np.einsum("vij,vj->vi", bind[owner], np.c_[rest, np.ones(len(rest))])[:, :3]
    bones = local.reshape(33, 24, 3)[2::2], owner.reshape(33, 24)[2::2]
    for (parent, child), points, owners in zip(HUMAN36M17.bones, *bones, strict=True):
        assert set(owners) == {parent, child}
        for joint in (parent, child):
            assert (np.abs(points[owners == joint]).max(axis=1) < 1e-6).any()


def test_the_file_says_how_it_was_made(tmp_path, make_poses) -> None:
    (path,) = write_gltf(tmp_path / "walk.glb", make_poses(np.zeros((4, 17, 3)), persons=2, first=7, fps=None))
    file = pygltflib.GLTF2().load(str(path))
    assert (file.asset.version, file.asset.generator) == ("2.0", "pose-mdn")
    assert file.asset.extras == {
        "model": "mdn_lifter/1", "choice": "mean", "fps": 30.0, "fps_source": "assumed", "first_frame": 7,
        "num_frames": 2, "persons": [0, 1],
    }  # fmt: skip
    roots = [file.nodes[index] for index in file.scenes[0].nodes]
    assert [(node.name, node.skin) for node in roots] == [("p0", None), ("p0_bones", 0), ("p1", None), ("p1_bones", 1)]


def test_the_same_poses_give_the_same_bytes(tmp_path, make_poses, rigid_positions) -> None:
    poses = make_poses(rigid_positions(0, 5))
    (path,) = write_gltf(tmp_path / "walk.glb", poses)
    content = path.read_bytes()
    write_gltf(path, poses)
    assert path.read_bytes() == content


def test_a_file_beyond_the_formats_limit_is_refused(tmp_path, make_poses, monkeypatch) -> None:
    monkeypatch.setattr("pose_mdn.formats.results.armature.glb_file._LARGEST_BYTES", 10_000)
    with pytest.raises(InputError, match="at most 4 GiB"):
        write_gltf(tmp_path / "walk.glb", make_poses(np.zeros((1, 17, 3))))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_one_line(tmp_path, make_poses) -> None:
    with pytest.raises(InputError, match="expected a place that can be written to") as caught:
        write_gltf(tmp_path / "no" / "walk.glb", make_poses(np.zeros((1, 17, 3))))
    assert "\n" not in str(caught.value)
