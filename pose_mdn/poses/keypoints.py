"""2D observations of people, as they travel between layers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.poses.lens_model import BROWN, LENS_MODELS, LensModel
from pose_mdn.skeletons.mapping import DEFAULT_MAPPING, MAPPINGS, MappingName
from pose_mdn.skeletons.skeleton import Skeleton

FloatArray = NDArray[np.float32]


_ROW_FIELDS = ("keypoints_px", "confidence", "frame", "person")
"""Fields with one entry per row, beside intrinsics, which may have."""


@dataclass(frozen=True, kw_only=True)
class KeypointSequence:
    """N observed people, one row each, in file order.

    Attributes:
        keypoints_px: (N, J, 2) pixels in the image as given (distorted, if the lens distorts); NaN where missing.
        confidence: (N, J) in [0, 1]; 0 means missing.
        skeleton: The layout of the J joints.
        frame: (N,) frame number of each row.
        person: (N,) identity within the file; -1 for a frame in which nobody was seen.
        image_size: (width, height) in pixels, if known.
        fps: Frames per second, if known.
        intrinsics: (3, 3) or (N, 3, 3) pinhole matrix, if known.
        distortion: OpenCV coefficients k1 k2 p1 p2 k3 ..., or k1 k2 k3 k4 of a fisheye, if known.
        lens_model: What the coefficients mean.
        tracked: Whether a `person` number means the same person in every frame; otherwise people are only counted
            within each frame, in the order of the file.
        layout_confidence: How sure it is that `skeleton` is the layout of these joints: 1 if the file or the user says
            so, less if it was told from the joints.
        mapping: The rule by which these joints become Human3.6M-17.
        layout_source: Where the layout comes from: "given", or a sentence that also says which joints were left out.
    """

    keypoints_px: FloatArray
    confidence: FloatArray
    skeleton: Skeleton
    frame: NDArray[np.int64]
    person: NDArray[np.int64]
    image_size: tuple[int, int] | None = None
    fps: float | None = None
    intrinsics: NDArray[np.float64] | None = None
    distortion: NDArray[np.float64] | None = None
    lens_model: LensModel = BROWN
    tracked: bool = True
    layout_confidence: float = 1.0
    mapping: MappingName = DEFAULT_MAPPING
    layout_source: str = "given"

    def __post_init__(self) -> None:
        n, joints = len(self.keypoints_px), self.skeleton.num_joints
        _require_shape("keypoints", self.keypoints_px, (n, joints, 2), self.skeleton.name)
        _require_shape("confidence", self.confidence, (n, joints), self.skeleton.name)
        _require_shape("frame", self.frame, (n,), self.skeleton.name)
        _require_shape("person", self.person, (n,), self.skeleton.name)
        if self.lens_model not in LENS_MODELS:
            message = f"lens_model: expected one of {', '.join(LENS_MODELS)}, got {self.lens_model!r}"
            raise InputError(message, field="lens_model")
        if self.mapping not in MAPPINGS:
            message = f"mapping: expected one of {', '.join(MAPPINGS)}, got {self.mapping!r}"
            raise InputError(message, field="mapping")
        if self.intrinsics is not None and self.intrinsics.shape not in {(3, 3), (n, 3, 3)}:
            raise InputError(
                f"intrinsics: expected shape (3, 3) or ({n}, 3, 3), one matrix for all rows or one each, "
                f"got {self.intrinsics.shape}",
                field="intrinsics",
            )

    def __len__(self) -> int:
        return len(self.keypoints_px)

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Parts of one recording as one, in the order given; what describes the whole is the first part's."""
        if len(parts) == 1:
            return parts[0]
        matrices = parts[0].intrinsics
        if matrices is not None and matrices.ndim == 3:
            matrices = np.concatenate([part.intrinsics for part in parts if part.intrinsics is not None])
        return replace(
            parts[0],
            keypoints_px=np.concatenate([part.keypoints_px for part in parts]),
            confidence=np.concatenate([part.confidence for part in parts]),
            frame=np.concatenate([part.frame for part in parts]),
            person=np.concatenate([part.person for part in parts]),
            intrinsics=matrices,
        )

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Self:
        """Some rows, by mask, by index or by slice; what describes the whole sequence is unchanged."""
        matrices = self.intrinsics
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in _ROW_FIELDS},
            intrinsics=matrices[rows] if matrices is not None and matrices.ndim == 3 else matrices,
        )


def _require_shape(name: str, array: NDArray[np.generic], shape: tuple[int, ...], skeleton: str) -> None:
    if array.shape != shape:
        raise InputError(f"{name}: expected shape {shape} for skeleton {skeleton!r}, got {array.shape}", field=name)
