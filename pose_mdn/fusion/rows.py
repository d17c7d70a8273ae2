"""Which rows of which view show one person at one time.

Letters in shapes: V views, N_v rows of a view, N fused rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.hypotheses import HypothesisSequence

_FOCAL_TOLERANCE = 0.02
"""A calibration may be refined a little after lifting; a larger difference is another camera."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What one calibrated camera saw, lifted.

    Attributes:
        name: The camera's.
        hypotheses: In the frame of the camera.
        camera: Where it stands in the world that all views share.
    """

    name: str
    hypotheses: HypothesisSequence
    camera: Camera


@dataclass(frozen=True, kw_only=True)
class MatchedRows:
    """N fused rows, ordered by frame and person.

    Attributes:
        frame: (N,) frame numbers.
        person: (N,) identities.
        index: (N, V) row of each view; -1 where it has none.
    """

    frame: NDArray[np.int64]
    person: NDArray[np.int64]
    index: NDArray[np.int64]


def pair_views(hypotheses: Mapping[str, HypothesisSequence], cameras: Mapping[str, Camera]) -> list[View]:
    """Each view with its camera, by name.

    Raises:
        InputError: There is no view, one has no camera, or was lifted with another one.
    """
    if not hypotheses:
        raise InputError("views: expected hypotheses of at least one camera, got none", field="views")
    for name, sequence in hypotheses.items():
        if name not in cameras:
            known = ", ".join(cameras)
            raise InputError(
                f"views: expected names of cameras ({known}), got {name!r}; name each view after its camera",
                field="views",
            )
        _require_same_camera(name, sequence, cameras[name])
    return [View(name=name, hypotheses=sequence, camera=cameras[name]) for name, sequence in hypotheses.items()]


def match_rows(
    views: Sequence[View],
    *,
    persons: Sequence[NDArray[np.integer]] | None = None,
    offsets: Mapping[str, int] | None = None,
) -> MatchedRows:
    """Match rows by frame and person.

    Args:
        views: V views.
        persons: For each view, (N_v,) which person each row shows, the same number in all views, -1 for nobody; the
            numbers of the views themselves if `None`.
        offsets: Frames to add to a view's frame numbers, by name; 0 for those left out.

    Raises:
        InputError: Lengths differ, a view shows one person twice in a frame, or an offset names no view.
    """
    offsets = offsets or {}
    unknown = set(offsets) - {view.name for view in views}
    if unknown:
        names = ", ".join(view.name for view in views)
        message = f"offsets: expected names of views ({names}), got {min(unknown)!r}"
        raise InputError(message, field="offsets")
    numbers = [view.hypotheses.person for view in views] if persons is None else list(persons)
    _require_lengths(views, numbers)
    keys = [
        np.stack([view.hypotheses.frame + offsets.get(view.name, 0), np.asarray(number, np.int64)], axis=1)
        for view, number in zip(views, numbers, strict=True)
    ]
    wanted = [key[key[:, 1] >= 0] for key in keys]
    together = np.unique(np.concatenate(wanted), axis=0)
    index = np.full((len(together), len(views)), -1, np.int64)
    for number, (view, key) in enumerate(zip(views, keys, strict=True)):
        rows = np.flatnonzero(key[:, 1] >= 0)
        place = _find(together, key[rows])
        _require_once(view.name, together, place)
        index[place, number] = rows
    return MatchedRows(frame=together[:, 0], person=together[:, 1], index=index)


def _find(table: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) where each of (n, 2) keys stands in a sorted table that holds them all."""
    _, inverse = np.unique(np.concatenate([table, keys]), axis=0, return_inverse=True)
    return np.asarray(inverse.reshape(-1)[len(table) :])


def _require_once(name: str, table: NDArray[np.int64], place: NDArray[np.int64]) -> None:
    counts = np.bincount(place, minlength=1)
    if counts.max(initial=0) > 1:
        frame, person = table[counts.argmax()]
        raise InputError(
            f"views: expected each person once in a frame of a view, got person {person} {counts.max()} times in "
            f"frame {frame} of {name!r}; track people first, or match them across views",
            field="views",
        )


def _require_lengths(views: Sequence[View], numbers: Sequence[NDArray[np.integer]]) -> None:
    for view, number in zip(views, numbers, strict=True):
        if np.shape(number) != (len(view.hypotheses),):
            raise InputError(
                f"persons: expected {len(view.hypotheses)} numbers for view {view.name!r}, one for each of its rows, "
                f"got shape {np.shape(number)}",
                field="persons",
            )


def _require_same_camera(name: str, hypotheses: HypothesisSequence, camera: Camera) -> None:
    lifted = hypotheses.intrinsics[hypotheses.lifted]
    if not len(lifted):
        return
    focal = camera.intrinsics[[0, 1], [0, 1]]
    off = np.abs(lifted[:, [0, 1], [0, 1]] / focal - 1.0).max()
    if off > _FOCAL_TOLERANCE:
        raise InputError(
            f"view {name!r}: expected hypotheses lifted with the camera of the calibration, focal length "
            f"{focal[0]:.0f} px, got {lifted[0, 0, 0]:.0f} px ({hypotheses.intrinsics_source}); lift again with "
            f"--camera CALIBRATION:{name}",
            field="views",
        )
