"""OpenPose JSON: one file per frame in a folder, several people per file."""

import re
from pathlib import Path

from pose_mdn.formats.faults import fault, shown, unreadable
from pose_mdn.formats.keypoints.detections import Detection, build_sequence
from pose_mdn.formats.keypoints.json_document import read_json
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition, first_bytes
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import BODY25

_DIGITS = re.compile(r"[0-9]+")
_UNTRACKED = -1


def frame_number(name: str) -> int | None:
    """The last number in a file's name, such as 12 in "walk_000000000012_keypoints.json"; `None` if there is none."""
    stem = name.rsplit(".", 1)[0].removesuffix("_keypoints")
    numbers = _DIGITS.findall(stem)
    # 18 digits fit 64 bits.
    return int(numbers[-1][-18:]) if numbers else None


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    files = _number_frames(path, _json_files(path)) if path.is_dir() else {frame_number(path.name) or 0: path}
    frames = {frame: _read_people(file) for frame, file in files.items()}
    return build_sequence(path, frames, options, default=BODY25)


def _json_files(folder: Path) -> list[Path]:
    """The folder's frame files by name; other JSON files are left alone if some have OpenPose's ending."""
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".json" and not file.name.startswith("."))
    except OSError as error:
        raise unreadable(folder, error) from error
    return [file for file in files if file.stem.endswith("_keypoints")] or files


def _number_frames(folder: Path, files: list[Path]) -> dict[int, Path]:
    if not files:
        raise fault(
            folder,
            expected="a folder of .json files, one per frame",
            got="none in it",
            cure="pass the folder that holds the frames themselves",
        )
    numbered: dict[int, Path] = {}
    for file in files:
        number = frame_number(file.name)
        if number is None:
            raise fault(file, expected="a frame number in the file's name", got="none", cure="name it like 000012.json")
        if number in numbered:
            raise fault(
                folder,
                expected="one file per frame",
                got=f"{numbered[number].name} and {file.name} for frame {number}",
                cure="keep each recording in a folder of its own",
            )
        numbered[number] = file
    return numbered


def _read_people(file: Path) -> list[Detection]:
    document = read_json(file)
    people = document.get("people") if isinstance(document, dict) else None
    if not isinstance(people, list):
        raise fault(file, expected="an object with a list 'people'", got=shown(document), cure="write OpenPose's JSON")
    return [_read_person(file, person) for person in people]


def _read_person(file: Path, person: object) -> Detection:
    values = person.get("pose_keypoints_2d") if isinstance(person, dict) else None
    if not isinstance(person, dict) or not isinstance(values, list):
        raise fault(
            file,
            expected="a list 'pose_keypoints_2d' for each person",
            got=shown(person),
            cure="write x, y, confidence for each joint",
        )
    identity = person.get("person_id", _UNTRACKED)
    if isinstance(identity, list):
        identity = identity[0] if identity else _UNTRACKED
    tracked = isinstance(identity, int) and 0 <= identity < 2**62
    return Detection(values=values, identity=identity if tracked else None, path=file)


def _recognise(path: Path) -> Recognition | None:
    if path.is_dir():
        try:
            found = any(file.suffix == ".json" for file in path.iterdir())
        except OSError:
            return None
        return Recognition(confidence=0.8, reason="a folder of .json files") if found else None
    head = first_bytes(path)
    if head.startswith(b"{") and b'"people"' in head:
        return Recognition(confidence=0.95, reason="an object with 'people'")
    return None


FORMAT = KeypointFormat(
    name="openpose_json",
    description="a folder of OpenPose JSON files, one per frame, or one of them",
    suffixes=(".json",),
    recognise=_recognise,
    read=_read,
)
"""What OpenPose writes with `--write_json`, and what many other detectors imitate."""
