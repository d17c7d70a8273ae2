"""BVH with joints that may move in their parents: every position exact, whatever the lengths of bones do."""

from pathlib import Path

from pose_mdn.formats.results.armature.bvh_text import write_skeletons
from pose_mdn.formats.results.result_format import ResultFormat
from pose_mdn.poses.single import SinglePoses


def write_bvh(path: Path, poses: SinglePoses) -> tuple[Path, ...]:
    """Write each person as a skeleton with six channels for every joint, in centimetres with Y up.

    Position channels are a joint's place in its parent's frame and stand instead of its offset, as Blender
    reads them. In gaps the last pose is held; before the first one, the first.

    Raises:
        InputError: The poses are no film of somebody, or the place cannot be written to.
    """
    return write_skeletons(path, poses, suffix=FORMAT.suffix, rigid=False)


FORMAT = ResultFormat(
    name="bvh",
    description="skeleton animation of Blender and MotionBuilder, .bvh, one pose, every position exact, a file for "
    "each person",
    suffix=".bvh",
    write_poses=write_bvh,
    axes=("x", "-y", "-z"),
    unit="cm",
)
