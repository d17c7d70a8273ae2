"""One pose per row as a recording: a regular time axis, and each person's joints along it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.poses.single import SinglePoses

Floats = NDArray[np.float64]

ASSUMED_FPS = 30.0
"""Where the rate is not known. Files of motions cannot leave it open, and most cameras film at it."""

_SPARSEST = 10
_ALWAYS_ALLOWED_FRAMES = 10_000
"""A time axis may be this much longer than there are rows; numbers of unrelated pictures would make millions of gaps."""


@dataclass(frozen=True, kw_only=True)
class PersonTrack:
    """One person along the time axis of a recording of T frames.

    Attributes:
        person: Identity.
        positions_m: (T, 17, 3) joints of Human3.6M-17, metres, x right, y up, z towards the viewer; NaN in gaps.
        std_m: (T, 17, 3) standard deviations along the same axes; NaN in gaps.
        present: (T,) false in gaps.
    """

    person: int
    positions_m: Floats
    std_m: Floats
    present: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """People over T consecutive frames.

    Attributes:
        first_frame: Number of the first frame.
        num_frames: T.
        fps: Frames per second.
        fps_assumed: Whether `fps` is `ASSUMED_FPS`, because nobody said it.
        tracks: At least one; those who have a pose somewhere, by identity.
        choice: How poses were chosen from the hypotheses.
        model: Name and version of the lifter.
    """

    first_frame: int
    num_frames: int
    fps: float
    fps_assumed: bool
    tracks: tuple[PersonTrack, ...]
    choice: str
    model: str


def to_recording(poses: SinglePoses) -> Recording:
    """Lay poses out along a time axis, turned half around the camera's x axis so that y points up.

    Frames that are missing, and rows without a pose, are gaps. Nothing is interpolated.

    Raises:
        InputError: Nobody has a pose, somebody has two in one frame, or frame numbers are far too scattered for a film.
    """
    if not poses.present.any():
        raise InputError(
            f"poses: expected at least one pose to write, got {len(poses)} rows without any; "
            "look at the status of the rows",
            field="positions_m",
        )
    first, last = int(poses.frame.min()), int(poses.frame.max())
    num_frames = last - first + 1
    if num_frames > _ALWAYS_ALLOWED_FRAMES + _SPARSEST * len(poses):
        raise InputError(
            f"frame: expected the consecutive frames of a film, got {len(poses)} rows over {num_frames} frames; number "
            "the frames anew, or choose a format without a time axis",
            field="frame",
        )
    return Recording(
        first_frame=first,
        num_frames=num_frames,
        fps=_rate(poses.fps),
        fps_assumed=poses.fps is None,
        tracks=tuple(
            _track(poses, int(person), first, num_frames) for person in np.unique(poses.person[poses.present])
        ),
        choice=poses.choice,
        model=poses.model,
    )


def person_paths(path: Path, recording: Recording, suffix: str) -> tuple[Path, ...]:
    """A file for each person: `walk.p0.trc`, `walk.p1.trc`; the path itself if there is only one."""
    if len(recording.tracks) == 1:
        return (path,)
    ending = path.name[-len(suffix) :] if path.name.lower().endswith(suffix) else path.suffix
    name = path.name.removesuffix(ending)
    return tuple(path.with_name(f"{name}.p{track.person}{ending}") for track in recording.tracks)


def _rate(fps: float | None) -> float:
    if fps is None:
        return ASSUMED_FPS
    if not 0 < fps < np.inf:
        raise InputError(f"fps: expected a number above 0, got {fps}; leave it out if it is not known", field="fps")
    return float(fps)


def _track(poses: SinglePoses, person: int, first: int, num_frames: int) -> PersonTrack:
    rows = np.flatnonzero(poses.present & (poses.person == person))
    places = poses.frame[rows] - first
    present = np.zeros(num_frames, bool)
    present[places] = True
    if present.sum() < len(rows):
        frame = int(first + np.flatnonzero(np.bincount(places) > 1)[0])
        raise InputError(
            f"person: expected one pose for each person and frame, got several of person {person} in frame {frame}; "
            "give each person a number of their own",
            field="person",
        )
    positions, std = np.full((2, num_frames, 17, 3), np.nan)
    positions[places] = poses.positions_m[rows].astype(np.float64) * (1.0, -1.0, -1.0)
    std[places] = poses.std_m[rows]
    return PersonTrack(person=person, positions_m=positions, std_m=std, present=present)
