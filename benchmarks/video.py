"""What linking and smoothing films buys: errors, jitter, calibration and speed, before and after.

    python benchmarks/video.py MOTIONS.npz [TEST_VIEWS]

Films are made of the motion data's split `test`: 120 frames of a motion, filmed by a fixed virtual camera, keypoints
with white noise of 1.6 % of the person's size per axis, 3 % of them with six times that. TEST_VIEWS is a folder of
films with truth beside them, clip*.npz and clip*.truth.npz. Nothing here was used for fitting: settings were fitted on
the split `validation`.
"""

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn import metrics
from pose_mdn.data.motion_file import read_motion_file
from pose_mdn.evaluation.pose_samples import draw_samples
from pose_mdn.evaluation.truth_files import read_truth, truth_path
from pose_mdn.formats import read_keypoints
from pose_mdn.inference import Lifter, OnlineVideoLifter, lift_video, load_lifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn.video import OnlineKeypointSmoother, OnlineSmoother, played, smooth_keypoints, smooth_sequence

FRAMES = 120
FILMS = 32
FPS = 30.0
SEED = 7
NOISE, OUTLIERS, OUTLIER_FACTOR = 0.016, 0.03, 6.0
INTRINSICS = np.array([[1500.0, 0.0, 960.0], [0.0, 1500.0, 540.0], [0.0, 0.0, 1.0]])
SAMPLES = 200
LAGS = (0, 1, 3, 5, 10)

Float64Array = NDArray[np.float64]
Method = Callable[[KeypointSequence], HypothesisSequence]


@dataclass(frozen=True, kw_only=True)
class Film:
    """Keypoints, and the (N, 17, 3) true joints in the camera frame."""

    keypoints: KeypointSequence
    truth_m: Float64Array

    def take(self, rows: NDArray[np.int64]) -> "Film":
        """Some of the frames; their numbers stay."""
        return Film(keypoints=self.keypoints.take(rows), truth_m=self.truth_m[rows])


