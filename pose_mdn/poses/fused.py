"""Poses that several calibrated cameras saw together, in the world, as they travel between layers."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.keypoints import FloatArray
from pose_mdn.skeletons.human36m import HUMAN36M17

_ROW_FIELDS = (
    "means_m",
    "covariance_m2",
    "root_translation_m",
    "root_covariance_m2",
    "mixing_coefficients",
    "status",
    "view_status",
    "agreement",
    "joint_weight",
    "frame",
    "person",
)

DISBELIEVED = 0.3
"""A keypoint of a smaller weight is a gross error of the detector: over five standard deviations off."""


class FusionStatus(StrEnum):
    """Outcome of one row."""

    FUSED = "fused"
    """Two views or more show the person."""
    SINGLE_VIEW = "single_view"
    """Only one view shows the person, or only one could be used: what it said stands."""
    NO_VIEW = "no_view"
    """No view was lifted; the row holds NaN."""


class ViewStatus(StrEnum):
    """What became of one view of one row."""

    USED = "used"
    SIDES_EXCHANGED = "sides_exchanged"
    """Its left is the others' right: its keypoints were used with sides put right, its hypotheses were not."""
    LEFT_OUT = "left_out"
    """It disagrees with the others."""
    NOT_LIFTED = "not_lifted"
    ABSENT = "absent"


VIEW_STATUS_TEXT = {
    ViewStatus.USED: "used",
    ViewStatus.SIDES_EXCHANGED: "left and right are exchanged; put right",
    ViewStatus.LEFT_OUT: "left out: it shows somebody else, another moment, or is calibrated wrongly",
    ViewStatus.NOT_LIFTED: "could not be lifted",
    ViewStatus.ABSENT: "does not show the person",
}
"""What people are told."""


@dataclass(frozen=True, kw_only=True)
class FusedPoseSequence:
    """A mixture of K Gaussians over the pose of each of N people, in the world, from V views.

    Rows are ordered by frame and person. Rows that no view shows hold NaN; `status` says so.

    Attributes:
        means_m: (N, K, 17, 3) joints relative to the pelvis, in the axes of the world; the largest component first.
        covariance_m2: (N, K, 17, 3, 3) covariance of each of these positions; 0 for the pelvis.
        root_translation_m: (N, K, 3) where the pelvis is in the world.
        root_covariance_m2: (N, K, 3, 3) covariance of that.
        mixing_coefficients: (N, K) probabilities of the components; each row sums to 1.
        status: (N,) values of `FusionStatus`.
        view_status: (N, V) values of `ViewStatus`.
        agreement: (N, V) how well each view's keypoints agree with what the views have in common, 0 to 1; NaN where a
            view has none.
        joint_weight: (N, V, 17) how far each keypoint was believed, 0 to 1; NaN where there is none.
        frame: (N,) frame numbers.
        person: (N,) identities.
        views: V names of cameras.
        fps: Frames per second if known.
        method: How views were fused.
        model: Name and version of the lifter.
    """

    means_m: FloatArray
    covariance_m2: FloatArray
    root_translation_m: FloatArray
    root_covariance_m2: FloatArray
    mixing_coefficients: FloatArray
    status: NDArray[np.str_]
    view_status: NDArray[np.str_]
    agreement: FloatArray
    joint_weight: FloatArray
    frame: NDArray[np.int64]
    person: NDArray[np.int64]
    views: tuple[str, ...]
    fps: float | None
    method: str
    model: str

    def __len__(self) -> int:
        return len(self.means_m)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Self:
        """Some rows; what describes the whole sequence is unchanged."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _ROW_FIELDS})

    @property
    def joints_m(self) -> FloatArray:
        """(N, K, 17, 3) joints in the world."""
        return np.asarray(self.means_m + self.root_translation_m[:, :, None])

    @property
    def num_hypotheses(self) -> int:
        """K, the number of components."""
        return int(self.mixing_coefficients.shape[1])

    @property
    def found(self) -> NDArray[np.bool_]:
        """(N,) which rows hold a pose."""
        return np.asarray(self.status != FusionStatus.NO_VIEW)

    @property
    def used(self) -> NDArray[np.bool_]:
        """(N, V) which views the answer rests on."""
        return np.isin(self.view_status, [ViewStatus.USED.value, ViewStatus.SIDES_EXCHANGED.value])

    @property
    def gross_errors(self) -> NDArray[np.bool_]:
        """(N, V, 17) keypoints of used views that were disbelieved."""
        return np.asarray(self.used[..., None] & (self.joint_weight < DISBELIEVED))

    def reasons(self, row: int) -> tuple[str, ...]:
        """What was wrong with the views of a row, in words; empty if nothing was."""
        found = []
        for view, name in enumerate(self.views):
            status = ViewStatus(str(self.view_status[row, view]))
            if status is not ViewStatus.USED:
                found.append(f"{name}: {VIEW_STATUS_TEXT[status]}")
            joints = [HUMAN36M17.joint_names[joint] for joint in np.flatnonzero(self.gross_errors[row, view])]
            if joints:
                found.append(f"{name}: disbelieved {', '.join(joints)}")
        return tuple(found)
