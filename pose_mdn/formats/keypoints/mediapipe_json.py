"""MediaPipe's landmarks as people dump them to JSON; there is no standard, so several forms are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import to_float32
from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.joint_spelling import bare_name
from pose_mdn.formats.keypoints.fractions import to_pixels
from pose_mdn.formats.keypoints.identities import NOBODY
from pose_mdn.formats.keypoints.json_document import read_json
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat, ReadOptions, Recognition, first_bytes
from pose_mdn.formats.keypoints.named_joints import BodyLayout, layout_of_own_names
from pose_mdn.formats.keypoints.tracks import from_rows
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import BLAZEPOSE33

_FRAMES = ("frames", "results", "poses", "data", "landmarks", "keypoints")
_PEOPLE = ("poselandmarks", "landmarks", "poses", "people", "pose", "keypoints", "landmark", "normalizedlandmarks")
_FRAME_NUMBER = ("frame", "frameid", "frameindex", "frameidx", "framenumber", "framenum", "index")
_CONFIDENCES = ("visibility", "presence", "score", "v", "confidence")
_CURE = "dump a list of frames, each a list of 33 {x, y, z, visibility}"
_DEPTH = 6

Landmark = tuple[object, object, object]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What a document holds.

    Attributes:
        frames: Frame number and the people in it; each is the list of x, y and confidence by landmark.
        names: What the landmarks are called, if they have names.
        facts: Other entries of the document, by bare name.
    """

    frames: Sequence[tuple[int, list[list[Landmark]]]]
    names: tuple[str, ...] | None
    facts: Mapping[str, object]


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    recording = _Reader(path).recording(read_json(path))
    rows = [(frame, place, person) for frame, people in recording.frames for place, person in enumerate(people)]
    empty = [(frame, NOBODY, None) for frame, people in recording.frames if not people]
    ordered = sorted([*rows, *empty], key=lambda row: row[:2])
    layout = _layout(path, recording, options)
    joints = len(recording.names or BLAZEPOSE33.joint_names)
    nobody = [(None, None, None)] * joints
    values = _numbers(path, [person or nobody for _, _, person in ordered], joints)
    image_size = options.image_size or _image_size(recording.facts)
    sized = ReadOptions(skeleton=layout.skeleton, image_size=image_size, fps=options.fps)
    return from_rows(
        path,
        layout,
        (to_pixels(path, values[..., :2], image_size), values[..., 2]),
        sized,
        frame=np.array([frame for frame, _, _ in ordered], np.int64),
        person=np.array([place for _, place, _ in ordered], np.int64),
        fps=_first_number(recording.facts, ("fps", "framerate", "videofps")),
        tracked=False,
    )


def _layout(path: Path, recording: Recording, options: ReadOptions) -> BodyLayout:
    if recording.names is not None:
        return layout_of_own_names(path, recording.names, options.skeleton)
    if options.skeleton not in {None, BLAZEPOSE33}:
        cure = "leave the skeleton out: this format has one layout"
        raise fault(path, expected="33 joints of blazepose33", got=f"{options.skeleton.name}", cure=cure)
    return BodyLayout.whole(BLAZEPOSE33)


class _Reader:
    """Finds frames, people and landmarks in a document."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: tuple[str, ...] | None = None
        self._named: bool | None = None

    def recording(self, document: object) -> Recording:
        """All frames of a document."""
        facts: dict[str, object] = {}
        entries: object = document
        if isinstance(document, dict) and not _is_pose(document):
            facts = _facts(document)
            entries = next((facts[key] for key in _FRAMES if isinstance(facts.get(key), list | dict)), document)
        if _is_pose(entries):
            frames = [(0, self._people(entries))]
        elif entries is document and any(key in facts for key in _PEOPLE):
            frames = [(self._frame(document, 0), self._people(document))]
        elif isinstance(entries, dict):
            frames = [(self._number(key, place), self._people(value)) for place, (key, value) in _numbered(entries)]
        elif isinstance(entries, list):
            frames = [(self._frame(entry, place), self._people(entry)) for place, entry in enumerate(entries)]
        else:
            raise self._wrong(document)
        if len({frame for frame, _ in frames}) < len(frames):
            frames = [(place, people) for place, (_, people) in enumerate(frames)]
        return Recording(frames=frames, names=self._names, facts=facts)

    def _frame(self, entry: object, place: int) -> int:
        facts = _facts(entry, deep=False) if isinstance(entry, dict) else {}
        number = next((facts[key] for key in _FRAME_NUMBER if key in facts), None)
        return self._number(number, place)

    @staticmethod
    def _number(value: object, place: int) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
            return int(value)
        whole = isinstance(value, int | float) and abs(value) < 2**53 and value == int(value)
        return int(value) if whole else place  # type: ignore[call-overload]

    def _people(self, value: object, depth: int = 0) -> list[list[Landmark]]:
        if value is None or value in ([], {}):
            return []
        if _is_pose(value):
            return [self._pose(value)]
        if depth < _DEPTH and isinstance(value, list):
            return [person for entry in value for person in self._people(entry, depth + 1)]
        if depth < _DEPTH and isinstance(value, dict):
            facts = _facts(value, deep=False)
            for key in _PEOPLE:
                if key in facts:
                    return self._people(facts[key], depth + 1)
        raise self._wrong(value)

    def _pose(self, value: object) -> list[Landmark]:
        """The landmarks of one person, in the order of the names or of MediaPipe's numbers."""
        named = list(value.items()) if isinstance(value, dict) else _own_names(value)
        if self._named is None:
            self._named = bool(named)
            self._names = tuple(name for name, _ in named) or None
        if named:
            given = dict(named)
            return [_landmark(given.get(name)) for name in self._names or ()]
        if not isinstance(value, list) or self._names or len(value) != BLAZEPOSE33.num_joints:
            count = len(value) if isinstance(value, list | dict) else 0
            raise fault(self._path, expected="33 landmarks for each person", got=f"{count}", cure=_CURE)
        return [_landmark(entry) for entry in value]

    def _wrong(self, value: object) -> Exception:
        return fault(self._path, expected="landmarks with x and y", got=shown(value), cure=_CURE)


