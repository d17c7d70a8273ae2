"""Keypoints smoothed over time, outliers set aside, short absences filled.

Each coordinate of a joint follows the motion model; the detector's errors are t-distributed. The positions are found by
iteratively reweighted least squares: given weights w and intensities q, they solve (R_q + diag(w / s²)) x = (w / s²) y
with the roughness R_q of the motion model, the noise s and the detected y. Given positions, a joint at squared distance
d² has w = (ν + 2) / (ν + d²/s²), the expectation step for two coordinates of t errors (Lange, Little & Taylor, "Robust
statistical modeling using the t distribution", 1989), and a step at which joints move with a mean square speed v² has
q = q₀ (1 + v² / v₀²): for an oscillation of whatever amplitude, acceleration is in proportion to speed.

Letters in shapes: T rows in order of time, J = 17 joints.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.video.motion_model import roughness
from pose_mdn.video.segments import Segment, moments_s, person_size_px, segments_of
from pose_mdn.video.settings import KeypointSettings, SmoothingSettings

Float64Array = NDArray[np.float64]

_ITERATIONS = 4
_CHUNK_ROWS = 32
"""Rows solved for at once, beside their neighbours: the cost of a solution grows with the cube."""
_RIDGE = 1e-7
"""Of the precision of one observation: keeps a system solvable for a joint that is hardly seen."""
_USUAL_NOISE = 0.025
"""Of a detector, where a window is too short to tell."""
_ENOUGH_TRIPLES = 60
_POSSIBLE_NOISE = (0.004, 0.04)
_MEDIAN_OF_NORMAL = 0.6745
"""Median distance of a normal variable of unit variance from its mean."""
_WITH_OUTLIERS = 1.5
"""From the standard deviation of most detections to that of all, fitted on films of the validation motions."""
_DOUBT = 2.0
"""An uncertain joint is up to 1 + 2 times as noisy as a certain one, as in the views that lifters learn from."""
_SMALLEST_CONFIDENCE = 0.1


@dataclass(frozen=True, kw_only=True)
class Window:
    """What a detector saw of one person.

    Attributes:
        points_px: (T, J, 2); 0 where missing.
        seen: (T, J).
        confidence: (T, J).
        time_s: (T,).
    """

    points_px: Float64Array
    seen: NDArray[np.bool_]
    confidence: Float64Array
    time_s: Float64Array


@dataclass(frozen=True, kw_only=True)
class Start:
    """What is found by iterating.

    Attributes:
        weight: (T, J) of each observation; near 1 or above for those that fit, small for outliers.
        intensity: (T - 1,) of the motion model at each step, size²/s³.
    """

    weight: Float64Array
    intensity: Float64Array


@dataclass(frozen=True, kw_only=True)
class Track:
    """Smoothed positions.

    Attributes:
        points_px: (T, J, 2).
        std_px: (T, J) how well joints that are missing somewhere are known, per axis; 0 for the others.
        found: Weights and intensities.
        size_px: Of the person.
        noise_px: Standard deviation of a certain joint's detections.
    """

    points_px: Float64Array
    std_px: Float64Array
    found: Start
    size_px: float
    noise_px: float


def smooth_keypoints(
    sequence: KeypointSequence,
    settings: KeypointSettings | None = None,
    segmentation: SmoothingSettings | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> KeypointSequence:
    """Smooth each person of a sequence, in its own time.

    Joints and whole rows that are missing for a short time get positions from their neighbours, with a lower confidence
    the less they are known. Rows keep their places; `person` -1 is nobody and left alone.

    Args:
        sequence: N rows in the layout Human3.6M-17, missing joints with confidence 0.
        settings: How to smooth.
        segmentation: Where segments end.
        on_progress: Called with numbers of rows that are done.

    Raises:
        InputError: A person is in one frame twice.
    """
    settings, segmentation = settings or KeypointSettings(), segmentation or SmoothingSettings()
    time_s = moments_s(sequence.frame, sequence.fps, segmentation)
    seen = (sequence.confidence > 0) & np.isfinite(sequence.keypoints_px).all(axis=-1)
    points = np.where(seen[..., None], sequence.keypoints_px, 0.0).astype(np.float64)
    keypoints_px, confidence = sequence.keypoints_px.copy(), sequence.confidence.copy()
    usable = seen.any(axis=1) & (sequence.person >= 0)
    found = segments_of(
        points, seen, usable, frame=sequence.frame, person=sequence.person, time_s=time_s, settings=segmentation
    )
    for segment in found:
        rows = _with_empty_rows(segment, sequence, usable)
        whole = Window(
            points_px=points[rows],
            seen=seen[rows],
            confidence=sequence.confidence[rows].astype(np.float64),
            time_s=time_s[rows],
        )
        for part, core in _chunks(whole.time_s, settings.reach_s):
            track = fit(part_of(whole, part), settings, iterations=_ITERATIONS)
            inner = np.arange(core.start - part.start, core.stop - part.start)
            place = rows[core]
            keypoints_px[place], confidence[place] = filled_in(part_of(whole, core), track, inner, settings)
            if on_progress is not None:
                on_progress(len(place))
    return replace(sequence, keypoints_px=keypoints_px, confidence=confidence)


def fit(window: Window, settings: KeypointSettings, start: Start | None = None, *, iterations: int) -> Track:
    """Smooth a window.

    Args:
        window: T rows.
        settings: How to smooth.
        start: What is known of weights and intensities; nothing if left out.
        iterations: How often to find them anew.
    """
    size = float(np.median(person_size_px(window.points_px, window.seen)[window.seen.any(axis=1)]))
    level = size * (settings.noise or noise_of(window, size))
    noise = level * (1.0 + _DOUBT * (1.0 - np.clip(window.confidence, 0.0, 1.0)))
    precision = window.seen / np.square(noise)
    ridge = np.eye(len(noise)) * (_RIDGE / level**2)
    middle = window.points_px[window.seen].mean(axis=0)
    observed = window.points_px - middle
    step_s = np.diff(window.time_s)
    found = start or Start(weight=np.ones_like(noise), intensity=np.full(len(step_s), settings.acceleration))
    for _ in range(iterations):
        system = _system(roughness(window.time_s, size * size * found.intensity) + ridge, found.weight * precision)
        target = (found.weight * precision)[..., None] * observed
        points = np.linalg.solve(system, target.transpose(1, 0, 2)).transpose(1, 0, 2)
        distance = np.square(points - observed).sum(axis=-1) / np.square(noise)
        speed = np.square(np.diff(points, axis=0)).sum(axis=-1).mean(axis=1) / np.square(size * step_s)
        found = Start(
            weight=np.where(window.seen, (settings.tails + 2.0) / (settings.tails + distance), 1.0),
            intensity=settings.acceleration * (1.0 + speed / settings.agility**2),
        )
    variance = np.zeros_like(noise)
    lacking = ~window.seen.all(axis=0)
    if lacking.any():
        variance[:, lacking] = np.linalg.inv(system[lacking]).diagonal(axis1=1, axis2=2).T
    return Track(points_px=points + middle, std_px=np.sqrt(variance), found=found, size_px=size, noise_px=level)


def noise_of(window: Window, size_px: float) -> float:
    """Standard deviation of a detector per axis, in parts of the person's size, from how much it shakes.

    What a joint does between two frames lies near the straight line between them; how far it lies off is mostly
    noise. The median of that does not see outliers, so that a factor makes up for them.

    Args:
        window: T rows.
        size_px: Of the person.
    """
    step_s = np.diff(window.time_s)
    together = window.seen[:-2] & window.seen[1:-1] & window.seen[2:]
    if together.sum() < _ENOUGH_TRIPLES:
        return _USUAL_NOISE
    share = (step_s[:-1] / (step_s[:-1] + step_s[1:]))[:, None, None]
    points = window.points_px
    off = points[1:-1] - (1.0 - share) * points[:-2] - share * points[2:]
    off = off / np.sqrt(1.0 + share**2 + (1.0 - share) ** 2)
    median = float(np.median(np.abs(off[together]))) / size_px
    return float(np.clip(_WITH_OUTLIERS * median / _MEDIAN_OF_NORMAL, *_POSSIBLE_NOISE))


def filled_in(
    window: Window, track: Track, rows: NDArray[np.int64], settings: KeypointSettings
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Keypoints (T, J, 2), NaN where missing still, and confidences (T, J) of some rows of a track.

    Args:
        window: What was seen at these rows.
        track: The track that they lie in.
        rows: Their places there.
        settings: How well a joint must be known to be filled.
    """
    std = track.std_px[rows] / track.size_px
    known = ~window.seen & (std <= settings.max_fill_std)
    doubted = np.clip(1.0 - (track.std_px[rows] / track.noise_px - 1.0) / _DOUBT, _SMALLEST_CONFIDENCE, 1.0)
    points = np.where((window.seen | known)[..., None], track.points_px[rows], np.nan)
    confidence = np.where(known, doubted, np.where(window.seen, window.confidence, 0.0))
    return points.astype(np.float32), confidence.astype(np.float32)


