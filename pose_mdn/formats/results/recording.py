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

_POSSIBLE_FPS = (1e-6, 1e5)
"""From pictures of seasons to films of bullets: times of frames can be told apart in every format."""

_SPARSEST = 10
_ALWAYS_ALLOWED_FRAMES = 10_000
"""A time axis may be this much longer than there are rows; unrelated pictures would make millions of gaps."""


@dataclass(frozen=True, kw_only=True)
class PersonTrack:
    """One person along the time axis of a recording of T frames, with a pose in K of them.

    Attributes:
        person: Identity.
        num_frames: T.
        places: (K,) frames with a pose, counted from the recording's first, in order; the others are gaps.
        positions_m: (K, 17, 3) joints of Human3.6M-17, metres, x right, y up, z towards the viewer.
        std_m: (K, 17, 3) standard deviations along the same axes.
    """

    person: int
    num_frames: int
    places: NDArray[np.int64]
    positions_m: Floats
    std_m: Floats

    @property
    def present(self) -> NDArray[np.bool_]:
        """(T,) false in gaps."""
        present = np.zeros(self.num_frames, bool)
        present[self.places] = True
        return present

    def along_time(self, values: Floats) -> Floats:
        """(T, ...) of values (K, ...) at the poses; NaN in gaps."""
        spread = np.full((self.num_frames, *values.shape[1:]), np.nan)
        spread[self.places] = values
        return spread


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
    low, high = _POSSIBLE_FPS
    if not low <= fps <= high:
        raise InputError(
            f"fps: expected frames per second from {low:g} to {high:g}, got {fps}; leave it out if it is not known",
            field="fps",
        )
    return float(fps)


def _track(poses: SinglePoses, person: int, first: int, num_frames: int) -> PersonTrack:
    rows = np.flatnonzero(poses.present & (poses.person == person))
    rows = rows[np.argsort(poses.frame[rows], kind="stable")]
    places = poses.frame[rows] - first
    repeated = np.flatnonzero(np.diff(places) == 0)
    if len(repeated):
        frame = first + int(places[repeated[0]])
        raise InputError(
            f"person: expected one pose for each person and frame, got several of person {person} in frame {frame}; "
            "give each person a number of their own",
            field="person",
        )
    return PersonTrack(
        person=person,
        num_frames=num_frames,
        places=places,
        positions_m=poses.positions_m[rows].astype(np.float64) * (1.0, -1.0, -1.0),
        std_m=poses.std_m[rows].astype(np.float64),
    )
