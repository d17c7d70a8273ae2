"""2D keypoints in, weighted 3D hypotheses out, by ONNX Runtime alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pose_mdn.inference.arrays import sequence_from_arrays
from pose_mdn.inference.bundle import Bundle, find_bundle
from pose_mdn.inference.observations import DEFAULT_MIN_CONFIDENCE, Observations, prepare
from pose_mdn.inference.session import open_session
from pose_mdn.inference.signature import OUTPUTS, check_signature, output_shapes
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence
from pose_mdn.poses.status import Status
from pose_mdn.skeletons.human36m import HUMAN36M17
from pose_mdn.skeletons.skeleton import Skeleton

SLICE_ROWS = 512
"""Rows per call of ONNX Runtime: large enough for full speed, small enough to stay in the cache."""

DEFAULT_MODEL = "mdn_lifter"


class Lifter:
    """A loaded model that lifts. Safe to use from several threads.

    Attributes:
        bundle: Where the model came from.
        num_hypotheses: M.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 0) -> None:
        """Load the graph of a bundle; `threads` as in `open_session`."""
        self.bundle = bundle
        self._session = open_session(bundle.graph_path, threads)
        self.num_hypotheses = check_signature(
            f"{self.name}/{self.version}", self._session.get_inputs(), self._session.get_outputs()
        )

    @property
    def name(self) -> str:
        """The model's name, "mdn_lifter"."""
        return self.bundle.name

    @property
    def version(self) -> str:
        """The model's version, "1"."""
        return self.bundle.version

    def __repr__(self) -> str:
        return f"Lifter({self.name}/{self.version}, num_hypotheses={self.num_hypotheses})"

    def lift(
        self,
        sequence: KeypointSequence,
        *,
        min_confidence: float = DEFAULT_MIN_CONFIDENCE,
        on_progress: Callable[[int], None] | None = None,
    ) -> HypothesisSequence:
        """Lift every row that can be lifted; the others keep their place, with NaN and the reason in `status`.

        If the sequence has no intrinsics, a camera is assumed, and `intrinsics_source` of the result says which.

        Args:
            sequence: N observed people in any known layout.
            min_confidence: Joints below this are missing.
            on_progress: Called with the number of rows lifted since the last call.

        Raises:
            InputError: The coordinates are not pixels, or a setting is out of range.
            GeometryError: The camera is impossible.
        """
        observations = prepare(sequence, min_confidence=min_confidence)
        answers, status = self._run(observations, on_progress)
        return HypothesisSequence(
            means_m=answers["means_m"],
            std_m=answers["std_m"],
            view_rotation=answers["view_rotation"],
            mixing_coefficients=answers["mixing_coefficients"],
            root_translation_m=answers["root_translation_m"],
            reprojection_error_px=answers["reprojection_error_px"],
            status=status,
            keypoints_px=observations.keypoints_px,
            confidence=observations.confidence,
            frame=sequence.frame,
            person=sequence.person,
            intrinsics=observations.intrinsics,
            intrinsics_source=observations.intrinsics_source,
            distortion=observations.distortion,
            image_size=sequence.image_size,
            fps=sequence.fps,
            source_skeleton=sequence.skeleton.name,
            model=f"{self.name}/{self.version}",
        )

    def lift_arrays(
        self,
        keypoints_px: ArrayLike,
        confidence: ArrayLike | None = None,
        *,
        skeleton: str | Skeleton = HUMAN36M17.name,
        intrinsics: ArrayLike | None = None,
        distortion: ArrayLike | None = None,
        image_size: tuple[int, int] | None = None,
        min_confidence: float = DEFAULT_MIN_CONFIDENCE,
    ) -> HypothesisSequence:
        """Lift plain arrays of any numeric type.

        Args:
            keypoints_px: (N, J, 2) pixels, NaN where missing; a single pose (J, 2) counts as N = 1.
            confidence: (N, J), or (J,) for a single pose; 1 for every finite joint if left out.
            skeleton: The layout of the J joints, by name or as an object.
            intrinsics: (3, 3), or (N, 3, 3) for one matrix per row; assumed, and said so, if left out.
            distortion: OpenCV coefficients k1 k2 p1 p2 k3 ....
            image_size: (width, height) of the pictures in pixels.
            min_confidence: Joints below this are missing.

        Raises:
            InputError: An array has a wrong shape or type; `field` names it.
            GeometryError: The camera is impossible.
        """
        sequence = sequence_from_arrays(
            keypoints_px,
            confidence,
            skeleton=skeleton,
            intrinsics=intrinsics,
            distortion=distortion,
            image_size=image_size,
        )
        return self.lift(sequence, min_confidence=min_confidence)

    def _run(
        self, observations: Observations, on_progress: Callable[[int], None] | None
    ) -> tuple[dict[str, FloatArray], NDArray[np.str_]]:
        """The graph's outputs for all N rows, NaN where there are none, and the final status of each row."""
        status = observations.status.copy()
        answers = {
            name: np.full((len(status), *shape), np.nan, np.float32)
            for name, shape in output_shapes(self.num_hypotheses).items()
        }
        liftable = observations.liftable
        for start in range(0, len(liftable), SLICE_ROWS):
            rows = liftable[start : start + SLICE_ROWS]
            found = self._session.run(
                list(OUTPUTS),
                {
                    "keypoints_px": observations.ideal_px[rows],
                    "confidence": observations.confidence[rows],
                    "intrinsics": observations.intrinsics[rows].astype(np.float32),
                },
            )
            finite = np.logical_and.reduce([np.isfinite(array).reshape(len(rows), -1).all(axis=1) for array in found])
            for name, array in zip(OUTPUTS, found, strict=True):
                answers[name][rows[finite]] = array[finite]
            status[rows[~finite]] = Status.DEGENERATE.value
            if on_progress is not None:
                on_progress(len(rows))
        return answers, status


def load_lifter(
    model: str | Path = DEFAULT_MODEL, *, threads: int | None = None, repository: Path | None = None
) -> Lifter:
    """Load a lifter.

    Args:
        model: Name of a bundled model, "name/version", or the path of a bundle's folder.
        threads: How many threads one call may use; ONNX Runtime's choice (one per core) if left out.
        repository: Folder of bundles in which to look for names; the one inside the package by default.

    Raises:
        ModelNotFoundError: There is no such model; the message names those that exist.
        BundleError: The model is broken or is no lifter.
    """
    return Lifter(find_bundle(model, repository), threads=threads or 0)
