"""Poses for one lifter, seen through lenses of one kind."""

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_mdn.inference import Lifter
from pose_mdn.inference.known_camera import KnownCamera
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.poses.lens_model import LensModel
from pose_mdn.skeletons.skeleton import Skeleton
from pose_mdn_server.batching import Columns

_NO_LENS = np.zeros(0)


class LiftLane:
    """Lifts rows `keypoints_px` (N, J, 2), `confidence` (N, J) and `intrinsics` (N, 3, 3), float64.

    Everything else that lifting depends on is the same for all rows and makes the key.

    Args:
        lifter: The model, with its number of hypotheses and its seed.
        skeleton: Layout of the J joints.
        image_size: (width, height) in pixels, if known: joints outside are missing.
        distortion: Valid coefficients; `None` for none.
        lens_model: What they mean.
    """

    def __init__(
        self,
        lifter: Lifter,
        *,
        skeleton: Skeleton,
        image_size: tuple[int, int] | None,
        distortion: NDArray[np.float64] | None,
        lens_model: LensModel,
    ) -> None:
        self.lifter = lifter
        self._skeleton = skeleton
        self._image_size = image_size
        self._distortion = _NO_LENS if distortion is None else distortion
        self._lens_model = lens_model
        # Two loaded bundles are two models, even of one name and version, and the lane keeps its own alive.
        model = (id(lifter.bundle), lifter.num_hypotheses, lifter.seed)
        self._key = (*model, skeleton.name, image_size, self._distortion.tobytes(), lens_model)

    @property
    def key(self) -> Hashable:
        """Equal for lanes whose rows may be merged."""
        return self._key

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.lifter.name

    def run(self, columns: Columns) -> dict[str, NDArray[Any]]:
        """Lift; columns as of `Lifter.lift_columns`."""
        rows = len(columns["intrinsics"])
        numbers = np.arange(rows)
        sequence = KeypointSequence(
            keypoints_px=columns["keypoints_px"],
            confidence=columns["confidence"],
            skeleton=self._skeleton,
            frame=numbers,
            person=numbers,
            image_size=self._image_size,
        )
        camera = KnownCamera(
            intrinsics=columns["intrinsics"], source="", distortion=self._distortion, lens_model=self._lens_model
        )
        return self.lifter.lift_columns(sequence, camera)
