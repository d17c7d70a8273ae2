"""Calibrations in OpenCV's YAML, JSON or XML, under the names that people give to the values.

One camera stands at the top (`camera_matrix`, `distortion_coefficients`, `image_width`, ...), several stand in tables
of their own, in a list, or beside each other with a suffix (`K1` and `K2`, `K_left` and `K_right`, EasyMocap's `K_01`).
OpenCV does not write units: translations are metres unless the file has a `unit` of "mm" or "cm".
"""

import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from operator import itemgetter
from pathlib import Path

import numpy as np

from pose_mdn.formats.cameras.camera_builder import build_camera, by_name, metres_per_unit
from pose_mdn.formats.cameras.camera_format import CameraFormat
from pose_mdn.formats.cameras.storage_tree import Tree, read_tree
from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.keypoints.keypoint_format import first_bytes
from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.lens_model import BROWN, FISHEYE, LensModel

_NAMES = {
    "matrix": ("camera_matrix", "k", "mtx", "intrinsic_matrix", "intrinsics", "intrinsic", "matrix", "m"),
    "distortion": ("distortion_coefficients", "dist_coeffs", "dist_coeff", "distortion", "distortions", "dist", "d"),
    "rotation": ("rotation_matrix", "rot", "r", "rvec", "rotation", "rotation_vector"),
    "translation": ("t", "tvec", "translation", "translation_vector"),
    "size": ("image_size", "size", "resolution"),
    "width": ("image_width", "width"),
    "height": ("image_height", "height"),
    "model": ("distortion_model", "camera_model", "lens_model", "model"),
    "fisheye": ("fisheye", "fisheye_model", "is_fisheye"),
    "name": ("camera_name", "name", "serial"),
    "unit": ("unit", "units"),
}
"""Names that stand for the same, in the order in which they are preferred; capitals and underscores do not matter."""

_SHARED = ("size", "width", "height", "model", "fisheye", "unit")
"""What is said once for all cameras that stand beside each other."""
_FISHEYES = ("fisheye", "equidistant", "kannala")
_BROWNS = ("plumb", "rational", "brown", "radtan", "opencv", "pinhole", "perspective", "thin_prism", "standard")
_TRUE = ("1", "1.0", "true", "yes")


def _read(path: Path) -> dict[str, Camera]:
    tree = read_tree(path)
    cameras = by_name(path, (_camera(path, name, values) for name, values in _find_cameras(tree, path.stem)))
    if not cameras:
        named = [shown(_array(node)) for node in _by_suffix(tree, "matrix").values()]
        raise fault(
            path,
            expected="a 3 x 3 matrix called camera_matrix, K or mtx",
            got=named[0] if named else f"the names {shown(sorted(map(str, tree)))}",
            cure="check what the matrix is called and that it is whole",
        )
    return cameras


def _find_cameras(tree: Tree, name: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Names of cameras and their values under the keys of `_NAMES`."""
    suffixes = [suffix for suffix, node in _by_suffix(tree, "matrix").items() if _count(_array(node)) == 9]
    if suffixes:
        yield from _side_by_side(tree, suffixes, name)
        return
    for key, node in tree.items():
        entries = node if isinstance(node, list) else [node]
        for index, entry in enumerate(entries):
            if isinstance(entry, dict):
                yield from _find_cameras(entry, key if len(entries) == 1 else str(index))


def _side_by_side(tree: Tree, suffixes: list[str], name: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    columns = {meaning: _by_suffix(tree, meaning) for meaning in _NAMES}
    for index, suffix in enumerate(suffixes):
        values = {meaning: column[suffix] for meaning, column in columns.items() if suffix in column}
        values = {meaning: columns[meaning][""] for meaning in _SHARED if "" in columns[meaning]} | values
        if "translation" not in values:
            # R1 and R2 beside a pair without T1 and T2 turn the pictures into one plane; R and T lead to the second.
            values.pop("rotation", None)
            if len(suffixes) == 2 and index == 1:
                pose = {meaning: columns[meaning].get("") for meaning in ("rotation", "translation")}
                values |= {meaning: node for meaning, node in pose.items() if node is not None}
        yield suffix or str(values.get("name", name)), values


def _by_suffix(tree: Tree, meaning: str) -> dict[str, object]:
    """What stands under any of the names of a meaning, by what follows the name: `K_left` gives "left"."""
    ranked = []
    for key, node in tree.items():
        matches = {name: match for name in _NAMES[meaning] if (match := _pattern(name).fullmatch(str(key)))}
        if matches:
            # `intrinsic_matrix` is that name, and not `intrinsic` of a camera called "matrix".
            name = max(matches, key=len)
            ranked.append((_NAMES[meaning].index(name), matches[name][1] or matches[name][2] or "", node))
    found: dict[str, object] = {}
    for _, suffix, node in sorted(ranked, key=itemgetter(0)):
        found.setdefault(suffix, node)
    return found


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"{name.replace('_', '_?')}(?:_?(\d+)|_(\w+))?", flags=re.IGNORECASE)


def _camera(path: Path, name: str, values: Mapping[str, object]) -> Camera:
    size = values.get("size")
    if size is None and "width" in values and "height" in values:
        size = [values["width"], values["height"]]
    distortion = values.get("distortion")
    return build_camera(
        path,
        name,
        intrinsics=_squared(_array(values["matrix"])),
        distortion=() if distortion is None else _array(distortion),
        lens_model=_lens_model(path, values),
        rotation=_optional(values.get("rotation")),
        translation=_optional(values.get("translation")),
        metres_per_unit=metres_per_unit(path, values.get("unit")),
        image_size=_optional(size),
    )


def _optional(node: object) -> object:
    return None if node is None else _array(node)


def _squared(matrix: object) -> object:
    array = np.asarray(matrix, dtype=object)
    return array.reshape(3, 3).tolist() if array.size == 9 else matrix


def _array(node: object) -> object:
    """Rows of numbers, or whatever else there is; OpenCV's matrices are tables of rows, cols and data."""
    if isinstance(node, dict) and "data" in node:
        data = node["data"]
        sizes = node.get("sizes", [node.get("rows", 1), node.get("cols", 1)])
        values = _listed(data)
        told = math.prod(size if isinstance(size, int | float) else -1 for size in _listed(sizes))
        return values if told == len(values) else f"{len(values)} numbers for {shown(sizes)}"
    try:
        return node if np.asarray(node).dtype.kind in "fiu" else str(node)
    except ValueError:
        return "rows of different lengths"


def _listed(node: object) -> list[object]:
    return node if isinstance(node, list) else [node]


def _count(rows: object) -> int:
    return sum(map(_count, rows)) if isinstance(rows, list) else 1


def _lens_model(path: Path, values: Mapping[str, object]) -> LensModel:
    if str(values.get("fisheye", "")).lower() in _TRUE:
        return FISHEYE
    model = str(values.get("model", BROWN)).lower()
    if any(word in model for word in _FISHEYES):
        return FISHEYE
    if any(word in model for word in _BROWNS):
        return BROWN
    raise fault(
        path,
        expected="a lens model of OpenCV, such as plumb_bob, rational_polynomial or fisheye",
        got=shown(model),
        cure="calibrate with one of these",
    )


def _matches(path: Path) -> bool:
    suffix = path.suffix.lower()
    return suffix in {".yml", ".yaml", ".json"} or (suffix == ".xml" and b"<opencv_storage" in first_bytes(path))


FORMAT = CameraFormat(
    name="opencv", description="OpenCV or ROS *.yml, *.yaml, *.json, *.xml", matches=_matches, read=_read
)
"""What `cv2.FileStorage` writes, and what looks like it."""