def make_films(motions: Path, split: str, count: int, seed: int, *, finer: int = 1) -> list[Film]:
    """Films of a split; `finer` times as many frames, interpolated, of the same seconds."""
    rng = np.random.default_rng(seed)
    records = [record for record in read_motion_file(motions) if record.split == split]
    starts = [
        (record, start)
        for record in records
        for start in range(0, len(record.pose_m) - FRAMES + 1, FRAMES // 2)
        if record.valid[start : start + FRAMES].all()
    ]
    chosen = rng.choice(len(starts), size=min(count, len(starts)), replace=False)
    poses = [record.pose_m[start : start + FRAMES].astype(np.float64) for record, start in (starts[i] for i in chosen)]
    return [observe(film(interpolate(pose, finer), rng), rng, FPS * finer) for pose in poses]


def interpolate(pose_m: Float64Array, finer: int) -> Float64Array:
    """Catmull-Rom splines through (T, 17, 3) poses."""
    if finer == 1:
        return pose_m
    moments = np.arange((len(pose_m) - 1) * finer + 1) / finer
    index = np.minimum(moments.astype(int), len(pose_m) - 2)
    u = (moments - index)[:, None, None]
    a, b, c, d = (pose_m[np.clip(index + offset, 0, len(pose_m) - 1)] for offset in (-1, 0, 1, 2))
    return 0.5 * (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3)


def film(pose_m: Float64Array, rng: np.random.Generator) -> Float64Array:
    """(T, 17, 3) world joints, Y up, in the frame of a fixed camera that looks about their middle."""

    def turn(axis: int, angle: float) -> Float64Array:
        first, second = [other for other in range(3) if other != axis]
        matrix = np.eye(3)
        matrix[first, first] = matrix[second, second] = math.cos(angle)
        matrix[first, second], matrix[second, first] = -math.sin(angle), math.sin(angle)
        return matrix

    rotation = turn(2, 0.06 * rng.normal()) @ turn(0, rng.uniform(-0.2, 0.75)) @ np.diag([1.0, -1.0, -1.0])
    rotation = rotation @ turn(1, rng.uniform(-math.pi, math.pi))
    distance = math.exp(rng.uniform(math.log(2.5), math.log(9.0)))
    bearing, off_centre = rng.uniform(0, 2 * math.pi), 0.25 * math.sqrt(rng.uniform())
    ray = np.array(
        [math.sin(off_centre) * math.cos(bearing), math.sin(off_centre) * math.sin(bearing), math.cos(off_centre)]
    )
    joints = (pose_m - pose_m[:, :1].mean(axis=0)) @ rotation.T + distance * ray
    return joints + np.array([0.0, 0.0, max(0.0, 1.0 - joints[..., 2].min())])


def observe(joints_m: Float64Array, rng: np.random.Generator, fps: float) -> Film:
    """What a detector sees of (T, 17, 3) camera-frame joints."""
    pixels = joints_m @ INTRINSICS.T
    pixels = pixels[..., :2] / pixels[..., 2:]
    size = np.linalg.norm(np.ptp(pixels, axis=1), axis=-1)
    std = NOISE * size[:, None] * np.where(rng.random(pixels.shape[:2]) < OUTLIERS, OUTLIER_FACTOR, 1.0)
    count = len(pixels)
    keypoints = KeypointSequence(
        keypoints_px=(pixels + std[..., None] * rng.normal(size=pixels.shape)).astype(np.float32),
        confidence=np.ones((count, 17), np.float32),
        skeleton=HUMAN36M17,
        frame=np.arange(count),
        person=np.zeros(count, np.int64),
        fps=fps,
        intrinsics=INTRINSICS,
    )
    return Film(keypoints=keypoints, truth_m=joints_m)


def with_cuts(films: Sequence[Film]) -> list[Film]:
    """Films that change to the next one's second half in the middle, with the same identity."""
    half = FRAMES // 2
    cut = []
    for one, other in zip(films, [*films[1:], films[0]], strict=True):
        keypoints = replace(
            one.keypoints,
            keypoints_px=np.concatenate([one.keypoints.keypoints_px[:half], other.keypoints.keypoints_px[half:]]),
        )
        cut.append(Film(keypoints=keypoints, truth_m=np.concatenate([one.truth_m[:half], other.truth_m[half:]])))
    return cut


def common_films(folder: Path) -> list[Film]:
    """Films with truth beside them."""
    paths = sorted(path for path in folder.glob("clip*.npz") if not path.name.endswith(".truth.npz"))
    truths = [read_truth(truth_path(path)).pose_camera_m.astype(np.float64) for path in paths]
    return [Film(keypoints=read_keypoints(path), truth_m=truth) for path, truth in zip(paths, truths, strict=True)]


def live(lifter: Lifter, lag: int, keypoints: KeypointSequence) -> HypothesisSequence:
    """A film lifted as a live one."""
    smoother = OnlineVideoLifter(lifter, lag=lag)
    return played(keypoints, smoother.push, smoother.flush)


def score(films: Sequence[Film], method: Method, cuts: Sequence[int] = ()) -> str:
    """Columns of a table: means over films; what is about time, over frames in a row without a cut between."""
    rows, levels = [], []
    for film in films:
        hypotheses, truth = method(film.keypoints), film.truth_m - film.truth_m[:, :1]
        means = hypotheses.means_m.astype(np.float64)
        top = means[np.arange(len(truth)), hypotheses.most_probable]
        errors = [metrics.mpjpe_mm(top, truth), metrics.pa_mpjpe_mm(top, truth)]
        errors.append(metrics.mpjpe_mm(means, truth[:, None]).min(axis=1))
        rows.append([float(error.mean()) for error in errors] + score_motion(hypotheses, top, truth, cuts))
        samples = draw_samples(hypotheses, SAMPLES, np.random.default_rng(SEED))
        levels.append(metrics.interval_levels(np.moveaxis(samples[:, :, 1:], 1, -1), truth[:, 1:].astype(np.float32)))
    coverage = metrics.coverage_of_levels(np.concatenate(levels))
    columns = [f"{value:.1f}" for value in np.mean(rows, axis=0)]
    columns += [f"{metrics.expected_calibration_error(coverage):.3f}", f"{metrics.coverage_at(coverage, 0.68):.2f}"]
    return " | ".join(columns)


def score_motion(
    hypotheses: HypothesisSequence, top_m: Float64Array, truth_m: Float64Array, cuts: Sequence[int]
) -> list[float]:
    """Acceleration error and jitter in m/s², velocity error in mm per frame."""
    fps = hypotheses.fps or FPS
    acceleration, jitter, velocity = [], [], []
    for scene in np.split(np.arange(len(truth_m)), cuts):
        for run in metrics.consecutive_runs(hypotheses.frame[scene], hypotheses.person[scene]):
            top, truth = top_m[scene[run]], truth_m[scene[run]]
            acceleration.append(metrics.acceleration_error_mm_s2(top, truth, fps) / 1000)
            jitter.append(metrics.acceleration_mm_s2(top, fps) / 1000)
            velocity.append(metrics.mpjve_mm(top, truth))
    return [float(np.concatenate(values).mean()) for values in (acceleration, jitter, velocity)]


HEAD = "top-1 | PA top-1 | best-of-5 | acceleration error, m/s² | jitter, m/s² | MPJVE, mm | ECE | in 68 %"
RULE = "|---|" + 8 * "--:|"


def print_methods(title: str, films: Sequence[Film], lifter: Lifter) -> None:
    """The methods side by side."""
    methods: dict[str, Method] = {
        "frame by frame": lifter.lift,
        "hypotheses smoothed": lambda keypoints: smooth_sequence(lifter.lift(keypoints)),
        "keypoints smoothed, lifted": lambda keypoints: lifter.lift(smooth_keypoints(keypoints)),
        "both": partial(lift_video, lifter),
        **{f"both, lag {lag}": partial(live, lifter, lag) for lag in LAGS},
    }
    print(f"\n{title}: {len(films)} films\n\n| method | {HEAD} |\n{RULE}")
    for name, method in methods.items():
        print(f"| {name} | {score(films, method)} |", flush=True)


def print_conditions(motions: Path, lifter: Lifter) -> None:
    """Other frame rates, dropped frames, cuts."""
    rng = np.random.default_rng(SEED)
    films = make_films(motions, "test", FILMS, SEED)
    kept = [np.flatnonzero(rng.random(FRAMES) >= 0.1) for _ in films]
    halves = [replace_fps(film.take(np.arange(0, FRAMES, 2)), 15.0, 2) for film in films]
    conditions = {
        "15 fps": (halves, ()),
        "30 fps": (films, ()),
        "60 fps": (make_films(motions, "test", FILMS, SEED, finer=2), ()),
        "10 % of frames dropped": ([film.take(rows) for film, rows in zip(films, kept, strict=True)], ()),
        "a cut in the middle": (with_cuts(films), (FRAMES // 2,)),
    }
    print(f"\nOther films\n\n| films | method | {HEAD} |\n|---{RULE}")
    for name, (seen, cuts) in conditions.items():
        print(f"| {name} | frame by frame | {score(seen, lifter.lift, cuts)} |")
        print(f"| | both | {score(seen, partial(lift_video, lifter), cuts)} |")
        print(f"| | both, lag 5 | {score(seen, partial(live, lifter, 5), cuts)} |", flush=True)


def replace_fps(film: Film, fps: float, step: int) -> Film:
    """Every `step`-th frame of a film, numbered anew."""
    keypoints = replace(film.keypoints, fps=fps, frame=film.keypoints.frame // step)
    return Film(keypoints=keypoints, truth_m=film.truth_m)


def print_correlations(motions: Path, lifter: Lifter) -> None:
    """How much of an error the error some frames later has, by axis, on validation films."""
    films = make_films(motions, "validation", FILMS, SEED)
    methods: dict[str, Method] = {
        "frame by frame": lifter.lift,
        "lifted from smoothed keypoints": lambda keypoints: lifter.lift(smooth_keypoints(keypoints)),
    }
    steps = (1, 2, 5, 10, 30)
    print(
        "\nCorrelation of errors over time\n\n| lifted | axis | "
        + " | ".join(f"{s} frame{'s'[: s > 1]}" for s in steps)
        + " |"
    )
    print("|---|---|" + "--:|" * len(steps))
    for name, method in methods.items():
        errors = []
        for seen in films:
            found = method(seen.keypoints)
            nearest = metrics.mpjpe_mm(found.means_m, (seen.truth_m - seen.truth_m[:, :1])[:, None]).argmin(axis=1)
            pose = found.means_m[np.arange(len(nearest)), nearest] - (seen.truth_m - seen.truth_m[:, :1])
            errors.append((pose @ found.view_rotation)[:, 1:])
        stacked = np.stack(errors)
        for axis, part in (("across", stacked[..., :2]), ("along", stacked[..., 2:])):
            values = [(part[:, s:] * part[:, :-s]).mean() / np.square(part).mean() for s in steps]
            print(f"| {name} | {axis} | " + " | ".join(f"{value:.2f}" for value in values) + " |")


def print_speed(films: Sequence[Film], lifter: Lifter) -> None:
    """Rows per second of whole films and milliseconds per pushed frame; CPU time, the best of five."""
    seen = films[0].keypoints
    lifted = lifter.lift(seen)
    print("\nSpeed, one thread, CPU time\n\n| what | rows/s |\n|---|--:|")
    for name, work in {
        "smooth_sequence": lambda: smooth_sequence(lifted),
        "smooth_keypoints": lambda: smooth_keypoints(seen),
        "lift_video": lambda: lift_video(lifter, seen),
    }.items():
        print(f"| {name} | {len(seen) / min(cpu_time_s(work) for _ in range(5)):.0f} |")
    print("\n| one person, lag | hypotheses, ms | keypoints, ms | lifting included, ms |\n|--:|--:|--:|--:|")
    hypotheses = [lifted.take(slice(row, row + 1)) for row in range(len(seen))]
    keypoints = [seen.take(slice(row, row + 1)) for row in range(len(seen))]
    for lag in LAGS:
        makers = (
            lambda lag: OnlineSmoother(lag=lag).push,
            lambda lag: OnlineKeypointSmoother(lag=lag).push,
            lambda lag: OnlineVideoLifter(lifter, lag=lag).push,
        )
        rows = (hypotheses, keypoints, keypoints)
        figures = [push_ms(partial(make, lag), seen) for make, seen in zip(makers, rows, strict=True)]
        print(f"| {lag} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |", flush=True)


def cpu_time_s(work: Callable[[], object]) -> float:
    """CPU seconds of a call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def push_ms(make: Callable[[], Callable[..., object]], rows: Sequence[object]) -> float:
    """Median milliseconds of a push, in the best of five runs."""
    medians = []
    for _ in range(5):
        push = make()
        medians.append(np.median([cpu_time_s(partial(push, row)) for row in rows]))
    return 1000 * float(min(medians))


def main() -> None:
    """Print the tables."""
    motions = Path(sys.argv[1])
    lifter = load_lifter(threads=1)
    if len(sys.argv) > 2:
        print_methods("Common test clips", common_films(Path(sys.argv[2])), lifter)
    films = make_films(motions, "test", FILMS, SEED)
    print_methods("Films of the split test", films, lifter)
    print_conditions(motions, lifter)
    print_correlations(motions, lifter)
    print_speed(films, lifter)


if __name__ == "__main__":
    main()
