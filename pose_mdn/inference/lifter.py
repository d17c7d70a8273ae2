"""2D keypoints in, weighted 3D hypotheses out, by ONNX Runtime alone."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import ArrayLike, NDArray

from pose_mdn.errors import BundleError, InputError
from pose_mdn.geometry.body import KnownBodies, KnownBody
from pose_mdn.inference.arrays import sequence_from_arrays
from pose_mdn.inference.bundle import Bundle, find_bundle
from pose_mdn.inference.known_body import with_known_body
from pose_mdn.inference.known_camera import KnownCamera, resolve_camera
from pose_mdn.inference.observations import DEFAULT_MIN_CONFIDENCE, STATUS_DTYPE, prepare
from pose_mdn.inference.session import open_part
from pose_mdn.inference.signature import NOISE, OPTIONAL_OUTPUTS, Signature, check_signature, output_shapes
from pose_mdn.poses.confidences import refuse_percentages
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence
from pose_mdn.poses.lens_model import BROWN, LensModel
from pose_mdn.poses.status import Status
from pose_mdn.skeletons.human36m import HUMAN36M17
from pose_mdn.skeletons.skeleton import Skeleton

SLICE_ROWS = 512
"""Rows per call of ONNX Runtime: large enough for full speed, small enough to stay in the cache. Rows are prepared in
such slices, too, which doubles the speed of preparing."""

DEFAULT_MODEL = "mdn_lifter"

DEFAULT_SEED = 0
"""Of the noise of lifters that sample."""


class Lifter:
    """A loaded model that lifts. Safe to use from several threads.

    Attributes:
        bundle: Where the model came from.
        num_hypotheses: M.
        latent_dim: Z of lifters that sample; `None` for others.
        seed: Of the noise of lifters that sample; 0 for others.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        threads: int = 0,
        num_hypotheses: int | None = None,
        seed: int = DEFAULT_SEED,
        session: onnxruntime.InferenceSession | None = None,
    ) -> None:
        """Load the graph of a bundle; arguments as of `load_lifter`, `threads` as of `open_session`.

        `session` is for those who have opened the bundle's graph already.
        """
        if bundle.kind != "lifter":
            raise BundleError(f"{bundle.name}: expected a model that lifts, got one of kind {bundle.kind!r}")
        self.bundle = bundle
        self._session = open_part(bundle, threads=threads) if session is None else session
        signature = check_signature(
            f"{self.name}/{self.version}", self._session.get_inputs(), self._session.get_outputs()
        )
        self._signature = signature
        self._outputs = signature.outputs
        self.latent_dim = signature.latent_dim
        self._noise: FloatArray | None = None
        self._draw(num_hypotheses, seed)

    @property
    def name(self) -> str:
        """The model's name, "mdn_lifter"."""
        return self.bundle.name

    @property
    def version(self) -> str:
        """The model's version, "1"."""
        return self.bundle.version

    @property
    def gives_ood_score(self) -> bool:
        """Whether the model judges if keypoints are a person; otherwise `ood_score` of its answers is NaN."""
        return "ood_score" in self._outputs

    def __repr__(self) -> str:
        return f"Lifter({self.name}/{self.version}, num_hypotheses={self.num_hypotheses})"

    def sampling(self, *, num_hypotheses: int | None = None, seed: int = DEFAULT_SEED) -> "Lifter":
        """The same model with that many samples of that seed; it is not loaded again.

        Raises:
            InputError: The model does not sample and gives another number of hypotheses.
        """
        other = copy(self)
        other._draw(num_hypotheses, seed)
        return other

    def _draw(self, num_hypotheses: int | None, seed: int) -> None:
        self.num_hypotheses = _choose_num_hypotheses(self.bundle, self._signature, num_hypotheses)
        self._noise = None
        self.seed = 0
        if self.latent_dim is not None:
            self.seed = seed
            # The same for every row: rows answer alike wherever they stand, and videos do not flicker.
            self._noise = draw_noise(self.num_hypotheses, self.latent_dim, seed)

    def lift(
        self,
        sequence: KeypointSequence,
        *,
        min_confidence: float = DEFAULT_MIN_CONFIDENCE,
        body: KnownBody | KnownBodies | None = None,
        on_progress: Callable[[int], None] | None = None,
        executor: Executor | None = None,
    ) -> HypothesisSequence:
        """Lift every row that can be lifted; the others keep their place, with NaN and the reason in `status`.

        If the sequence has no intrinsics, a camera is assumed, and `intrinsics_source` of the result says which.

        Args:
            sequence: N observed people in any known layout.
            min_confidence: Joints below this are missing.
            body: The size of everybody, or of each person, if it is known; see `with_known_body`.
            on_progress: Called after every slice with the number of rows in it.
            executor: Threads that lift several slices at a time, with the same result.

        Raises:
            InputError: The coordinates are not pixels, the confidences are percentages, or a setting is out of range.
            GeometryError: The camera is impossible.
        """
        check_min_confidence(min_confidence)
        refuse_percentages(sequence.confidence)
        camera = resolve_camera(sequence, min_confidence)
        columns = self.lift_columns(
            sequence, camera, min_confidence=min_confidence, on_progress=on_progress, executor=executor
        )
        hypotheses = self.assemble(sequence, camera, columns)
        return hypotheses if body is None else with_known_body(hypotheses, body)

    def assemble(
        self, sequence: KeypointSequence, camera: KnownCamera, columns: Mapping[str, NDArray[Any]]
    ) -> HypothesisSequence:
        """The answer to a sequence, of the camera that was used and the columns that `lift_columns` gave."""
        return HypothesisSequence(
            means_m=columns["means_m"],
            std_m=columns["std_m"],
            view_rotation=columns["view_rotation"],
            mixing_coefficients=columns["mixing_coefficients"],
            root_translation_m=columns["root_translation_m"],
            reprojection_error_px=columns["reprojection_error_px"],
            status=columns["status"],
            keypoints_px=columns["keypoints_px"],
            confidence=columns["confidence"],
            frame=sequence.frame,
            person=sequence.person,
            intrinsics=camera.intrinsics,
            intrinsics_source=camera.source,
            distortion=camera.distortion,
            image_size=sequence.image_size,
            fps=sequence.fps,
            source_skeleton=sequence.skeleton.name,
            model=f"{self.name}/{self.version}",
            ood_score=columns["ood_score"],
            lens_model=camera.lens_model,
            tracked=sequence.tracked,
            mapping=sequence.mapping,
        )

    def lift_columns(
        self,
        sequence: KeypointSequence,
        camera: KnownCamera,
        *,
        min_confidence: float = DEFAULT_MIN_CONFIDENCE,
        on_progress: Callable[[int], None] | None = None,
        executor: Executor | None = None,
    ) -> dict[str, NDArray[Any]]:
        """What `lift` finds by a camera that is known, as bare columns.

        No row depends on another, so rows of many callers may go through this together.

        Args:
            sequence: N observed people; its own camera is not looked at.
            camera: With a matrix for each of the N rows.
            min_confidence: Joints below this are missing.
            on_progress: Called after every slice with the number of rows in it, in order, by the calling thread.
            executor: Threads that lift several slices at a time, with the same result.

        Returns:
            Columns of N rows: the outputs of `signature`, `keypoints_px`, `confidence` and `status`, named as in
            `HypothesisSequence`.
        """
        columns = self.empty_columns(len(sequence))

        def lift_slice(start: int) -> int:
            rows = slice(start, start + SLICE_ROWS)
            self.lift_slice(
                sequence.take(rows) if len(sequence) > SLICE_ROWS else sequence,
                camera.take(rows),
                {name: column[rows] for name, column in columns.items()},
                min_confidence=min_confidence,
            )
            return len(camera.intrinsics[rows])

        starts = range(0, len(sequence), SLICE_ROWS)
        for done in map(lift_slice, starts) if executor is None else executor.map(lift_slice, starts):
            if on_progress is not None:
                on_progress(done)
        return columns

    def lift_arrays(
        self,
        keypoints_px: ArrayLike,
        confidence: ArrayLike | None = None,
        *,
        skeleton: str | Skeleton = HUMAN36M17.name,
        intrinsics: ArrayLike | None = None,
        distortion: ArrayLike | None = None,
        lens_model: LensModel = BROWN,
        image_size: tuple[int, int] | None = None,
        min_confidence: float = DEFAULT_MIN_CONFIDENCE,
        body: KnownBody | None = None,
    ) -> HypothesisSequence:
        """Lift plain arrays of any numeric type.

        Args:
            keypoints_px: (N, J, 2) pixels, NaN where missing; a single pose (J, 2) counts as N = 1.
            confidence: (N, J), or (J,) for a single pose; 1 for every finite joint if left out.
            skeleton: The layout of the J joints, by name or as an object.
            intrinsics: (3, 3), or (N, 3, 3) for one matrix per row; assumed, and said so, if left out.
            distortion: OpenCV coefficients k1 k2 p1 p2 k3 ..., or k1 k2 k3 k4 of a fisheye.
            lens_model: "brown" or "fisheye": what the coefficients mean.
            image_size: (width, height) of the pictures in pixels.
            min_confidence: Joints below this are missing.
            body: The size of these people, if it is known.

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
            lens_model=lens_model,
            image_size=image_size,
        )
        return self.lift(sequence, min_confidence=min_confidence, body=body)

    def empty_columns(self, rows: int) -> dict[str, NDArray[Any]]:
        """Arrays for what is found for that many rows, by the names of `HypothesisSequence`; not yet filled."""
        outputs = output_shapes(self.num_hypotheses)
        return {
            **{name: np.empty((rows, *shape), np.float32) for name, shape in outputs.items()},
            "keypoints_px": np.empty((rows, HUMAN36M17.num_joints, 2), np.float32),
            "confidence": np.empty((rows, HUMAN36M17.num_joints), np.float32),
            "status": np.empty(rows, STATUS_DTYPE),
        }

    def lift_slice(
        self,
        sequence: KeypointSequence,
        camera: KnownCamera,
        columns: Mapping[str, NDArray[Any]],
        *,
        min_confidence: float = DEFAULT_MIN_CONFIDENCE,
    ) -> None:
        """Lift all rows in one call of ONNX Runtime; best are `SLICE_ROWS`.

        Args:
            sequence: N observed people; its own camera is not looked at.
            camera: With a matrix for each of the N rows.
            columns: As of `empty_columns`, or N neighbouring rows of it; every number in them is overwritten.
            min_confidence: Joints below this are missing.
        """
        part = prepare(
            sequence,
            camera.intrinsics,
            camera.distortion,
            lens_model=camera.lens_model,
            min_confidence=min_confidence,
        )
        for name in ("keypoints_px", "confidence", "status"):
            columns[name][:] = getattr(part, name)
        for name in set(OPTIONAL_OUTPUTS) - set(self._outputs):
            columns[name][:] = np.nan
        rows = part.liftable
        complete = rows.size == len(sequence)
        if not complete:
            _forget(columns, self._outputs, np.delete(np.arange(len(sequence)), rows))
        if not rows.size:
            return
        # Selecting copies, and most slices are complete.
        chosen = slice(None) if complete else rows
        feed = {
            "keypoints_px": part.ideal_px[chosen],
            "confidence": part.confidence[chosen],
            "intrinsics": camera.intrinsics[chosen].astype(np.float32),
        }
        if self._noise is not None:
            feed[NOISE] = np.ascontiguousarray(np.broadcast_to(self._noise, (rows.size, *self._noise.shape)))
        if complete:
            found = self._run_into(feed, columns)
        else:
            found = self._session.run(list(self._outputs), feed)
            for name, array in zip(self._outputs, found, strict=True):
                columns[name][chosen] = array
        before_camera = (columns["root_translation_m"][rows, :, 2] > 0).all(axis=1)
        broken = rows[~(_finite_rows(found) & before_camera)]
        columns["status"][broken] = Status.DEGENERATE.value
        _forget(columns, self._outputs, broken)

    def _run_into(self, feed: Mapping[str, FloatArray], columns: Mapping[str, FloatArray]) -> list[FloatArray]:
        """Run the graph, with its outputs going straight to where they belong instead of being copied there."""
        found = [columns[name] for name in self._outputs]
        binding = self._session.io_binding()
        for name, array in feed.items():
            binding.bind_cpu_input(name, array)
        for name, array in zip(self._outputs, found, strict=True):
            binding.bind_output(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        self._session.run_with_iobinding(binding)
        return found


def check_min_confidence(min_confidence: float) -> None:
    """Raise an `InputError` if joints cannot be judged by this."""
    if not 0 <= min_confidence <= 1:
        message = f"min_confidence: expected a number in [0, 1], got {min_confidence}"
        raise InputError(message, field="min_confidence")


def _forget(columns: Mapping[str, FloatArray], names: Sequence[str], rows: NDArray[np.int64]) -> None:
    if rows.size:
        for name in names:
            columns[name][rows] = np.nan


def _finite_rows(arrays: Sequence[FloatArray]) -> NDArray[np.bool_]:
    """(N,) which rows are finite in all arrays (N, ...)."""
    # NaN is the greatest of all. These two are much quicker, and nearly always all is finite.
    if all(array.max() < np.inf and array.min() > -np.inf for array in arrays):
        return np.ones(len(arrays[0]), bool)
    finite = [np.isfinite(array).reshape(len(array), -1).all(axis=1) for array in arrays]
    return np.asarray(np.logical_and.reduce(finite))


def load_lifter(
    model: str | Path = DEFAULT_MODEL,
    *,
    threads: int | None = None,
    repository: Path | None = None,
    num_hypotheses: int | None = None,
    seed: int = DEFAULT_SEED,
) -> Lifter:
    """Load a lifter.

    Args:
        model: Name of a bundled model, "name/version", or the path of a bundle's folder.
        threads: How many threads one call may use; ONNX Runtime's choice (one per core) if left out.
        repository: Folder of bundles in which to look for names; the one inside the package by default.
        num_hypotheses: How many poses a model that samples (`cvae_lifter`) gives; what its bundle says if left out.
        seed: Seed of such a model's noise; the first pose has none and is the same for every seed.

    Raises:
        InputError: The model gives another number of hypotheses.
        ModelNotFoundError: There is no such model; the message names those that exist.
        BundleError: The model is broken or is no lifter.
    """
    bundle = find_bundle(model, repository)
    return Lifter(bundle, threads=threads or 0, num_hypotheses=num_hypotheses, seed=seed)


def draw_noise(num_hypotheses: int, latent_dim: int, seed: int) -> NDArray[np.float32]:
    """(M, Z) standard normal latents, the first of them the origin; more of a seed begin with fewer of it."""
    noise = np.random.default_rng(seed).standard_normal((num_hypotheses, latent_dim)).astype(np.float32)
    noise[0] = 0.0
    return noise


def _choose_num_hypotheses(bundle: Bundle, signature: Signature, wanted: int | None) -> int:
    if wanted is not None and wanted < 1:
        raise InputError(f"num_hypotheses: expected at least 1, got {wanted}", field="num_hypotheses")
    if signature.num_hypotheses is None:
        return wanted or bundle.num_hypotheses or 1
    if wanted not in {None, signature.num_hypotheses}:
        raise InputError(
            f"num_hypotheses: expected {signature.num_hypotheses}, which {bundle.name} always gives, got {wanted}; "
            "models that sample, such as cvae_lifter, give as many as one likes",
            field="num_hypotheses",
        )
    return signature.num_hypotheses
