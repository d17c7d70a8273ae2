"""What calibrated cameras saw, as arrays in the world: the input of every method of fusion.

Letters in shapes: N fused rows, V views, M hypotheses, J = 17 joints.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pose_mdn.fusion.rows import View
from pose_mdn.geometry.pinhole import MIN_DEPTH_M, pixels_to_slopes
from pose_mdn.reprojection.agreement import person_size_px
from pose_mdn.skeletons import HUMAN36M17

Float64Array = NDArray[np.float64]

_FLIP = list(HUMAN36M17.flip_indices)
_PER_CAMERA = ("rotation", "center")
_PER_HYPOTHESIS = ("means", "across", "along", "log_mixing", "pelvis")
_DOUBT = 2.0
"""An uncertain joint is up to this many times noisier than a certain one, and so again as noisy."""
_SMALLEST_STD_M = 1e-4
_SMALLEST_SIZE = 0.02
"""As a slope: of whom only one or two joints are seen is no smaller than people 90 m away."""


@dataclass(frozen=True, kw_only=True)
class Sightings:
    """V views of each of N people at one time; where a view is absent its numbers are harmless and `present` is false.

    Attributes:
        rotation: (V, 3, 3) from the world to each camera.
        center: (V, 3) where cameras stand.
        present: (N, V) whether the view was lifted.
        slopes: (N, V, J, 2) undistorted observations on the plane z = 1 of each camera.
        seen: (N, V, J) whether there is one.
        noise: (N, V, J) standard deviation of a slope per unit of relative noise: the person's size in the picture,
            and more of it where the detector was in doubt.
        toward: (N, V, 3) line of sight in the world, along which `along` holds.
        means: (N, V, M, J, 3) hypotheses relative to the pelvis, in the axes of the world, metres.
        across: (N, V, M, J) standard deviations across the line of sight, 0 for the pelvis.
        along: (N, V, M, J) standard deviations along it.
        log_mixing: (N, V, M) logarithms of mixing coefficients.
        pelvis: (N, V, M, 3) where each hypothesis puts the pelvis.
        doubt: (N, V) probability that the keypoints are no person, 0 where unknown.
    """

    rotation: Float64Array
    center: Float64Array
    present: NDArray[np.bool_]
    slopes: Float64Array
    seen: NDArray[np.bool_]
    noise: Float64Array
    toward: Float64Array
    means: Float64Array
    across: Float64Array
    along: Float64Array
    log_mixing: Float64Array
    pelvis: Float64Array
    doubt: Float64Array

    def __len__(self) -> int:
        return len(self.present)

    def rows(self, rows: slice | NDArray[np.int64] | NDArray[np.bool_]) -> Self:
        """Some rows."""
        kept = {f.name: getattr(self, f.name) for f in fields(self)}
        return type(self)(**{name: value if name in _PER_CAMERA else value[rows] for name, value in kept.items()})

    def with_sides(self, exchanged: NDArray[np.bool_]) -> Self:
        """The same with left and right of the keypoints exchanged where (N, V) `exchanged` says so."""
        kept = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in ("slopes", "seen", "noise"):
            value = kept[name]
            where = exchanged.reshape(exchanged.shape + (1,) * (value.ndim - 2))
            kept[name] = np.where(where, value[:, :, _FLIP], value)
        return type(self)(**kept)

    @property
    def distance(self) -> Float64Array:
        """(N, V, M) of each hypothesis's pelvis from the camera, along the line of sight; never below 5 cm."""
        along = ((self.pelvis - self.center[:, None]) * self.toward[:, :, None]).sum(axis=-1)
        return np.asarray(np.maximum(along, MIN_DEPTH_M))


def gather(views: Sequence[View], rows: NDArray[np.int64]) -> Sightings:
    """Bring V views into the world; (N, V) `rows` says which row of each view is meant, -1 for none."""
    hypotheses = max(view.hypotheses.num_hypotheses for view in views)
    columns = _absent((len(rows), len(views), hypotheses))
    for number, view in enumerate(views):
        # Whoever is absent stands a metre before the camera, so that nothing is divided by zero.
        columns["toward"][:, number] = view.camera.rotation[2]
        columns["pelvis"][:, number] = view.camera.optical_center + view.camera.rotation[2]
        index = rows[:, number]
        present = index >= 0
        present[present] = view.hypotheses.lifted[index[present]]
        for name, values in _seen_by(view, index[present]).items():
            column = columns[name][:, number]
            if name in _PER_HYPOTHESIS:
                column = column[:, : view.hypotheses.num_hypotheses]
            column[present] = values
    return Sightings(
        rotation=np.stack([view.camera.rotation for view in views]),
        center=np.stack([view.camera.optical_center for view in views]),
        **columns,
    )


def _absent(sizes: tuple[int, int, int]) -> dict[str, NDArray[Any]]:
    """Columns in which nobody was seen: a person of no size."""
    view, joint = sizes[:2], HUMAN36M17.num_joints
    return {
        "present": np.zeros(view, bool),
        "slopes": np.zeros((*view, joint, 2)),
        "seen": np.zeros((*view, joint), bool),
        "noise": np.ones((*view, joint)),
        "toward": np.zeros((*view, 3)),
        "means": np.zeros((*sizes, joint, 3)),
        "across": np.ones((*sizes, joint)),
        "along": np.ones((*sizes, joint)),
        "log_mixing": np.full(sizes, -np.inf),
        "pelvis": np.zeros((*sizes, 3)),
        "doubt": np.zeros(view),
    }


def _seen_by(view: View, index: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Columns of one view at (n,) rows that were lifted."""
    taken, camera = view.hypotheses.take(index), view.camera
    slopes = np.asarray(pixels_to_slopes(camera.undistort_points(taken.keypoints_px), camera.intrinsics))
    seen = np.isfinite(slopes).all(axis=-1) & (taken.confidence > 0)
    doubted = 1.0 + _DOUBT * (1.0 - np.clip(taken.confidence.astype(np.float64), 0.0, 1.0))
    size = np.nan_to_num(person_size_px(slopes, seen), nan=1.0)
    with np.errstate(divide="ignore"):
        log_mixing = np.log(taken.mixing_coefficients.astype(np.float64))
    return {
        "present": np.ones(len(index), bool),
        "slopes": np.where(seen[..., None], slopes, 0.0),
        "seen": seen,
        "noise": np.where(seen, np.maximum(size, _SMALLEST_SIZE)[:, None] * doubted, 1.0),
        "toward": (camera.rotation.T @ taken.view_rotation.astype(np.float64))[..., 2],
        "means": taken.means_m.astype(np.float64) @ camera.rotation,
        "across": np.maximum(taken.std_m[..., 0].astype(np.float64), _SMALLEST_STD_M),
        "along": np.maximum(taken.std_m[..., 1].astype(np.float64), _SMALLEST_STD_M),
        "log_mixing": log_mixing,
        "pelvis": camera.camera_to_world(taken.root_translation_m),
        "doubt": np.nan_to_num(taken.ood_score.astype(np.float64), nan=0.0),
    }
