"""C3D: markers filmed in a laboratory, read with ezc3d."""

import struct
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from pose_mdn.errors import FormatError, MissingExtraError
from pose_mdn.formats.array_checks import NUMBERS, TEXT, check_array
from pose_mdn.formats.faults import fault
from pose_mdn.formats.motions.hip_centres import with_hip_centres
from pose_mdn.formats.motions.motion_format import MotionFormat, ReadOptions, SourceMotion, file_bytes
from pose_mdn.formats.npz_archive import Array, read_npz

METRES = {"mm": 0.001, "cm": 0.01, "dm": 0.1, "m": 1.0, "in": 0.0254, "ft": 0.3048}
"""Metres in each unit that POINT:UNITS may name."""
_SPELLINGS = {"inch": "in", "inches": "in", "feet": "ft", "meters": "m", "metres": "m", "meter": "m", "metre": "m"}

_BLOCK = 512
_HEADER = struct.Struct("<2B5H")
_MAGIC = 0x50
_INTEL = 84
_PATIENCE_S = 600.0
_READER = Path(__file__).with_name("c3d_process.py")


def read_c3d(path: Path, options: ReadOptions | None = None) -> list[SourceMotion]:
    """Read a C3D file: its markers over time, NaN where a marker was not seen.

    If the four markers of the pelvis are there, two points are added: the hip joints' centres (`hip_centres`).

    Raises:
        FormatError: The file is not C3D, is damaged, or holds no markers.
        MissingExtraError: ezc3d is not installed.
    """
    _check_header(path)
    arrays = _read_apart(path)
    points, rate = arrays["points"].astype(np.float64), float(arrays["rate"].item())
    fps = (options.fps if options else None) or rate
    if not points.shape[1] or not points.shape[2] or not 0 < fps < np.inf:
        got = f"{points.shape[1]} markers in {points.shape[2]} frames at {rate:g} per second"
        raise fault(path, expected="markers filmed at some rate", got=got, cure="export the labelled markers")
    names, positions = with_hip_centres(_labels(arrays["labels"], points.shape[1]), points.transpose(2, 1, 0))
    unit = str(arrays["units"].item()).strip().lower()
    return [
        SourceMotion(
            trial=path.stem,
            joint_names=names,
            positions=positions,
            fps=fps,
            metres_per_unit=METRES.get(_SPELLINGS.get(unit, unit)),
            usual_up="z",
        )
    ]


def _read_apart(path: Path) -> dict[str, Array]:
    """What the library reads, in another process: damaged files can crash it."""
    if find_spec("ezc3d") is None:
        raise MissingExtraError(
            "reading C3D needs ezc3d, which is not installed; install it with: pip install 'pose-mdn[c3d]'"
        )
    with tempfile.TemporaryDirectory(prefix="pose-mdn-") as folder:
        result = Path(folder) / "points.npz"
        command = [sys.executable, "-P", str(_READER), str(path.absolute()), str(result)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
        except subprocess.TimeoutExpired as error:
            got = f"one that keeps the reader busy for {_PATIENCE_S:g} s"
            raise fault(path, expected="a whole C3D file", got=got, cure="export it again") from error
        if done.returncode:
            reason = done.stderr.strip().rpartition("\n")[2][:200] or f"a crash of its reader ({done.returncode})"
            raise fault(path, expected="a whole C3D file", got=reason, cure="export it again")
        try:
            arrays = read_npz(result, required=("points", "rate", "labels", "units"), optional=())
            check_array(path, "points", arrays["points"], kinds=NUMBERS, shape=(3, "J", "T"), sizes={})
            check_array(path, "labels", arrays["labels"], kinds=TEXT, shape=("L",), sizes={})
        except FormatError as error:
            raise fault(path, expected="a whole C3D file", got=str(error), cure="export it again") from error
        return arrays


def _labels(labels: Array, count: int) -> tuple[str, ...]:
    given = [str(label).strip() for label in labels[:count].tolist()]
    return tuple(given + [f"unlabelled {place}" for place in range(len(given), count)])


def _check_header(path: Path) -> None:
    """Refuse what is no C3D file, or less than its header says."""
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
