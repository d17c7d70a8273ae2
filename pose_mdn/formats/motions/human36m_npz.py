"""The field's archives of Human3.6M, as VideoPose3D writes them: `data_3d_h36m.npz` and `data_2d_h36m_*.npz`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.motions.restricted_pickle import read_object_archive
from pose_mdn.skeletons import COCO17, HUMAN36M17, MPII16, Skeleton

FPS = 50.0
"""Of the dataset's cameras and motion capture."""
NUM_CAMERAS = 4

_RECORDED_JOINTS = [
    "pelvis", "r_hip", "r_knee", "r_ankle", "r_toe_base", "r_toe",
    "l_hip", "l_knee", "l_ankle", "l_toe_base", "l_toe",
    "pelvis_again", "spine", "thorax", "neck_nose", "head_top",
    "l_collar", "l_shoulder", "l_elbow", "l_wrist", "l_wrist_again", "l_thumb", "l_hand", "l_hand_end",
    "r_collar", "r_shoulder", "r_elbow", "r_wrist", "r_wrist_again", "r_thumb", "r_hand", "r_hand_end",
]  # fmt: skip
"""The 32 joints of the recordings in their order; the benchmark uses 17 of them, some others are duplicates."""
_CHOSEN = [_RECORDED_JOINTS.index(name) for name in HUMAN36M17.joint_names]
_CURE = "get the file as VideoPose3D's data/prepare_data_h36m.py writes it"


@dataclass(frozen=True, kw_only=True)
class Human36mKeypoints:
    """What a detector saw in the dataset's films.

    Attributes:
        keypoints_px: Subject -> action -> one (T, J, 2) array per camera, pixels.
        skeleton: The layout of the J joints.
    """

    keypoints_px: dict[str, dict[str, list[NDArray[np.float32]]]]
    skeleton: Skeleton


def read_human36m_positions(path: Path) -> dict[str, dict[str, NDArray[np.float32]]]:
    """Read `data_3d_h36m.npz`.

    Returns:
        Subject -> action with its number, such as "Walking 1" -> (T, 17, 3) joints of Human3.6M-17, metres, the
        dataset's world frame with Z up, 50 frames a second.

    Raises:
        FormatError: The file is not of that kind.
    """
    actions_of = _subjects(path, "positions_3d")
    return {
        subject: {action: _joints(path, f"{subject}, {action}", array) for action, array in actions.items()}
        for subject, actions in actions_of.items()
    }


def read_human36m_keypoints(path: Path) -> Human36mKeypoints:
    """Read `data_2d_h36m_*.npz`.

    Raises:
        FormatError: The file is not of that kind, or its layout of joints is unknown.
    """
    actions_of = _subjects(path, "positions_2d")
    keypoints = {
        subject: {action: _films(path, f"{subject}, {action}", films) for action, films in actions.items()}
        for subject, actions in actions_of.items()
    }
    counts = {film.shape[1] for actions in keypoints.values() for films in actions.values() for film in films}
    skeleton = layout_by_symmetry(path, read_object_archive(path, ("metadata",)).get("metadata"), counts)
    return Human36mKeypoints(keypoints_px=keypoints, skeleton=skeleton)


def _subjects(path: Path, key: str) -> dict[str, dict[str, object]]:
    tree = read_object_archive(path, (key,)).get(key)
    if not isinstance(tree, dict) or not tree:
        raise fault(path, expected=f"the key {key!r} with a dictionary of subjects", got=shown(tree), cure=_CURE)
    for subject, actions in tree.items():
        if not isinstance(actions, dict) or not all(isinstance(name, str) for name in (subject, *actions)):
            raise fault(path, expected=f"subjects with named actions in {key!r}", got=shown(subject), cure=_CURE)
    return tree


def _joints(path: Path, where: str, array: object) -> NDArray[np.float32]:
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or array.ndim != 3 or array.shape[2] != 3:
        raise fault(path, expected=f"({where}) an array (T, 32, 3) in metres", got=_kind(array), cure=_CURE)
    if array.shape[1] == len(_RECORDED_JOINTS):
        array = array[:, _CHOSEN]
    elif array.shape[1] != HUMAN36M17.num_joints:
        raise fault(path, expected=f"({where}) 32 joints, or the benchmark's 17", got=_kind(array), cure=_CURE)
    return array.astype(np.float32, copy=False)


def _films(path: Path, where: str, films: object) -> list[NDArray[np.float32]]:
    arrays = list(films) if isinstance(films, list | np.ndarray) else []
    fits = [
        isinstance(film, np.ndarray) and film.dtype.kind == "f" and film.ndim == 3 and film.shape[2] >= 2
        for film in arrays
    ]
    if len(arrays) != NUM_CAMERAS or not all(fits):
        got = f"{len(arrays)} of them, {[_kind(film) for film in arrays]}"
        raise fault(path, expected=f"({where}) four arrays (T, J, 2), one per camera", got=got, cure=_CURE)
    return [film[..., :2].astype(np.float32, copy=False) for film in arrays]


def layout_by_symmetry(path: Path, metadata: object, counts: set[int]) -> Skeleton:
    """The layout whose left and right joints are those of the file's metadata."""
    symmetry = metadata.get("keypoints_symmetry") if isinstance(metadata, dict) else None
    sides = _sides(symmetry)
    for skeleton in (HUMAN36M17, COCO17, MPII16):
        same = sides == {frozenset(skeleton.left), frozenset(skeleton.right)}
        if counts == {skeleton.num_joints} and (same or not sides):
            return skeleton
    raise fault(
        path,
        expected="the joints of human36m17, coco17 or mpii16, as told by keypoints_symmetry",
        got=f"{sorted(counts)} joints, symmetry {shown(symmetry)}",
        cure="use detections of one of these layouts",
    )


def _sides(symmetry: object) -> set[frozenset[object]]:
    """The joints of either side, if these are lists."""
    lists = [side.tolist() if isinstance(side, np.ndarray) else side for side in _listed(symmetry)]
    return {frozenset(joint for joint in side if isinstance(joint, int)) for side in lists if isinstance(side, list)}


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | np.ndarray) else []


def _kind(value: object) -> str:
    return f"shape {value.shape}, {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
