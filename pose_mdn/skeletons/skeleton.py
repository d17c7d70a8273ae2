"""What a body is: named joints, a tree of parents, and which joint mirrors which."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

_SIDES = (("left_", "right_"), ("l_", "r_"))


@dataclass(frozen=True, kw_only=True)
class Skeleton:
    """A named layout of joints.

    Everything about symmetry is derived from the joint names ("l_knee" mirrors "r_knee"), so that no list of indices is
    ever typed by hand.

    Args:
        name: Registry name, for example "coco17".
        joint_names: One name per joint, in the layout's index order.
        parents: Name of each joint's parent, `None` for roots; same order as `joint_names`.
    """

    name: str
    joint_names: tuple[str, ...]
    parents: tuple[str | None, ...]

    def __post_init__(self) -> None:
        if len(self.parents) != len(self.joint_names):
            raise ValueError(f"skeleton {self.name!r}: {len(self.joint_names)} joints but {len(self.parents)} parents")
        unknown = {parent for parent in self.parents if parent is not None} - set(self.joint_names)
        if unknown or len(set(self.joint_names)) != len(self.joint_names):
            raise ValueError(f"skeleton {self.name!r}: unknown parents {sorted(unknown)} or repeated joint names")

    @classmethod
    def from_tree(cls, name: str, parent_of: Mapping[str, str | None]) -> "Skeleton":
        """Build a skeleton from one `joint: parent` entry per joint, in the layout's index order.

        Args:
            name: Registry name, for example "coco17".
            parent_of: Each joint's parent by name, `None` for roots.
        """
        return cls(name=name, joint_names=tuple(parent_of), parents=tuple(parent_of.values()))

    @property
    def num_joints(self) -> int:
        """J, the number of joints."""
        return len(self.joint_names)

    def index(self, joint_name: str) -> int:
        """Index of a joint by name."""
        return self.joint_names.index(joint_name)

    @cached_property
    def parent_indices(self) -> tuple[int, ...]:
        """Index of each joint's parent, -1 for roots."""
        return tuple(-1 if parent is None else self.index(parent) for parent in self.parents)

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) index pairs, one per joint that has a parent, in joint order."""
        return tuple((parent, child) for child, parent in enumerate(self.parent_indices) if parent >= 0)

    @cached_property
    def flip_indices(self) -> tuple[int, ...]:
        """For each joint the index of its mirror image; joints on the midline map to themselves."""
        return tuple(
            self.index(mirror_name(name)) if mirror_name(name) != name else i for i, name in enumerate(self.joint_names)
        )

    @cached_property
    def left(self) -> tuple[int, ...]:
        """Indices of the joints on the body's left side."""
        return tuple(i for i, name in enumerate(self.joint_names) if name.startswith(("l_", "left_")))

    @cached_property
    def right(self) -> tuple[int, ...]:
        """Indices of the joints on the body's right side, in the order of `left`."""
        return tuple(self.flip_indices[i] for i in self.left)


def mirror_name(joint_name: str) -> str:
    """Name of the joint on the other side of the body; a joint on the midline is its own mirror."""
    for left, right in _SIDES:
        if joint_name.startswith(left):
            return right + joint_name.removeprefix(left)
        if joint_name.startswith(right):
            return left + joint_name.removeprefix(right)
    return joint_name
