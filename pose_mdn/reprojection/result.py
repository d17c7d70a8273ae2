"""What is asked of a check, and what it finds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.reprojection.agreement import Agreement, Float64Array
from pose_mdn.reprojection.diagnosis import AGREES_BELOW, Diagnosis
from pose_mdn.reprojection.projection import Projection


@dataclass(frozen=True, kw_only=True)
class CheckSettings:
    """How strictly to look.

    Attributes:
        level: Probability with which a joint should lie within its uncertainty.
        noise: Standard deviation of keypoints per axis, as part of the diagonal of the box around the person.
        tolerance: Largest RMS error of a hypothesis that passes, and of a row that agrees, as part of the same.
        estimate_root: Solve the pelvis's place anew for this camera, instead of taking the one that was lifted. `None`
            does so only for another camera than that of the hypotheses, since one camera tells directions, but no
            distances.
    """

    level: float = 0.95
    noise: float = 0.012
    tolerance: float = AGREES_BELOW
    estimate_root: bool | None = None

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise InputError(f"level: expected a number between 0 and 1, got {self.level:g}", field="level")
        for name in ("noise", "tolerance"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name}: expected a number above 0, got {getattr(self, name):g}", field=name)


@dataclass(frozen=True, kw_only=True)
class ReprojectionCheck:
    """What a check found, N rows of M hypotheses.

    Attributes:
        settings: What was asked.
        keypoints_px: (N, 17, 2) what was compared with, Human3.6M-17 joints.
        confidence: (N, 17) their weights; 0 where a joint is missing.
        image_size: (width, height) of the picture, if known.
        projection: Where joints appear.
        agreement: Beside where they were seen.
        root_m: (N, M, 3) pelvis that was used, in the camera frame of the hypotheses.
        in_front: (N, M) whether all joints are in front of the camera.
        human_bones: (N, M) whether all bones have lengths that people's have, and mirrored ones are alike.
        human_joints: (N, M) whether no joint bends as nobody's does.
        allowed_of_size: (N, M) the largest RMS error with which a hypothesis passes, as part of the person's size: the
            tolerance, and for another camera than that of the hypotheses also their own uncertainty, seen from there.
        passes: (N, M) the verdict: in front, within what is allowed, a body.
        diagnosis: What is wrong where rows disagree.
    """

    settings: CheckSettings
    keypoints_px: Float64Array
    confidence: Float64Array
    image_size: tuple[int, int] | None
    projection: Projection
    agreement: Agreement
    root_m: Float64Array
    in_front: NDArray[np.bool_]
    human_bones: NDArray[np.bool_]
    human_joints: NDArray[np.bool_]
    allowed_of_size: Float64Array
    passes: NDArray[np.bool_]
    diagnosis: Diagnosis

    def reasons(self, row: int, hypothesis: int) -> tuple[str, ...]:
        """Why a hypothesis does not pass, in words; empty if it passes or was not lifted."""
        rms = self.agreement.rms_of_size[row, hypothesis]
        if np.isnan(rms) and self.in_front[row, hypothesis]:
            return ()
        found = {
            "joints behind the camera": not self.in_front[row, hypothesis],
            f"off by {100 * rms:.0f} % of the person's size": rms > self.allowed_of_size[row, hypothesis],
            "bones of lengths that no person has": not self.human_bones[row, hypothesis],
            "joints bent as nobody's are": not self.human_joints[row, hypothesis],
        }
        return tuple(reason for reason, holds in found.items() if holds)