def part_of(window: Window, rows: slice) -> Window:
    """Some rows of a window."""
    return Window(
        points_px=window.points_px[rows],
        seen=window.seen[rows],
        confidence=window.confidence[rows],
        time_s=window.time_s[rows],
    )


def _system(prior: Float64Array, precision: Float64Array) -> Float64Array:
    """(J, T, T) prior with (T, J) precisions added on each joint's diagonal."""
    system = np.repeat(prior[None], precision.shape[1], axis=0)
    diagonal = np.arange(len(prior))
    system[:, diagonal, diagonal] += precision.T
    return system


def _with_empty_rows(segment: Segment, sequence: KeypointSequence, usable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """A segment's rows in order of time, with the rows of the same person between them in which nothing was seen."""
    first, last = sequence.frame[segment.rows[[0, -1]]]
    own = sequence.person == sequence.person[segment.rows[0]]
    empty = np.flatnonzero(own & ~usable & (sequence.frame > first) & (sequence.frame < last))
    rows = np.concatenate([segment.rows, empty])
    rows = rows[np.argsort(sequence.frame[rows], kind="stable")]
    # An empty row beside a full one of the same frame tells nothing new, and a time may be there only once.
    return np.asarray(rows[np.concatenate([[True], np.diff(sequence.frame[rows]) > 0])])


def _chunks(time_s: Float64Array, reach_s: float) -> Iterator[tuple[slice, slice]]:
    """Slices of at most 32 rows, each after the slice of all rows within its reach."""
    for start in range(0, len(time_s), _CHUNK_ROWS):
        stop = min(start + _CHUNK_ROWS, len(time_s))
        low = int(np.searchsorted(time_s, time_s[start] - reach_s))
        high = int(np.searchsorted(time_s, time_s[stop - 1] + reach_s, side="right"))
        yield slice(low, high), slice(start, stop)
