"""What the columns of a CSV of landmarks are called, and which landmark each belongs to."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.joint_spelling import bare_name
from pose_mdn.skeletons import BLAZEPOSE33

X, Y, CONFIDENCE, PRESENCE = "x", "y", "confidence", "presence"

_AXES = {
    "x": X, "y": Y, "z": "z",
    "v": CONFIDENCE, "vis": CONFIDENCE, "visibility": CONFIDENCE, "confidence": CONFIDENCE, "conf": CONFIDENCE,
    "score": CONFIDENCE, "likelihood": CONFIDENCE, "c": CONFIDENCE,
    "presence": PRESENCE, "p": PRESENCE,
}  # fmt: skip
_WORD = "|".join(sorted(_AXES, key=len, reverse=True))
_FORMS = (
    re.compile(rf"(?P<joint>.+?)[ _.\-:]+(?P<axis>{_WORD})", re.IGNORECASE),
    re.compile(rf"(?P<axis>{_WORD})[ _.\-:]*(?P<joint>\d+)", re.IGNORECASE),
    re.compile(rf"(?P<axis>{_WORD})[ _.\-:]+(?P<joint>.+)", re.IGNORECASE),
)
_NUMBERED = re.compile(r"(.*?)(\d{1,4})")
_CURE = "write columns such as frame,landmark,x,y,z,visibility or NOSE_x,NOSE_y,NOSE_visibility"


def axis_of(name: str) -> str | None:
    """Which axis a column called `name` holds, in a table with a row per landmark."""
    return _AXES.get(bare_name(name))


def joint_columns(names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Joint -> axis -> place, of the columns that hold an axis of a joint; joints without x and y are left out."""
    joints: dict[str, dict[str, int]] = {}
    for place, name in enumerate(names):
        match = next((found for form in _FORMS if (found := form.fullmatch(name[:128]))), None)
        if match is not None:
            joints.setdefault(match["joint"], {}).setdefault(_AXES[match["axis"].lower()], place)
    return {joint: axes for joint, axes in joints.items() if X in axes and Y in axes}


def landmark_names(path: Path, labels: Sequence[str]) -> Mapping[str, str]:
    """Label -> name of the landmark; numbers are those of MediaPipe, counted from 0 or from 1.

    Raises:
        FormatError: Numbers are not those of 33 landmarks.
    """
    matches = [_NUMBERED.fullmatch(label) for label in labels]
    if not all(matches):
        return {label: label for label in labels}
    groups: dict[str, dict[str, int]] = {}
    for label, match in zip(labels, matches, strict=True):
        if match is not None:
            groups.setdefault(match[1], {})[label] = int(match[2])
    # Hands and faces are numbered beside the pose.
    group = next((group for prefix, group in groups.items() if "pose" in prefix.lower()), None)
    numbers = group if group is not None else next(iter(groups.values()), {})
    count = BLAZEPOSE33.num_joints
    first = 1 if max(numbers.values(), default=0) == count and 0 not in numbers.values() else 0
    if (len(groups) > 1 and group is None) or not all(0 <= number - first < count for number in numbers.values()):
        raise fault(path, expected="landmarks 0 to 32", got=shown(list(labels)), cure=_CURE)
    return {label: BLAZEPOSE33.joint_names[number - first] for label, number in numbers.items()}
