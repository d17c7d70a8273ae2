"""From what a motion file holds to Human3.6M-17 joints in metres, Y up, at the wanted frame rate."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.formats.faults import fault
from pose_mdn.formats.motions.frame_rate import resample
from pose_mdn.formats.motions.joint_selection import JointMap, JointSelection, select_joints
from pose_mdn.formats.motions.motion_format import SourceMotion
from pose_mdn.formats.motions.plausibility import body_warnings, valid_frames
from pose_mdn.formats.motions.world_frame import (
    LIKELY_STATURE_M,
    UNITS_M,
    UP_AXES,
    fitting_unit,
    stature,
    turn_to_y_up,
    upright_axis,
)

DEFAULT_FPS = 30.0


@dataclass(frozen=True, kw_only=True)
class ConversionOptions:
    """What the user says about files; the rest is found out.

    Attributes:
        joint_map: Names for joints of Human3.6M-17.
        unit: One of `UNITS_M`; the file's, or by stature, if `None`.
        up: One of `UP_AXES`; the format's, or by how people stand, if `None`.
        fps: Frames per second of the result.
    """

    joint_map: JointMap = field(default_factory=dict)
    unit: str | None = None
    up: str | None = None
    fps: float = DEFAULT_FPS

    def __post_init__(self) -> None:
        if self.unit is not None and self.unit not in UNITS_M:
            raise InputError(f"unit: expected one of {', '.join(UNITS_M)}, got {self.unit!r}", field="unit")
        if self.up is not None and self.up not in UP_AXES:
            raise InputError(f"up: expected one of {', '.join(UP_AXES)}, got {self.up!r}", field="up")
        if not 0 < self.fps < np.inf:
            raise InputError(f"fps: expected a number above 0, got {self.fps}", field="fps")


@dataclass(frozen=True, kw_only=True)
class ImportedMotion:
    """One motion as training wants it.

    Attributes:
        pose_m: (T, 17, 3) joints of Human3.6M-17, metres, Y up, where they were in the room; 0 where not valid.
        valid: (T,) complete frames with bones of possible length.
        fps: Frames per second.
        trial: What the recording is called.
        subject: Who moved, if the file says it.
        action: What they did, if the file says it.
        naming: Which table of joint names was used.
        up: The file's up axis.
        metres_per_unit: The file's unit.
        stature_m: Height of the person by the bones.
        warnings: What is suspicious, a sentence each.
    """

    pose_m: NDArray[np.float32]
    valid: NDArray[np.bool_]
    fps: float
    trial: str
    subject: str | None
    action: str | None
    naming: str
    up: str
    metres_per_unit: float
    stature_m: float
    warnings: tuple[str, ...]


def convert_motion(path: Path, motion: SourceMotion, options: ConversionOptions) -> ImportedMotion:
    """Choose the joints, settle unit and axes, mark invalid frames and change the frame rate.

    Args:
        path: Where the motion came from, for messages.
        motion: What was read.
        options: What the user says.

    Raises:
        FormatError: A joint is not found, no frame is complete, or no unit makes the body a likely one.
    """
    selection = select_joints(path, motion.joint_names, options.joint_map)
    pose = selection.apply(motion.positions)
    notes: list[str] = []
    scale = _metres_per_unit(path, motion, pose, options, notes)
    up = _up_axis(motion, selection, pose, options.up, notes)
    pose_m = turn_to_y_up(pose * scale, up)
    valid = valid_frames(pose_m)
    if not valid.all():
        notes.append(f"{int((~valid).sum())} of {len(valid)} frames are incomplete or have impossible bones")
    stature_m = stature(pose_m[valid])
    notes += body_warnings(pose_m[valid], stature_m)
    pose_m, valid, fps = resample(pose_m, valid, motion.fps, options.fps)
    return ImportedMotion(
        pose_m=np.where(valid[:, None, None], pose_m, 0.0).astype(np.float32),
        valid=valid,
        fps=fps,
        trial=motion.trial,
        subject=motion.subject,
        action=motion.action,
        naming=selection.naming,
        up=up,
        metres_per_unit=scale,
        stature_m=stature_m,
        warnings=tuple(notes),
    )


def _metres_per_unit(
    path: Path, motion: SourceMotion, pose: NDArray[np.float64], options: ConversionOptions, notes: list[str]
) -> float:
    if options.unit is not None:
        return UNITS_M[options.unit]
    height = stature(pose)
    if not np.isfinite(height):
        cure = "check the recording for joints or markers that were never seen"
        raise fault(path, expected="at least one frame with all joints", got="none", cure=cure)
    fitting = fitting_unit(height)
    low, high = LIKELY_STATURE_M
    said = motion.metres_per_unit
    if said is not None and (fitting is None or low <= height * said <= high):
        return said
    if fitting is None:
        raise fault(
            path,
            expected=f"a body of {low} to {high} m in one of {', '.join(UNITS_M)}",
            got=f"a stature of {height:.4g} units",
            cure="name the unit with --unit",
        )
    if said is not None:
        notes.append(
            f"the file's unit makes the stature {height * said:.3g} m, so {fitting} is taken (--unit settles it)"
        )
    return UNITS_M[fitting]


def _up_axis(
    motion: SourceMotion, selection: JointSelection, pose: NDArray[np.float64], up: str | None, notes: list[str]
) -> str:
    if up is not None:
        return up
    if motion.up is not None:
        return motion.up
    rest = None if motion.rest_positions is None else upright_axis(selection.apply(motion.rest_positions)[None])
    seen = upright_axis(pose)
    usual = rest or motion.usual_up
    if seen is None:
        if rest is None:
            notes.append(f"nobody stands in it, so {usual} is taken to be up (--up settles it)")
        return usual
    if rest is not None and rest != seen:
        notes.append(
            f"people stand along {seen}, the rest pose along {rest}; {seen} is taken to be up (--up settles it)"
        )
    return seen
