"""C3D, the file of biomechanics laboratories, written with ezc3d."""

import struct
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError, MissingExtraError
from pose_mdn.formats.atomic import replace_atomically
from pose_mdn.formats.results.recording import Recording, to_recording
from pose_mdn.formats.results.result_format import ResultFormat
from pose_mdn.poses.single import SinglePoses
from pose_mdn.skeletons import HUMAN36M17

_MM = 1000.0
_MOST_FRAMES = 65_535
"""What the format counts to in 16 bits."""
_LARGEST_PARAMETERS = 255 * 512
_PER_POINT, _OTHER_PARAMETERS = 3, 4096
"""Bytes beside the labels, more than ezc3d 1.7.2 was seen to write."""
_LARGEST_RESIDUAL = 255
"""Residuals are stored in 8 bits, as multiples of POINT:SCALE."""
_LONGEST_TEXT = 127
_BLOCK = 512
_SCALE_IN_HEADER, _DATA_IN_HEADER = 12, 16
_INTEGERS = 2
"""The library's number for integers of 16 bits."""
_MISSING = -1.0
_TWO_WORDS = 1 << 32


def write_c3d(path: Path, poses: SinglePoses) -> tuple[Path, ...]:
    """Write all people's joints as points of one file, in millimetres with Z up (POINT:X_SCREEN +X, Y_SCREEN +Z).

    A point's residual is its standard deviation in millimetres, all three axes together: the root mean square of its
    distance from where it is stated. It is rounded to whole steps of -POINT:SCALE, 1 mm unless some are above 255 mm.
    In gaps the residual is -1.

    Raises:
        InputError: The poses are no film of somebody, or more than the format can count, or the place cannot be
            written to.
        MissingExtraError: ezc3d is not installed.
    """
    if find_spec("ezc3d") is None:
        raise MissingExtraError(
            "writing C3D needs ezc3d, which is not installed; install it with: pip install 'pose-mdn[c3d]'"
        )
    recording = to_recording(poses)
    _check_size(path, recording)
    content = _content(recording)
    with replace_atomically(path) as stream:
        stream.write(content)
    return (path,)


def _check_size(path: Path, recording: Recording) -> None:
    """Refuse what the library would write without a word although numbers wrap around."""
    labels = _labels(recording)
    parameters = len(labels) * (max(map(len, labels)) + _PER_POINT) + _OTHER_PARAMETERS
    if recording.num_frames > _MOST_FRAMES or parameters > _LARGEST_PARAMETERS:
        raise InputError(
            f"{path}: expected at most {_MOST_FRAMES} frames and some 300 people, which is all that C3D can count, "
            f"got {recording.num_frames} and {len(recording.tracks)}; cut the film, or choose another format",
            field="frame",
        )


def _content(recording: Recording) -> bytes:
    points_mm, residuals_mm = _points_mm(recording), _residuals_mm(recording)
    step_mm = max(1.0, float(np.ceil(residuals_mm.max() / _LARGEST_RESIDUAL)))
    # The library writes to a path only, and what it writes must appear at once.
    with tempfile.TemporaryDirectory(prefix="pose-mdn-") as folder:
        made = Path(folder) / "made.c3d"
        _film(recording, points_mm, step_mm).write(str(made))
        content = bytearray(made.read_bytes())
    # It leaves -1 in the header, and readers that compare the two scales refuse the file.
    struct.pack_into("<f", content, _SCALE_IN_HEADER, -step_mm)
    # ezc3d 1.7.2 writes residuals into the byte of the cameras, where large ones make points invalid.
    (first_block,) = struct.unpack_from("<H", content, _DATA_IN_HEADER)
    words = np.frombuffer(content, "<f4", 4 * residuals_mm.size, (first_block - 1) * _BLOCK)
    words.reshape(*residuals_mm.T.shape, 4)[..., 3] = np.where(
        residuals_mm < 0, _MISSING, np.round(residuals_mm / step_mm)
    ).T
    return bytes(content)


def _film(recording: Recording, points_mm: NDArray[np.float64], step_mm: float) -> Any:
    """The recording as an ezc3d object, whose types are not known."""
    import ezc3d  # noqa: PLC0415  (an extra, and the registry of formats imports every module here)

    film = ezc3d.c3d()
    point = film["parameters"]["POINT"]
    point["RATE"]["value"] = [recording.fps]
    point["UNITS"]["value"] = ["mm"]
    point["LABELS"]["value"] = _labels(recording)
    point["SCALE"]["value"] = [-step_mm]
    film["data"]["points"] = np.concatenate([points_mm, np.ones_like(points_mm[:1])])
    _describe(film, recording)
    return film


def _describe(film: Any, recording: Recording) -> None:
    first, last = recording.first_frame, recording.first_frame + recording.num_frames - 1
    # Numbers that do not fit stand in TRIAL only; ezc3d counts from 0 and the file from 1.
    film["header"]["points"]["first_frame"] = first if first >= 0 and last < _MOST_FRAMES else 0
    if first >= 0 and last + 1 < _TWO_WORDS:
        for name, number in (("ACTUAL_START_FIELD", first + 1), ("ACTUAL_END_FIELD", last + 1)):
            film.add_parameter("TRIAL", name, [number & 0xFFFF, number >> 16])
            film["parameters"]["TRIAL"][name]["type"] = _INTEGERS  # the library made them floating-point
    film.add_parameter("POINT", "X_SCREEN", "+X")
    film.add_parameter("POINT", "Y_SCREEN", "+Z")
    film.add_parameter("POSE_MDN", "MODEL", recording.model.encode("ascii", "replace").decode()[:_LONGEST_TEXT])
    film.add_parameter("POSE_MDN", "CHOICE", recording.choice)
    film.add_parameter("POSE_MDN", "RATE_SOURCE", "assumed" if recording.fps_assumed else "given")
    film.add_parameter("POSE_MDN", "FIRST_FRAME", str(first))


def _labels(recording: Recording) -> list[str]:
    several = len(recording.tracks) > 1
    prefixes = [f"p{track.person}:" if several else "" for track in recording.tracks]
    return [prefix + joint for prefix in prefixes for joint in HUMAN36M17.joint_names]


def _points_mm(recording: Recording) -> NDArray[np.float64]:
    """(3, P, T) with Z up, NaN in gaps."""
    joints = np.concatenate([track.along_time(track.positions_m) for track in recording.tracks], axis=1)
    x, y, z = joints.transpose(2, 1, 0)
    return _MM * np.stack([x, -z, y])


def _residuals_mm(recording: Recording) -> NDArray[np.float64]:
    """(P, T), -1 in gaps."""
    sigma_mm = [_MM * np.sqrt((np.nan_to_num(track.std_m) ** 2).sum(axis=-1)) for track in recording.tracks]
    spread = [track.along_time(sigma) for track, sigma in zip(recording.tracks, sigma_mm, strict=True)]
    return np.nan_to_num(np.concatenate(spread, axis=1).T, nan=_MISSING)


FORMAT = ResultFormat(
    name="c3d",
    description="points of biomechanics software, .c3d, one pose, uncertainty as residuals (needs the extra c3d)",
    suffix=".c3d",
    write_poses=write_c3d,
    axes=("x", "z", "-y"),
    unit="mm",
)
