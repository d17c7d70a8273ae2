"""What tracking looks at: where the joints of every row are in the picture, and how far away they are.

Letters in shapes: N rows, J joints of the layout, M hypotheses.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.known_body import class_lengths_m
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import HUMAN36M17

Float64Array = NDArray[np.float64]

_NOT_PELVIS = [index for index, parent in enumerate(HUMAN36M17.parent_indices) if parent >= 0]


@dataclass(frozen=True, kw_only=True)
class Depths:
    """How far away people are, as a mixture says it.

    Attributes:
        log_root: (N,) expected logarithm of the pelvis's depth in metres; NaN if not lifted.
        relative_m: (N, M, 16) the other joints' positions along the line of sight, from the pelvis.
        std_m: (N, M, 16) their standard deviations.
        log_mixing: (N, M) logarithms of the mixing coefficients.
        log_bones: (N, 10) logarithms of the bone lengths in metres, by class.
        times: (N,) from how many rows the bone lengths are averaged.
    """

    log_root: Float64Array
    relative_m: Float64Array
    std_m: Float64Array
    log_mixing: Float64Array
    log_bones: Float64Array
    times: Float64Array

    def take(self, rows: NDArray[np.int64]) -> "Depths":
        """Some rows."""
        return Depths(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True, kw_only=True)
class Observations:
    """N rows as tracking sees them.

    Attributes:
        points_px: (N, J, 2) joints; 0 where missing.
        weight: (N, J) confidences; 0 where missing.
        size_px: (N,) diagonal of the box around the joints; 0 if there are none.
        depths: From hypotheses; `None` of keypoints alone.
    """

    points_px: Float64Array
    weight: Float64Array
    size_px: Float64Array
    depths: Depths | None

    def __len__(self) -> int:
        return len(self.points_px)

    def take(self, rows: NDArray[np.int64]) -> "Observations":
        """Some rows."""
        return Observations(
            points_px=self.points_px[rows],
            weight=self.weight[rows],
            size_px=self.size_px[rows],
            depths=None if self.depths is None else self.depths.take(rows),
        )


def observe(sequence: KeypointSequence | HypothesisSequence) -> Observations:
    """Look at keypoints of any layout, or at hypotheses with the keypoints that they were lifted from."""
    points = sequence.keypoints_px.astype(np.float64)
    seen = (sequence.confidence > 0) & np.isfinite(points).all(axis=-1)
    return Observations(
        points_px=np.where(seen[..., None], points, 0.0),
        weight=np.where(seen, sequence.confidence.astype(np.float64), 0.0),
        size_px=box_size_px(points, seen),
        depths=_depths(sequence) if isinstance(sequence, HypothesisSequence) else None,
    )


def box_size_px(points_px: Float64Array, seen: NDArray[np.bool_]) -> Float64Array:
    """(N,) diagonals of the boxes around the (N, J, 2) joints that were seen; 0 if none was."""
    low = np.where(seen[..., None], points_px, np.inf).min(axis=1)
    high = np.where(seen[..., None], points_px, -np.inf).max(axis=1)
    anybody = np.asarray(seen.any(axis=1))[:, None]
    with np.errstate(invalid="ignore"):
        return np.asarray(np.linalg.norm(np.where(anybody, high - low, 0.0), axis=-1))


def _depths(hypotheses: HypothesisSequence) -> Depths:
    mixing = hypotheses.mixing_coefficients.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_root = (mixing * np.log(hypotheses.root_translation_m[..., 2].astype(np.float64))).sum(axis=1)
        log_mixing = np.log(mixing)
        log_bones = np.log(class_lengths_m(hypotheses.means_m[np.arange(len(mixing)), hypotheses.most_probable]))
    forward = hypotheses.view_rotation[:, :, 2].astype(np.float64)
    along = np.einsum("nmjc,nc->nmj", hypotheses.means_m[..., _NOT_PELVIS, :].astype(np.float64), forward)
    return Depths(
        log_root=np.where(hypotheses.lifted, log_root, np.nan),
        relative_m=along,
        std_m=hypotheses.std_m[..., _NOT_PELVIS, 1].astype(np.float64),
        log_mixing=log_mixing,
        log_bones=log_bones,
        times=hypotheses.lifted.astype(np.float64),
    )
