"""People followed over time, with joints that the file names itself, as a sequence."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.keypoints.identities import NOBODY
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.formats.keypoints.missing import FloatArray, mark_missing, refuse_normalized
from pose_mdn.formats.keypoints.named_joints import BodyLayout, layout_of_own_names
from pose_mdn.poses.keypoints import KeypointSequence


@dataclass(frozen=True, kw_only=True)
class Tracks:
    """T frames of P people with K named joints each.

    Attributes:
        joint_names: What the file calls the joints.
        keypoints_px: (T, P, K, 2) pixels; NaN where missing.
        confidence: (T, P, K), or `None` if the file has none.
        frame: (T,) frame numbers.
        fps: Frames per second, if the file says.
    """

    joint_names: Sequence[str]
    keypoints_px: FloatArray
    confidence: FloatArray | None
    frame: NDArray[np.int64]
    fps: float | None = None


def from_tracks(path: Path, tracks: Tracks, options: ReadOptions) -> KeypointSequence:
    """One row for each frame and each person seen in it; one row of person -1 for a frame of nobody.

    Raises:
        FormatError: Too few of the joints are known by their names, coordinates were divided by the picture's size, or
            confidences are percentages.
    """
    layout = layout_of_own_names(path, tracks.joint_names, options.skeleton)
    times, people, joints = tracks.keypoints_px.shape[:3]
    keypoints = tracks.keypoints_px.reshape(times * people, joints, 2)
    confidence = np.ones(keypoints.shape[:2], np.float32)
    if tracks.confidence is not None:
        confidence = tracks.confidence.reshape(keypoints.shape[:2])
    return from_rows(
        path,
        layout,
        (keypoints, confidence),
        options,
        frame=np.repeat(tracks.frame, people),
        person=np.tile(np.arange(people), times),
        fps=tracks.fps,
    )


def from_rows(
    path: Path,
    layout: BodyLayout,
    named: tuple[FloatArray, FloatArray],
    options: ReadOptions,
    *,
    frame: NDArray[np.int64],
    person: NDArray[np.int64],
    fps: float | None = None,
    tracked: bool = True,
) -> KeypointSequence:
    """Rows that are in order, of which those of nobody are dropped where somebody else is in the frame.

    Args:
        path: The file, for messages.
        layout: Which joint each name means.
        named: (N, K, 2) coordinates in pixels and (N, K) confidences, by name.
        options: What the user says.
        frame: (N,) frame numbers; equal ones stand together.
        person: (N,) numbers of people.
        fps: Frames per second, if the file says.
        tracked: Whether the numbers mean the same people in every frame.
    """
    keypoints_px, confidence = mark_missing(path, arranged(layout, named[0]), arranged(layout, named[1]))
    refuse_normalized(path, keypoints_px)
    seen = (confidence > 0).any(axis=1)
    new_frame = np.diff(frame, prepend=frame[:1] - 1) != 0
    group = np.cumsum(new_frame) - 1
    nobody = np.bincount(group, seen, minlength=group[-1] + 1 if len(group) else 0) == 0
    kept = seen | (nobody[group] & new_frame) if len(group) else seen
    return KeypointSequence(
        keypoints_px=keypoints_px[kept],
        confidence=confidence[kept],
        skeleton=layout.skeleton,
        frame=frame[kept],
        person=np.where(seen, person, NOBODY)[kept],
        image_size=options.image_size,
        fps=options.fps or fps,
        tracked=tracked,
        layout_confidence=layout.confidence,
        layout_source=layout.source,
    )


def arranged(layout: BodyLayout, values: FloatArray) -> FloatArray:
    """(N, K, ...) values by name as (N, J, ...) values by joint; NaN where no name means the joint."""
    if layout.is_whole:
        return values
    missing = np.full((len(values), 1, *values.shape[2:]), np.nan, np.float32)
    return np.concatenate([values, missing], axis=1)[:, list(layout.columns)]
