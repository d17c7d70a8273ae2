"""3D answers: weighted Gaussian hypotheses, as they travel between layers."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.keypoints import FloatArray
from pose_mdn.poses.lens_model import BROWN, LensModel
from pose_mdn.skeletons.mapping import DEFAULT_MAPPING, MappingName

_ROW_FIELDS = (
    "means_m",
    "std_m",
    "view_rotation",
    "mixing_coefficients",
    "root_translation_m",
    "reprojection_error_px",
    "ood_score",
    "root_std_m",
    "status",
    "keypoints_px",
    "confidence",
    "frame",
    "person",
    "intrinsics",
)
"""Fields with one entry per row; the others describe the whole sequence."""

OUT_OF_DISTRIBUTION = 0.5
"""A higher `ood_score` says that the keypoints are more probably not a person as the model knows people."""

SIZE_FROM_PRIOR = "prior"
"""The `size_source` of hypotheses of people of whose size nothing was known."""


def _left_out() -> FloatArray:
    return np.empty(0, np.float32)


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
        distortion: Lens distortion that was undone, OpenCV order; empty if none. `lens_model` says what it means.
        image_size: (width, height) if known.
        fps: Frames per second if known.
        source_skeleton: Name of the layout that the keypoints came in.
        model: Name and version of the lifter, "mdn_lifter/1".
        ood_score: (N,) the model's probability, in [0, 1], that the keypoints are not a person as it knows people:
            nonsense, an animal, joints exchanged, someone upside down. NaN for rows that were not lifted and for models
            that give no score; NaN throughout if left out.
        size_source: Where the people's size comes from: "prior", the model's guess from the bodies that it was trained
            on, or a text that begins with "given: " and says what was known.
        lens_model: What the coefficients of `distortion` mean.
        root_std_m: (N, M, 2) standard deviations of `root_translation_m` across and along the line of sight, from what
            is not known of the focal length and of the people's size. NaN where nothing was stated; NaN throughout if
            left out.
        tracked: Whether a `person` number means the same person in every frame, copied from the input.
        mapping: The rule by which the keypoints became Human3.6M-17.
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
    ood_score: FloatArray = field(default_factory=_left_out)
    size_source: str = SIZE_FROM_PRIOR
    lens_model: LensModel = BROWN
    root_std_m: FloatArray = field(default_factory=_left_out)
    tracked: bool = True
    mapping: MappingName = DEFAULT_MAPPING

    def __post_init__(self) -> None:
        if not self.ood_score.size:
            object.__setattr__(self, "ood_score", np.full(len(self), np.nan, np.float32))
        if not self.root_std_m.size:
            unstated = np.full((*self.mixing_coefficients.shape, 2), np.nan, np.float32)
            object.__setattr__(self, "root_std_m", unstated)

    def __len__(self) -> int:
        return len(self.means_m)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Self:
        """Some rows, by mask, by index or by slice; what describes the whole sequence is unchanged."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _ROW_FIELDS})

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Rows of one sequence after another; what describes whole sequences is the first one's."""
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in _ROW_FIELDS
        }
        return replace(parts[0], **columns)

    @property
    def num_hypotheses(self) -> int:
        """M, the number of mixture components."""
        return int(self.mixing_coefficients.shape[1])

    @property
    def lifted(self) -> NDArray[np.bool_]:
        """(N,) which rows hold hypotheses."""
        return np.char.startswith(self.status, "lifted")

    @property
    def out_of_distribution(self) -> NDArray[np.bool_]:
        """(N,) which rows look like no person as the model knows people; false where no score is known."""
        return np.asarray(self.ood_score > OUT_OF_DISTRIBUTION)

    @property
    def most_probable(self) -> NDArray[np.int64]:
        """(N,) index of the component with the largest mixing coefficient; 0 for rows that were not lifted."""
        top: NDArray[np.int64] = np.nan_to_num(self.mixing_coefficients, nan=0.0).argmax(axis=1)
        return top
