"""Calibrations in TOML: one table per camera, as Pose2Sim, anipose and the converters from Qualisys write them.

    [cam_1]
    name = "left"
    size = [1920, 1080]                 # width, height in pixels
    matrix = [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]
    distortions = [k1, k2, p1, p2]      # OpenCV's order; k1 k2 k3 k4 if fisheye
    fisheye = false
    rotation = [rx, ry, rz]             # world to camera, Rodrigues vector in radians
    translation = [tx, ty, tz]          # metres

    [metadata]
    unit = "mm"                         # ours, not theirs: for calibrations whose translations are not in metres

Only `matrix` is needed. A table without it, such as `[metadata]`, is not a camera.
"""

from pathlib import Path

from pose_mdn.formats.cameras.camera_builder import build_camera, by_name, metres_per_unit
from pose_mdn.formats.cameras.camera_format import CameraFormat
from pose_mdn.formats.faults import fault, shown
from pose_mdn.geometry.camera import Camera
from pose_mdn.geometry.toml_file import read_toml
from pose_mdn.poses.lens_model import BROWN, FISHEYE


def _read(path: Path) -> dict[str, Camera]:
    tables = read_toml(path, expected="a TOML calibration file")
    metadata = tables.get("metadata")
    unit = metres_per_unit(path, metadata.get("unit") if isinstance(metadata, dict) else None)
    cameras = by_name(
        path,
        (
            build_camera(
                path,
                str(table.get("name", key)),
                intrinsics=table["matrix"],
                distortion=table.get("distortions", ()),
                lens_model=FISHEYE if table.get("fisheye") else BROWN,
                rotation=table.get("rotation"),
                translation=table.get("translation"),
                metres_per_unit=unit,
                image_size=table.get("size"),
            )
            for key, table in tables.items()
            if isinstance(table, dict) and "matrix" in table
        ),
    )
    if not cameras:
        raise fault(
            path,
            expected="a table with a `matrix` for each camera",
            got=f"tables {shown(sorted(tables))}" if tables else "an empty file",
            cure="check that it is a camera calibration",
        )
    return cameras


FORMAT = CameraFormat(
    name="toml",
    description="Pose2Sim, Qualisys or anipose *.toml",
    matches=lambda path: path.suffix.lower() == ".toml",
    read=_read,
)
"""What Pose2Sim and anipose write."""
