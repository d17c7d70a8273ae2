"""BVH with bones of fixed lengths, for tools that retarget motions or read nothing else."""

from pathlib import Path

from pose_mdn.formats.results.armature.bvh_text import write_skeletons
from pose_mdn.formats.results.result_format import ResultFormat
from pose_mdn.poses.single import SinglePoses


def write_rigid_bvh(path: Path, poses: SinglePoses) -> tuple[Path, ...]:
    """Write each person as a skeleton whose joints only turn, in centimetres with Y up.

    Bones have their median length; the pelvis is where it was, and the other joints are as near as directions of bones
    allow. In gaps the last pose is held; before the first one, the first.

    Raises:
        InputError: The poses are no film of somebody, or the place cannot be written to.
    """
    return write_skeletons(path, poses, suffix=FORMAT.suffix, rigid=True)


FORMAT = ResultFormat(
    name="bvh_rigid",
    description="skeleton animation with bones of fixed lengths, .rigid.bvh, one pose, a file for each person",
    suffix=".rigid.bvh",
    write_poses=write_rigid_bvh,
    axes=("x", "-y", "-z"),
    unit="cm",
)
