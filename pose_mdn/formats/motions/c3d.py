"""C3D: markers filmed in a laboratory, read with ezc3d."""

import struct
from pathlib import Path

import numpy as np

from pose_mdn.errors import MissingExtraError
from pose_mdn.formats.faults import fault
from pose_mdn.formats.motions.hip_centres import with_hip_centres
from pose_mdn.formats.motions.motion_format import MotionFormat, ReadOptions, SourceMotion, file_bytes

METRES = {"mm": 0.001, "cm": 0.01, "dm": 0.1, "m": 1.0, "in": 0.0254, "ft": 0.3048}
"""Metres in each unit that POINT:UNITS may name."""
_SPELLINGS = {"inch": "in", "inches": "in", "feet": "ft", "meters": "m", "metres": "m", "meter": "m", "metre": "m"}

_BLOCK = 512
_HEADER = struct.Struct("<2B5H")
_MAGIC = 0x50
_INTEL = 84


def read_c3d(path: Path, options: ReadOptions | None = None) -> list[SourceMotion]:
    """Read a C3D file: its markers over time, NaN where a marker was not seen.

    If the four markers of the pelvis are there, two points are added: the hip joints' centres (`hip_centres`).

    Raises:
        FormatError: The file is not C3D, is truncated, or holds no markers.
        MissingExtraError: ezc3d is not installed.
    """
    _check_header(path)
    try:
        import ezc3d  # noqa: PLC0415  (an extra that other formats do without)
    except ModuleNotFoundError:
        raise MissingExtraError(
            "reading C3D needs ezc3d, which is not installed; install it with: pip install 'pose-mdn[c3d]'"
        ) from None
    try:
        recording = ezc3d.c3d(str(path))
        point = recording["parameters"]["POINT"]
        points = np.asarray(recording["data"]["points"], np.float64)
        rate = float(point["RATE"]["value"][0])
        labels = _labels(point, points.shape[1])
        units = [str(unit) for unit in point.get("UNITS", {}).get("value", [])]
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, MemoryError) as error:
        raise fault(path, expected="a whole C3D file", got=str(error)[:200], cure="export it again") from error
    if not points.shape[1] or not points.shape[2] or not ((options and options.fps) or rate > 0):
        got = f"{points.shape[1]} markers in {points.shape[2]} frames at {rate:g} per second"
        raise fault(path, expected="markers filmed at some rate", got=got, cure="export the labelled markers")
    names, positions = with_hip_centres(labels, points[:3].transpose(2, 1, 0))
    return [
        SourceMotion(
            trial=path.stem,
            joint_names=names,
            positions=positions,
            fps=(options.fps if options else None) or rate,
            metres_per_unit=_metres(units),
            usual_up="z",
        )
    ]


def _labels(point: dict[str, dict[str, list[str]]], count: int) -> tuple[str, ...]:
    """Labels in order; files with more than 255 markers go on in LABELS2, LABELS3 and so on."""
    labels: list[str] = []
    for number in range(1, 10):
        labels += point.get("LABELS" if number == 1 else f"LABELS{number}", {}).get("value", [])
    labels = [str(label).strip() for label in labels[:count]]
    return tuple(labels + [f"unlabelled {place}" for place in range(len(labels), count)])


def _metres(units: list[str]) -> float | None:
    name = units[0].strip().lower() if units else ""
    return METRES.get(_SPELLINGS.get(name, name))


def _check_header(path: Path) -> None:
    """Refuse what is no C3D file before the library, which trusts its input, takes memory for it."""
    content = file_bytes(path)
    cure = "check that it is a C3D file, and whole"
    if len(content) < 2 * _BLOCK or content[1] != _MAGIC:
        raise fault(path, expected="a C3D file", got=f"{len(content)} bytes of another kind", cure=cure)
    _, _, points, analog, first, last, _ = _HEADER.unpack_from(content)
    (scale,) = struct.unpack_from("<f", content, 12)
    (data_block,) = struct.unpack_from("<H", content, 16)
    parameters = content[(content[0] - 1) * _BLOCK :] if content[0] else b""
    if len(parameters) < 4 or not data_block:
        raise fault(path, expected="its parameters", got="none", cure=cure)
    if parameters[3] != _INTEL:
        return  # other processors' numbers; the library knows them
    word = 4 if scale < 0 else 2
    frames = max(0, last - first + 1)
    claimed = (data_block - 1) * _BLOCK + frames * (points * 4 + analog) * word
    # 65535 stands for "more than fit in 16 bits".
    if last != 0xFFFF and claimed > len(content):
        raise fault(path, expected=f"{claimed} bytes of data", got=f"{len(content)}", cure=cure)


def _matches(path: Path) -> bool:
    return path.suffix.lower() == FORMAT.suffix


FORMAT = MotionFormat(
    name="c3d",
    description="labelled markers, .c3d (needs the extra c3d)",
    suffix=".c3d",
    matches=_matches,
    read=read_c3d,
)
