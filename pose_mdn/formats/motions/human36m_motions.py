"""Human3.6M's `data_3d_h36m.npz` as motions."""

from pathlib import Path

import numpy as np

from pose_mdn.formats.motions.human36m_npz import FPS, read_human36m_positions
from pose_mdn.formats.motions.motion_format import MotionFormat, ReadOptions, SourceMotion
from pose_mdn.skeletons import HUMAN36M17


def read_human36m_motions(path: Path, options: ReadOptions | None = None) -> list[SourceMotion]:
    """Every clip of every subject; the action is the clip's name without its number.

    Raises:
        FormatError: The file is not of that kind.
    """
    return [
        SourceMotion(
            trial=clip,
            joint_names=HUMAN36M17.joint_names,
            positions=positions.astype(np.float64),
            fps=(options.fps if options else None) or FPS,
            metres_per_unit=1.0,
            up="z",
            subject=subject,
            action=clip.partition(" ")[0],
        )
        for subject, clips in read_human36m_positions(path).items()
        for clip, positions in clips.items()
    ]


def _matches(path: Path) -> bool:
    return path.suffix.lower() == FORMAT.suffix


FORMAT = MotionFormat(
    name="human36m",
    description="Human3.6M's data_3d_h36m.npz, .npz",
    suffix=".npz",
    matches=_matches,
    read=read_human36m_motions,
)