def _own_names(value: object) -> list[tuple[str, object]]:
    """Landmarks that say what they are called."""
    entries = value if isinstance(value, list) else []
    names = [entry.get("name", entry.get("landmark")) if isinstance(entry, dict) else None for entry in entries]
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        return []
    return [(str(name), entry) for name, entry in zip(names, entries, strict=True)]


def _is_landmark(value: object) -> bool:
    if isinstance(value, dict):
        return ("x" in value and "y" in value) or ("X" in value and "Y" in value)
    return isinstance(value, list) and 2 <= len(value) <= 5 and all(isinstance(entry, int | float) for entry in value)


def _is_pose(value: object) -> bool:
    """Whether a value is a list of landmarks, or landmarks by name."""
    entries = list(value.values()) if isinstance(value, dict) else value
    return isinstance(entries, list) and bool(entries) and all(_is_landmark(entry) for entry in entries)


def _landmark(value: object) -> Landmark:
    """x, y and confidence."""
    if isinstance(value, dict):
        low = {str(key).lower(): entry for key, entry in value.items()}
        confidence = next((low[key] for key in _CONFIDENCES if low.get(key) is not None), 1.0)
        return low.get("x"), low.get("y"), confidence
    if isinstance(value, list) and len(value) >= 2:
        return value[0], value[1], value[3] if len(value) > 3 else 1.0
    return None, None, None


def _numbers(path: Path, people: Sequence[Sequence[Landmark]], joints: int) -> NDArray[np.float32]:
    """(N, K, 3) x, y, confidence; NaN for null."""
    try:
        values = np.array(people, np.float64).reshape(len(people), joints, 3)
    except (TypeError, ValueError, OverflowError) as error:
        raise fault(path, expected="numbers for x, y, visibility", got=str(error), cure=_CURE) from error
    return to_float32(values)


def _numbered(entries: Mapping[object, object]) -> list[tuple[int, tuple[object, object]]]:
    """Entries of a dictionary of frames; such as are no frames, because their key has no number, are left out."""
    frames = [(key, value) for key, value in entries.items() if any(letter.isdigit() for letter in str(key))]
    return list(enumerate((_last_digits(str(key)), value) for key, value in frames))


def _last_digits(text: str) -> str:
    head = text.rstrip("0123456789")
    return text[len(head) :]


def _facts(document: Mapping[object, object], *, deep: bool = True) -> dict[str, object]:
    """Entries by bare name; those of the parts that describe the film too."""
    facts: dict[str, object] = {}
    for key, value in document.items():
        name = bare_name(str(key)[:64])
        if (
            deep
            and name in {"metadata", "meta", "video", "videoinfo", "info", "videometadata"}
            and isinstance(value, dict)
        ):
            facts |= _facts(value, deep=False)
        else:
            facts.setdefault(name, value)
    return facts


def _first_number(facts: Mapping[str, object], keys: Sequence[str]) -> float | None:
    for key in keys:
        value = facts.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**31:
            return float(value)
    return None


def _image_size(facts: Mapping[str, object]) -> tuple[int, int] | None:
    for key in ("imagesize", "resolution", "size", "framesize", "videosize"):
        pair = facts.get(key)
        if isinstance(pair, list) and len(pair) == 2:
            sides = [_first_number({"side": side}, ["side"]) for side in pair]
            if sides[0] and sides[1]:
                return int(sides[0]), int(sides[1])
    width = _first_number(facts, ("width", "imagewidth", "framewidth", "videowidth", "w"))
    height = _first_number(facts, ("height", "imageheight", "frameheight", "videoheight", "h"))
    return (int(width), int(height)) if width and height else None


def _recognise(path: Path) -> Recognition | None:
    head = first_bytes(path).lower()
    if head[:1] not in {b"[", b"{"} or b'"image_id"' in head or b'"people"' in head:
        return None
    if b'"visibility"' in head and b'"x"' in head and b'"y"' in head:
        return Recognition(confidence=0.9, reason="landmarks with x, y and 'visibility'")
    if b"landmark" in head:
        return Recognition(confidence=0.7, reason="an entry 'landmarks'")
    return None


FORMAT = KeypointFormat(
    name="mediapipe_json",
    description="MediaPipe's pose landmarks dumped to JSON",
    suffixes=(".json",),
    recognise=_recognise,
    read=_read,
)
"""Landmarks of MediaPipe's Pose and Pose Landmarker; coordinates are fractions of the picture's sides."""
