"""VideoPose3D's archives of 2D detections, `data_2d_custom_*.npz` and `data_2d_h36m_*.npz`: pickled dictionaries."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import to_float32
from pose_mdn.formats.faults import fault, shown, unreadable
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition
from pose_mdn.formats.keypoints.named_joints import BodyLayout
from pose_mdn.formats.keypoints.tracks import from_rows
from pose_mdn.formats.motions.human36m_npz import layout_by_symmetry
from pose_mdn.formats.motions.restricted_pickle import read_object_archive
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import COCO17, HUMAN36M17

_KEY = "positions_2d"
_CURE = "write it as VideoPose3D's data/prepare_data_2d_custom.py does"
_LAYOUTS = {"coco": COCO17, "h36m": HUMAN36M17}
"""Values of metadata's `layout_name` that name one layout of joints."""
_ALONE = "custom"
"""What the one action of a film is called that is no recording of a dataset."""
_SHOWN = 12


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    tree = _tree(path, options)
    films = _films(path, tree)
    name, film = _chosen(path, films, options.clip)
    metadata = tree.get("metadata")
    facts = metadata if isinstance(metadata, dict) else {}
    layout = _layout(path, facts, film.shape[1], options)
    joints = to_float32(film)
    sized = ReadOptions(
        skeleton=layout.skeleton, image_size=options.image_size or _image_size(facts, name), fps=options.fps
    )
    return from_rows(
        path,
        layout,
        (joints[..., :2], joints[..., 2] if joints.shape[2] == 3 else np.ones(joints.shape[:2], np.float32)),
        sized,
        frame=np.arange(len(joints), dtype=np.int64),
        person=np.zeros(len(joints), np.int64),
    )


def _clips(path: Path, options: ReadOptions) -> tuple[str, ...]:
    return tuple(_films(path, _tree(path, options)))


def _tree(path: Path, options: ReadOptions) -> dict[str, object]:
    """The archive's dictionaries, of which only plain data is ever built."""
    try:
        path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    if not options.trust_pickle:
        cure = "if you trust where it comes from, allow pickles (trust_pickle=True); only plain data is then accepted"
        raise fault(path, expected="arrays without pickles", got="pickled dictionaries (VideoPose3D's)", cure=cure)
    return read_object_archive(path, (_KEY, "metadata"))


def _films(path: Path, tree: Mapping[str, object]) -> dict[str, NDArray[np.generic]]:
    """Every recording by its name: the film's, or subject, action and camera."""
    subjects = tree.get(_KEY)
    if not isinstance(subjects, dict) or not subjects:
        raise fault(path, expected=f"{_KEY!r} with a dictionary of films", got=shown(subjects), cure=_CURE)
    films: dict[str, NDArray[np.generic]] = {}
    for subject, actions in subjects.items():
        if not isinstance(actions, dict):
            raise fault(path, expected=f"a dictionary for {shown(subject)}", got=shown(actions), cure=_CURE)
        for action, cameras in actions.items():
            arrays = list(cameras) if isinstance(cameras, list | np.ndarray) else [cameras]
            for camera, film in enumerate(arrays):
                alone = action == _ALONE and len(arrays) == 1
                name = str(subject) if alone else f"{subject}-{action}-{camera}"
                films[name] = _checked(path, name, film)
    return films


def _checked(path: Path, name: str, film: object) -> NDArray[np.generic]:
    fits = isinstance(film, np.ndarray) and film.dtype.kind in "fiu" and film.ndim == 3 and film.shape[2] in {2, 3}
    if not fits or not isinstance(film, np.ndarray):
        got = f"shape {film.shape}, {film.dtype}" if isinstance(film, np.ndarray) else type(film).__name__
        raise fault(path, expected=f"(film {name}) an array (T, J, 2) in pixels", got=got, cure=_CURE)
    return film


def _chosen(path: Path, films: Mapping[str, NDArray[np.generic]], clip: str | None) -> tuple[str, NDArray[np.generic]]:
    if clip is None and len(films) == 1:
        return next(iter(films.items()))
    if clip is not None and clip in films:
        return clip, films[clip]
    names = ", ".join(list(films)[:_SHOWN]) + (f" and {len(films) - _SHOWN} more" if len(films) > _SHOWN else "")
    got = f"{len(films)} films" if clip is None else shown(clip)
    raise fault(path, expected="the name of one film", got=got, cure=f"pass clip= one of: {names or 'none'}")


def _layout(path: Path, metadata: Mapping[object, object], joints: int, options: ReadOptions) -> BodyLayout:
    """What the user says, what the metadata names, or what its left and right joints tell."""
    name = metadata.get("layout_name")
    skeleton = options.skeleton or (_LAYOUTS.get(name) if isinstance(name, str) else None)
    told = 1.0
    if skeleton is None and "keypoints_symmetry" in metadata:
        skeleton, told = layout_by_symmetry(path, metadata, {joints}), 0.8
    if skeleton is None:
        got = f"{joints} joints and the layout_name {shown(name)}"
        raise fault(path, expected="a known layout_name", got=got, cure="pass the skeleton that the detector used")
    if skeleton.num_joints != joints:
        expected, cure = f"{skeleton.num_joints} joints of {skeleton.name}", "pass the skeleton that the detector used"
        raise fault(path, expected=expected, got=f"{joints}", cure=cure)
    if told == 1:
        return BodyLayout.whole(skeleton)
    return BodyLayout.whole(skeleton, confidence=told, source="told from its left and right joints")


def _image_size(metadata: Mapping[object, object], film: str) -> tuple[int, int] | None:
    videos = metadata.get("video_metadata")
    sizes = videos.get(film) if isinstance(videos, dict) else None
    width, height = (sizes.get("w"), sizes.get("h")) if isinstance(sizes, dict) else (None, None)
    known = isinstance(width, int | float) and isinstance(height, int | float)
    if not known or not (0 < width < 2**31 and 0 < height < 2**31):  # type: ignore[operator]
        return None
    return int(width), int(height)  # type: ignore[arg-type]


def _recognise(path: Path) -> Recognition | None:
    try:
        with zipfile.ZipFile(path) as archive:
            found = f"{_KEY}.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return None
    return Recognition(confidence=0.95, reason=f"an archive with {_KEY!r}") if found else None


FORMAT = KeypointFormat(
    name="videopose3d_npz",
    description="VideoPose3D's data_2d_*.npz",
    suffixes=(".npz",),
    recognise=_recognise,
    read=_read,
    clips=_clips,
)
"""The 2D detections that VideoPose3D and its many heirs are given."""
