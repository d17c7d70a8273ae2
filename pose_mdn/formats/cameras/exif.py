"""A photograph as a camera: its focal length by EXIF, an ideal lens, the principal point in the middle.

The focal length "in 35 mm film" is defined by the diagonal, that of 36 x 24 mm (CIPA DCG-001), and rounded to whole
millimetres. Where it is missing, the focal length in millimetres and the pixels per millimetre of the focal plane
serve. Both describe the whole sensor: a cropped picture needs another way.
"""

import math
from pathlib import Path

from pose_mdn.formats.cameras import exif_tags
from pose_mdn.formats.cameras.camera_builder import build_camera
from pose_mdn.formats.cameras.camera_format import CameraFormat
from pose_mdn.formats.cameras.exif_tags import Photograph, read_photograph
from pose_mdn.formats.faults import fault
from pose_mdn.formats.keypoints.keypoint_format import first_bytes
from pose_mdn.geometry.camera import Camera
from pose_mdn.geometry.field_of_view import centred_intrinsics

_FILM_DIAGONAL_MM = math.hypot(36, 24)
_MM_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
"""Of FocalPlaneResolutionUnit: inch and centimetre by the standard, millimetre and micrometre by habit."""
_TURNED = (5, 6, 7, 8)
"""Orientations in which a picture is shown on its side."""
_LONGEST = 100.0
"""Times the picture's diagonal: a longer focal length is a damaged number."""


def _read(path: Path) -> dict[str, Camera]:
    photograph = read_photograph(path)
    width, height = photograph.stored_size
    focal_px = _focal_px(photograph) if width and height else 0.0
    if not 0 < focal_px < _LONGEST * math.hypot(width, height):
        millimetres = photograph.tags.get(exif_tags.FOCAL_LENGTH, 0.0)
        got = f"only FocalLength {millimetres:g} mm" if millimetres > 0 else "no focal length"
        raise fault(
            path,
            expected="FocalLengthIn35mmFilm, or FocalLength with FocalPlaneXResolution, in its EXIF",
            got=got,
            cure="give the camera's field of view (--fov) or calibrate it",
        )
    size = (height, width) if photograph.tags.get(exif_tags.ORIENTATION) in _TURNED else (width, height)
    camera = build_camera(path, path.stem, intrinsics=centred_intrinsics(size, focal_px), image_size=size)
    return {camera.name: camera}


def _focal_px(photograph: Photograph) -> float:
    """In pixels of the stored picture; 0 if unknown."""
    tags, (width, height) = photograph.tags, photograph.stored_size
    if film_mm := tags.get(exif_tags.FOCAL_LENGTH_IN_35MM_FILM):
        return film_mm / _FILM_DIAGONAL_MM * math.hypot(width, height)
    unit_mm = _MM_PER_UNIT.get(int(tags.get(exif_tags.FOCAL_PLANE_RESOLUTION_UNIT, 2)), 0.0)
    if not unit_mm:
        return 0.0
    pixels_per_mm = tags.get(exif_tags.FOCAL_PLANE_X_RESOLUTION, 0.0) / unit_mm
    # The resolution is that of the picture as taken; it may have been made smaller since.
    smaller = width / (tags.get(exif_tags.PIXEL_X_DIMENSION) or width)
    return tags.get(exif_tags.FOCAL_LENGTH, 0.0) * pixels_per_mm * smaller


FORMAT = CameraFormat(
    name="exif",
    description="a JPEG photograph with its focal length in EXIF",
    matches=lambda path: first_bytes(path, 3).startswith(b"\xff\xd8\xff"),
    read=_read,
)
"""What cameras and phones write into their photographs."""
