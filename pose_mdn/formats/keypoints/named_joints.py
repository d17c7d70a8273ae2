"""Which layout a list of joint names is, and where each of its joints stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.keypoints.joint_layouts import best_layout
from pose_mdn.skeletons import Skeleton


@dataclass(frozen=True, kw_only=True)
class BodyLayout:
    """Where the joints of a skeleton stand among the joints of a file.

    Attributes:
        skeleton: The layout that the joints are given in.
        num_joints: How many joints the file has.
        columns: For each joint of the skeleton its place in the file; -1 if the file lacks it.
        confidence: How sure that is; 1 if the file or the user says so.
        source: Who says so: "given", or a sentence.
    """

    skeleton: Skeleton
    num_joints: int
    columns: tuple[int, ...]
    confidence: float = 1.0
    source: str = "given"

    @property
    def is_whole(self) -> bool:
        """Whether the file's joints are the skeleton's, one by one."""
        return self.columns == tuple(range(self.num_joints))

    @classmethod
    def whole(cls, skeleton: Skeleton, *, confidence: float = 1.0, source: str = "given") -> "BodyLayout":
        """The layout of a file whose joints are a skeleton's."""
        count = skeleton.num_joints
        return cls(
            skeleton=skeleton, num_joints=count, columns=tuple(range(count)), confidence=confidence, source=source
        )


def layout_of_names(names: Sequence[str], *, confidence: float = 1.0, source: str = "") -> BodyLayout | None:
    """The layout that suits the joints named; the rest (hands, faces) is left out.

    Args:
        names: One per joint, such as "left_knee", "LKnee" or "l_knee".
        confidence: How sure the names are.
        source: Where they come from, for the sentence; empty if the file names them.

    Returns:
        `None` if the names are not those of a body.
    """
    if not any("ankle" in name.lower() for name in names):
        # Human3.6M says foot and means the ankle.
        names = [name.replace("foot", "ankle") for name in names]
    found = best_layout(names)
    if found is None:
        return None
    kept = sum(column >= 0 for column in found.sources)
    sentence = source or "told from the names of the joints in the file"
    if kept < len(names):
        sentence += f"; {kept} of {len(names)} joints are used, as {found.skeleton.name}"
    return BodyLayout(
        skeleton=found.skeleton,
        num_joints=len(names),
        columns=found.sources,
        confidence=confidence,
        source=sentence,
    )


def stated_layout(path: Path, names: Sequence[object]) -> BodyLayout:
    """The layout of a file that names its joints.

    Raises:
        FormatError: The names are not those of a body.
    """
    texts = [name for name in names if isinstance(name, str)]
    layout = layout_of_names(texts) if len(texts) == len(names) else None
    if layout is None:
        cure = "say which layout it is with skeleton="
        raise fault(path, expected="names of a person's joints", got=shown(list(names)), cure=cure)
    return layout
