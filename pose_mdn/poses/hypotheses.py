"""3D answers: weighted Gaussian hypotheses, as they travel between layers."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.keypoints import FloatArray

_ROW_FIELDS = (
    "means_m",
    "std_m",
    "view_rotation",
    "mixing_coefficients",
    "root_translation_m",
    "reprojection_error_px",
    "status",
    "keypoints_px",
    "confidence",
    "frame",
    "person",
    "intrinsics",
)
"""Fields with one entry per row; the others describe the whole sequence."""


@dataclass(frozen=True, kw_only=True)
class HypothesisSequence:
    """M weighted 3D hypotheses for each of N observed people, in the order of the input.

    Positions are root-relative (pelvis at the origin), in the camera frame (x right, y down, z forward), in metres.
    Rows that could not be lifted hold NaN; `status` says why.

    Attributes:
        means_m: (N, M, 17, 3) component means.
        std_m: (N, M, 17, 2) standard deviations across (both directions) and along the line of sight; 0 for the pelvis.
        view_rotation: (N, 3, 3) rotation from the line-of-sight frame, in which the covariances are diagonal, to the
            camera.
        mixing_coefficients: (N, M) probabilities of the components; each row sums to 1.
        root_translation_m: (N, M, 3) pelvis position in the camera frame.
        reprojection_error_px: (N, M) confidence-weighted RMS distance to the observed joints.
        status: (N,) values of `Status`.
        keypoints_px: (N, 17, 2) what was lifted, in the Human3.6M-17 layout, pixels of the image as given; NaN if
            missing.
        confidence: (N, 17) the confidences that were used; 0 means missing.
        frame: (N,) frame numbers, copied from the input.
        person: (N,) identities, copied from the input.
        intrinsics: (N, 3, 3) pinhole matrices that were used.
        intrinsics_source: Where they came from: "given", or a sentence that states the assumption made.
        distortion: Lens distortion that was undone, OpenCV order; empty if none.
        image_size: (width, height) if known.
        fps: Frames per second if known.
        source_skeleton: Name of the layout that the keypoints came in.
        model: Name and version of the lifter, "mdn_lifter/1".
    """

    means_m: FloatArray
    std_m: FloatArray
    view_rotation: FloatArray
    mixing_coefficients: FloatArray
    root_translation_m: FloatArray
    reprojection_error_px: FloatArray
    status: NDArray[np.str_]
    keypoints_px: FloatArray
    confidence: FloatArray
    frame: NDArray[np.int64]
    person: NDArray[np.int64]
    intrinsics: NDArray[np.float64]
    intrinsics_source: str
    distortion: NDArray[np.float64]
    image_size: tuple[int, int] | None
    fps: float | None
    source_skeleton: str
    model: str

    def __len__(self) -> int:
        return len(self.means_m)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Self:
        """Some rows, by mask, by index or by slice; what describes the whole sequence is unchanged."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _ROW_FIELDS})

    @property
    def num_hypotheses(self) -> int:
        """M, the number of mixture components."""
        return int(self.mixing_coefficients.shape[1])

    @property
    def lifted(self) -> NDArray[np.bool_]:
        """(N,) which rows hold hypotheses."""
        return np.char.startswith(self.status, "lifted")

    @property
    def most_probable(self) -> NDArray[np.int64]:
        """(N,) index of the component with the largest mixing coefficient; 0 for rows that were not lifted."""
        top: NDArray[np.int64] = np.nan_to_num(self.mixing_coefficients, nan=0.0).argmax(axis=1)
        return top
