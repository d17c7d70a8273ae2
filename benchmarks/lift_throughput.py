"""How close `Lifter.lift` comes to ONNX Runtime alone, measured turn by turn so that both see the same machine.

    python benchmarks/lift_throughput.py [--rows 20000] [--threads 1] [--rounds 7]

"raw" runs the graph on arrays that are ready, in slices of the same size, and throws the answers away; "lift" does all
the rest too: masks, mapping of the layout, undistortion, statuses, answers put in place. Layouts and lenses are those
that cost most and least.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.inference.known_camera import resolve_camera
from pose_mdn.inference.lifter import SLICE_ROWS
from pose_mdn.inference.observations import DEFAULT_MIN_CONFIDENCE, prepare
from pose_mdn.inference.session import open_session
from pose_mdn.inference.signature import OUTPUTS
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import Skeleton, get_skeleton

INTRINSICS = np.array([[1500.0, 0, 960], [0, 1500, 540], [0, 0, 1]])
LENS = np.array([-0.12, 0.03, 0.001, -0.0005, -0.004])
CASES = {
    "human36m17, no lens": ("human36m17", None),
    "blazepose33, no lens": ("blazepose33", None),
    "blazepose33, lens": ("blazepose33", LENS),
}


def people(rows: int, skeleton: Skeleton, distortion: np.ndarray | None) -> KeypointSequence:
    """Rows of joints around random middles of a picture, a tenth of them missing."""
    rng = np.random.default_rng(0)
    middle = rng.uniform((500, 400), (1400, 700), (rows, 1, 2))
    keypoints_px = (middle + rng.normal(0, 100, (rows, skeleton.num_joints, 2))).astype(np.float32)
    confidence = rng.uniform(0, 1, (rows, skeleton.num_joints)).astype(np.float32)
    return KeypointSequence(
        keypoints_px=keypoints_px,
        confidence=np.where(confidence < 0.1, 0, confidence),
        skeleton=skeleton,
        frame=np.arange(rows),
        person=np.zeros(rows, np.int64),
        image_size=(1920, 1080),
        intrinsics=INTRINSICS,
        distortion=distortion,
    )


def raw_runner(lifter: Lifter, sequence: KeypointSequence, threads: int) -> Callable[[], None]:
    """The graph alone on the rows that `lift` would run."""
    session = open_session(lifter.bundle.graph_path, threads)
    camera = resolve_camera(sequence, DEFAULT_MIN_CONFIDENCE)
    observations = prepare(sequence, camera.intrinsics, camera.distortion)
    rows = observations.liftable
    feed = {
        "keypoints_px": observations.ideal_px[rows],
        "confidence": observations.confidence[rows],
        "intrinsics": camera.intrinsics[rows].astype(np.float32),
    }
    starts = range(0, len(rows), SLICE_ROWS)
    slices = [{name: array[start : start + SLICE_ROWS] for name, array in feed.items()} for start in starts]

    def run() -> None:
        for part in slices:
            session.run(list(OUTPUTS), part)

    return run


def seconds(task: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    task()
    return time.perf_counter() - began


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="Throughput of lift() beside that of ONNX Runtime alone.")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()

    lifter = load_lifter(threads=options.threads)
    print(
        f"{lifter.name}/{lifter.version}, {options.rows} rows, {options.threads} thread(s), median of {options.rounds}"
    )
    print(f"{'case':24s}{'raw, poses/s':>16s}{'lift, poses/s':>16s}{'lift / raw':>12s}")
    for case, (skeleton, distortion) in CASES.items():
        sequence = people(options.rows, get_skeleton(skeleton), distortion)
        raw = raw_runner(lifter, sequence, options.threads)
        rounds = [(seconds(raw), seconds(lambda work=sequence: lifter.lift(work))) for _ in range(options.rounds + 1)]
        # The first round warms up and does not count.
        raw_s, lift_s = (statistics.median(column) for column in zip(*rounds[1:], strict=True))
        ratio = statistics.median(a / b for a, b in rounds[1:])
        print(f"{case:24s}{options.rows / raw_s:16,.0f}{options.rows / lift_s:16,.0f}{ratio:12.2f}")


if __name__ == "__main__":
    main()
