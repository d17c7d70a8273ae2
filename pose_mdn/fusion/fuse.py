"""Several views in, one sequence of poses in the world out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pose_mdn.fusion.consensus import Consensus, find_consensus
from pose_mdn.fusion.consistency import fuse_consistent
from pose_mdn.fusion.noise import estimate_noise
from pose_mdn.fusion.posterior import Posterior, fuse_posterior
from pose_mdn.fusion.rows import match_rows, pair_views
from pose_mdn.fusion.settings import TEMPERING, FusionSettings, Tempering
from pose_mdn.fusion.sightings import Sightings, gather
from pose_mdn.fusion.triangulation import triangulate
from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.fused import FusedPoseSequence, FusionStatus, ViewStatus
from pose_mdn.poses.hypotheses import HypothesisSequence

_ROWS_AT_ONCE = 64
"""Arrays of this many rows stay in a core's cache."""
_ROWS_FOR_NOISE = 256


def fuse_views(
    hypotheses: Mapping[str, HypothesisSequence],
    cameras: Mapping[str, Camera],
    *,
    settings: FusionSettings | None = None,
    persons: Sequence[NDArray[np.integer]] | None = None,
    offsets: Mapping[str, int] | None = None,
    tempering: Tempering = TEMPERING,
    on_progress: Callable[[int], None] | None = None,
) -> FusedPoseSequence:
    """Fuse what calibrated cameras saw of the same people.

    Args:
        hypotheses: Each view's, lifted with its camera, by the camera's name. One to any number of views.
        cameras: Cameras of one world, by name; others than those of the views may be among them.
        settings: How to fuse.
        persons: For each view, in the order of `hypotheses`, which person each of its rows shows, the same number in
            all views and -1 for nobody; the views' own numbers if `None`.
        offsets: Frames to add to a view's frame numbers, for cameras that did not start together.
        tempering: Fitted numbers; to be left alone.
        on_progress: Called after every slice with the number of rows in it.

    Returns:
        One row for each person and frame that any view has, ordered by frame and person.

    Raises:
        InputError: A view has no camera or was lifted with another one, or rows cannot be told apart.
    """
    settings = settings or FusionSettings()
    views = pair_views(hypotheses, cameras)
    matched = match_rows(views, persons=persons, offsets=offsets)
    if settings.noise is None:
        settings = replace(settings, noise=estimate_noise(gather(views, _sample(matched.index))))
    columns: list[dict[str, NDArray[np.generic]]] = []
    for index in _slices(matched.index):
        columns.append(_fuse_slice(gather(views, index), index, settings, tempering))
        if on_progress is not None:
            on_progress(len(index))
    joined = {name: np.concatenate([part[name] for part in columns]) for name in columns[0]}
    return FusedPoseSequence(
        **joined,
        frame=matched.frame,
        person=matched.person,
        views=tuple(view.name for view in views),
        fps=next((view.hypotheses.fps for view in views if view.hypotheses.fps), None),
        method=settings.method,
        model=views[0].hypotheses.model,
    )


def _slices(index: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """At least one, if only of no rows."""
    for start in range(0, max(len(index), 1), _ROWS_AT_ONCE):
        yield index[start : start + _ROWS_AT_ONCE]


def _sample(index: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows, spread evenly, of which at most `_ROWS_FOR_NOISE` have two views or more."""
    several = index[(index >= 0).sum(axis=1) > 1]
    return np.asarray(several[:: max(1, -(-len(several) // _ROWS_FOR_NOISE))])


def _fuse_slice(
    seen: Sightings, index: NDArray[np.int64], settings: FusionSettings, tempering: Tempering
) -> dict[str, NDArray[np.generic]]:
    """The columns of some rows."""
    assert settings.noise is not None, "it is estimated before"
    rows = len(seen)
    found = np.asarray(seen.present.any(axis=1))
    consensus = find_consensus(seen, settings.noise, reject=settings.reject)
    part = seen.rows(found)
    fused = _fuse(part, consensus.rows(found), settings, tempering)
    there = seen.with_sides(consensus.exchanged).seen
    joint_weight = np.full(there.shape, np.nan)
    joint_weight[found] = fused.weights.agreement
    columns: dict[str, NDArray[np.generic]] = {
        "means_m": fused.means,
        "covariance_m2": fused.covariance,
        "root_translation_m": fused.pelvis,
        "root_covariance_m2": fused.pelvis_covariance,
        "mixing_coefficients": fused.mixing,
    }
    spread: dict[str, NDArray[np.generic]] = {}
    for name, values in columns.items():
        spread[name] = np.full((rows, *values.shape[1:]), np.nan, np.float32)
        spread[name][found] = values
    return {
        **spread,
        "agreement": np.where(seen.present, consensus.agreement, np.nan).astype(np.float32),
        "joint_weight": np.where(there, joint_weight, np.nan).astype(np.float32),
        "status": _status(consensus),
        "view_status": _view_status(seen, index, consensus),
    }


def _fuse(seen: Sightings, consensus: Consensus, settings: FusionSettings, tempering: Tempering) -> Posterior:
    assert settings.noise is not None, "it is estimated before"
    if settings.method == "triangulation":
        return triangulate(seen, consensus, noise=settings.noise, tempering=tempering)
    if settings.method == "consistency":
        return fuse_consistent(seen, consensus, noise=settings.noise, tempering=tempering)
    return fuse_posterior(seen, consensus, noise=settings.noise, most=settings.num_hypotheses, tempering=tempering)


def _status(consensus: Consensus) -> NDArray[np.str_]:
    several = np.where(consensus.used.sum(axis=1) > 1, FusionStatus.FUSED.value, FusionStatus.SINGLE_VIEW.value)
    return np.where(consensus.used.any(axis=1), several, FusionStatus.NO_VIEW.value)


def _view_status(seen: Sightings, index: NDArray[np.int64], consensus: Consensus) -> NDArray[np.str_]:
    used = np.where(consensus.exchanged, ViewStatus.SIDES_EXCHANGED.value, ViewStatus.USED.value)
    lifted = np.where(consensus.used, used, ViewStatus.LEFT_OUT.value)
    there = np.where(index >= 0, ViewStatus.NOT_LIFTED.value, ViewStatus.ABSENT.value)
    return np.where(seen.present, lifted, there)
