"""Animated glTF: people as skinned skeletons in one binary file that browsers, game engines and Blender show."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.atomic import replace_atomically
from pose_mdn.formats.results.armature.bone_mesh import bone_mesh
from pose_mdn.formats.results.armature.glb_file import VERTICES, GlbBuffers
from pose_mdn.formats.results.armature.kinematics import CHILDREN, JointMotion, joint_motion
from pose_mdn.formats.results.recording import PersonTrack, Recording, to_recording
from pose_mdn.formats.results.result_format import ResultFormat
from pose_mdn.poses.single import SinglePoses
from pose_mdn.skeletons import HUMAN36M17

Entries = list[dict[str, Any]]


def write_gltf(path: Path, poses: SinglePoses) -> tuple[Path, ...]:
    """Write all people as animated node trees of one .glb, in metres with Y up.

    Each joint is a node with keys of translation and rotation for each frame that has a pose, and a skin of bones
    hangs on the nodes. There are no keys in gaps; there a person is not shown, by a scale of 0. Time 0 is the first
    frame, whose number is among the asset's extras.

    Raises:
        InputError: The poses are no film of somebody, or the place cannot be written to.
    """
    scene = _Scene(to_recording(poses))
    with replace_atomically(path) as stream:
        stream.writelines(scene.buffers.file(scene.document()))
    return (path,)


class _Scene:
    """A file in the making."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.buffers = GlbBuffers()
        self.nodes: Entries = []
        self.roots: list[int] = []
        self.meshes: Entries = []
        self.skins: Entries = []
        self.channels: Entries = []
        self.samplers: Entries = []
        for track in recording.tracks:
            self._add_person(track)

    def document(self) -> dict[str, Any]:
        """All but the arrays."""
        recording = self.recording
        extras = {
            "model": recording.model,
            "choice": recording.choice,
            "fps": recording.fps,
            "fps_source": "assumed" if recording.fps_assumed else "given",
            "first_frame": recording.first_frame,
            "num_frames": recording.num_frames,
            "persons": [track.person for track in recording.tracks],
        }
        bones = {"name": "bones", "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.8}}
        return {
            "asset": {"version": "2.0", "generator": "pose-mdn", "extras": extras},
            "scene": 0,
            "scenes": [{"name": "people", "nodes": self.roots}],
            "nodes": self.nodes,
            "meshes": self.meshes,
            "materials": [bones],
            "skins": self.skins,
            "animations": [{"name": "motion", "channels": self.channels, "samplers": self.samplers}],
        }

    def _add_person(self, track: PersonTrack) -> None:
        motion = joint_motion(track.positions_m)
        prefix = f"p{track.person}_" if len(self.recording.tracks) > 1 else ""
        root = len(self.nodes)
        self.nodes.append({"name": f"p{track.person}", "children": [root + 1]})
        self._add_joints(motion, prefix, first=root + 1)
        offsets = motion.offsets_m
        self._add_skin(offsets, pelvis=root + 1)
        self._add_mesh(offsets, prefix)
        self.nodes.append({"name": f"{prefix}bones", "mesh": len(self.meshes) - 1, "skin": len(self.skins) - 1})
        # Skinned meshes belong at the root: their own place in the tree has no effect.
        self.roots += [root, len(self.nodes) - 1]
        self._animate(track, motion, root)

    def _add_joints(self, motion: JointMotion, prefix: str, first: int) -> None:
        """Nodes in the order of Human3.6M-17, in the first pose."""
        for joint, name in enumerate(HUMAN36M17.joint_names):
            node: dict[str, Any] = {
                "name": prefix + name,
                "translation": _short(motion.translations_m[0, joint]),
                "rotation": _short(_xyzw(motion.rotations[0, joint])),
            }
            if CHILDREN[joint]:
                node["children"] = [first + child for child in CHILDREN[joint]]
            self.nodes.append(node)

    def _add_skin(self, offsets_m: NDArray[np.float64], pelvis: int) -> None:
        rest = np.zeros((17, 3))
        for parent, child in HUMAN36M17.bones:
            rest[child] = rest[parent] + offsets_m[child]
        inverse = np.tile(np.eye(4, dtype=np.float32), (17, 1, 1))
        inverse[:, 3, :3] = -rest  # matrices stand column after column
        matrices = self.buffers.add(inverse)
        joints = list(range(pelvis, pelvis + 17))
        self.skins.append({"skeleton": pelvis, "joints": joints, "inverseBindMatrices": matrices})

    def _add_mesh(self, offsets_m: NDArray[np.float64], prefix: str) -> None:
        mesh = bone_mesh(offsets_m)
        joints, weights = np.zeros((len(mesh.joints), 4), np.uint8), np.zeros((len(mesh.joints), 4), np.uint8)
        joints[:, 0], weights[:, 0] = mesh.joints, 255
        add = self.buffers.add
        attributes = {
            "POSITION": add(mesh.positions_m, limits=True, target=VERTICES),
            "NORMAL": add(mesh.normals, target=VERTICES),
            "COLOR_0": add(mesh.colours, normalized=True, target=VERTICES),
            "JOINTS_0": add(joints, target=VERTICES),
            "WEIGHTS_0": add(weights, normalized=True, target=VERTICES),
        }
        self.meshes.append({"name": f"{prefix}bones", "primitives": [{"attributes": attributes, "material": 0}]})

    def _animate(self, track: PersonTrack, motion: JointMotion, root: int) -> None:
        present = track.present
        times = self._times(track.places)
        for joint in range(HUMAN36M17.num_joints):
            node = root + 1 + joint
            self._add_channel(node, "translation", times, motion.translations_m[:, joint])
            if CHILDREN[joint]:
                self._add_channel(node, "rotation", times, _xyzw(motion.rotations[:, joint]))
        if not present.all():
            changes = np.flatnonzero(np.diff(present, prepend=not present[0]))
            shown = np.repeat(present[changes, None], 3, axis=1)
            self._add_channel(root, "scale", self._times(changes), shown, interpolation="STEP")

    def _times(self, frames: NDArray[np.int64]) -> int:
        return self.buffers.add((frames / self.recording.fps).astype(np.float32), limits=True)

    def _add_channel(
        self, node: int, path: str, times: int, values: NDArray[Any], *, interpolation: str = "LINEAR"
    ) -> None:
        output = self.buffers.add(values.astype(np.float32))
        self.samplers.append({"input": times, "output": output, "interpolation": interpolation})
        self.channels.append({"sampler": len(self.samplers) - 1, "target": {"node": node, "path": path}})


def _xyzw(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """The order of glTF."""
    return np.roll(rotation, -1, axis=-1)


def _short(values: NDArray[np.float64]) -> list[float]:
    """The nearest float32 as numbers for JSON."""
    return [float(value) for value in values.astype(np.float32) + np.float32(0)]


FORMAT = ResultFormat(
    name="gltf",
    description="animated skeletons for browsers, game engines and Blender, .glb, one pose",
    suffix=".glb",
    write_poses=write_gltf,
    axes=("x", "-y", "-z"),
)
