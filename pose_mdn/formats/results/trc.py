"""TRC, the marker files of OpenSim: tab-separated text, one file for each person."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pose_mdn.formats.atomic import replace_atomically
from pose_mdn.formats.results.recording import PersonTrack, Recording, person_paths, to_recording
from pose_mdn.formats.results.result_format import ResultFormat
from pose_mdn.poses.single import SinglePoses
from pose_mdn.skeletons import HUMAN36M17

_COLUMNS = 3 * HUMAN36M17.num_joints
_GAP = "\t" * _COLUMNS
_PLACES = "\t%.6f" * _COLUMNS


def write_trc(path: Path, poses: SinglePoses) -> tuple[Path, ...]:
    """Write each person's joints as markers, in metres with Y up; cells are empty in gaps.

    The header is that of OpenSim's guide ("Marker (.trc) files"): five lines, and no empty one before the data, as
    Pose2Sim writes it. Frame numbers stay as they are, and time is counted from frame 0.

    Raises:
        InputError: The poses are no film of somebody, or the place cannot be written to.
    """
    recording = to_recording(poses)
    paths = person_paths(path, recording, FORMAT.suffix)
    for target, track in zip(paths, recording.tracks, strict=True):
        with replace_atomically(target) as stream:
            stream.write(_header(target.name, recording).encode())
            stream.writelines(line.encode() for line in _lines(recording, track))
    return paths


def _header(name: str, recording: Recording) -> str:
    rate = f"{recording.fps:.10g}"
    joints = HUMAN36M17.joint_names
    axes = [f"{axis}{number}" for number in range(1, len(joints) + 1) for axis in "XYZ"]
    printable = "".join(letter if letter.isprintable() else "_" for letter in name)
    frames = recording.num_frames
    values = (rate, rate, frames, len(joints), "m", rate, recording.first_frame, frames)
    lines = (
        ("PathFileType", "4", "(X/Y/Z)", printable),
        ("DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units", "OrigDataRate", "OrigDataStartFrame",
         "OrigNumFrames"),
        values,
        ("Frame#", "Time", "\t\t\t".join(joints) + "\t\t"),
        ("", "", *axes),
    )  # fmt: skip
    return "".join("\t".join(map(str, line)) + "\n" for line in lines)


def _lines(recording: Recording, track: PersonTrack) -> Iterator[str]:
    # Adding 0 makes -0 an ordinary 0.
    values = np.round(track.positions_m, 6).reshape(-1, _COLUMNS) + 0.0
    cells = {place: _PLACES % tuple(row) for place, row in zip(track.places.tolist(), values, strict=True)}
    for place in range(recording.num_frames):
        number = recording.first_frame + place
        yield f"{number}\t{number / recording.fps:.6f}{cells.get(place, _GAP)}\n"


FORMAT = ResultFormat(
    name="trc",
    description="markers of OpenSim and Pose2Sim, .trc, one pose, a file for each person",
    suffix=".trc",
    write_poses=write_trc,
    axes=("x", "-y", "-z"),
)
