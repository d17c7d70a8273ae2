"""How close Parquet to Parquet comes to ONNX Runtime alone, measured turn by turn so that both see the same machine.

    python benchmarks/bulk/parquet.py [--rows 400000] [--threads 2] [--rounds 5] [--model mdn_lifter/1 --model ...]

"raw" runs the same graph on the same poses, which lie in memory as the graph wants them, and throws the answers away.
There are two ways to use all cores (one session with so many threads; so many threads that each call a session with
one), each with the best of several batch sizes; the faster of each round counts. "stream" reads a keypoints table,
lifts it and writes all columns of the hypotheses. Memory is the most that the process has had so far, so the rows of
"raw" are in it; `--only-stream` leaves "raw" out.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from pose_mdn.batch.stream import lift_stream
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.formats.keypoints.tables import parquet_stream, parquet_writer
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.inference.known_camera import resolve_camera
from pose_mdn.inference.observations import DEFAULT_MIN_CONFIDENCE, prepare
from pose_mdn.inference.session import open_session
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import get_skeleton

INTRINSICS = np.array([[1500.0, 0, 960], [0, 1500, 540], [0, 0, 1]])
PIECE = 65_536
BATCHES = (256, 512, 1024)


def people(rows: int, skeleton: str) -> Iterator[KeypointSequence]:
    """Rows of joints around random middles of a picture, in pieces."""
    layout = get_skeleton(skeleton)
    rng = np.random.default_rng(0)
    for start in range(0, rows, PIECE):
        count = min(PIECE, rows - start)
        middle = rng.uniform((500, 400), (1400, 700), (count, 1, 2))
        yield KeypointSequence(
            keypoints_px=(middle + rng.normal(0, 100, (count, layout.num_joints, 2))).astype(np.float32),
            confidence=rng.uniform(0.2, 1, (count, layout.num_joints)).astype(np.float32),
            skeleton=layout,
            frame=np.arange(start, start + count),
            person=np.zeros(count, np.int64),
            image_size=(1920, 1080),
            intrinsics=INTRINSICS,
        )


def prepared(sequence: KeypointSequence) -> dict[str, np.ndarray]:
    """What the graph takes for the rows that can be lifted."""
    camera = resolve_camera(sequence, DEFAULT_MIN_CONFIDENCE)
    observations = prepare(sequence, camera.intrinsics, camera.distortion)
    rows = observations.liftable
    return {
        "keypoints_px": observations.ideal_px[rows],
        "confidence": observations.confidence[rows],
        "intrinsics": camera.intrinsics[rows].astype(np.float32),
    }


def raw_runner(lifter: Lifter, feed: dict[str, np.ndarray], threads: int, batch: int, calls: int) -> Callable[[], None]:
    """The graph alone; `calls` at a time, each with `threads` threads."""
    session = open_session(lifter.bundle.graph_path, threads)
    names = [output.name for output in session.get_outputs()]
    rows = len(feed["confidence"])
    slices = [{name: array[at : at + batch] for name, array in feed.items()} for at in range(0, rows, batch)]

    def share(first: int) -> None:
        for part in slices[first::calls]:
            session.run(names, part)

    def run() -> None:
        if calls == 1:
            share(0)
            return
        with ThreadPoolExecutor(calls) as pool:
            list(pool.map(share, range(calls)))

    return run


def seconds(task: Callable[[], object], result: Path | None = None) -> tuple[float, float]:
    """Wall time and processor time of one call; deleting what an earlier one wrote is not part of it."""
    if result is not None:
        result.unlink(missing_ok=True)
    began, began_cpu = time.perf_counter(), time.process_time()
    task()
    return time.perf_counter() - began, time.process_time() - began_cpu


def raw_ways(lifter: Lifter, feed: dict[str, np.ndarray], threads: int) -> dict[str, Callable[[], None]]:
    """Both ways to run the graph alone on so many cores, each with its best batch size, found on some of the rows."""
    some = {name: array[: 2**15] for name, array in feed.items()}
    ways = {}
    for calls, inner in sorted({(1, threads), (threads, 1)}):
        times = {batch: seconds(raw_runner(lifter, some, inner, batch, calls))[0] for batch in BATCHES * 2}
        batch = min(times, key=lambda size: times[size])
        ways[f"{calls} x {inner} threads, batches of {batch}"] = raw_runner(lifter, feed, inner, batch, calls)
    return ways


def peak_mb() -> float:
    """The most memory that this process has had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(model: str, source: Path, options: argparse.Namespace) -> None:
    """Measure one model and print a line for each round."""
    lifter = load_lifter(model, threads=1)
    target = source.with_name("hypotheses.parquet")
    columns = options.columns.split(",") if options.columns else None

    def streamed() -> None:
        lift_stream(
            parquet_stream.open_stream(source, ReadOptions()), target, lifter, threads=options.threads, columns=columns
        )

    print(f"{lifter.name}/{lifter.version}, {options.rows} rows, {options.threads} threads")
    if options.only_stream:
        taken, cpu = seconds(streamed, target)
        print(f"  stream {options.rows / taken:,.0f} poses/s, {1e6 * cpu / options.rows:.1f} µs of CPU per pose")
        return
    ways = raw_ways(lifter, prepared(parquet_stream.read(source, ReadOptions())), options.threads)
    print(f"  raw: {'; '.join(ways)}")
    ratios = []
    for turn in range(options.rounds + 1):
        # In both orders; the first round warms up.
        tasks = [*ways.values(), streamed]
        times = [seconds(task, target) for task in (tasks if turn % 2 else reversed(tasks))]
        *raw, (stream_s, stream_cpu) = times if turn % 2 else times[::-1]
        if not turn:
            continue
        ratios.append((min(wall for wall, _ in raw) / stream_s, min(cpu for _, cpu in raw) / stream_cpu))
        runs = (*raw, (stream_s, stream_cpu))
        shown = [f"{options.rows / wall:7,.0f}/s {1e6 * cpu / options.rows:4.1f} µs" for wall, cpu in runs]
        print(f"  {' | '.join(shown)}   stream / best raw: {ratios[-1][0]:.2f} wall, {ratios[-1][1]:.2f} processor")
    wall, cpu = (statistics.median(column) for column in zip(*ratios, strict=True))
    print(f"  median of {options.rounds}: {wall:.2f} wall, {cpu:.2f} processor")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Parquet to Parquet beside ONNX Runtime alone.")
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", action="append", help="Bundle, by name or folder; may be repeated.")
    parser.add_argument("--skeleton", default="coco17")
    parser.add_argument("--columns", help="Keys of the columns to write, with commas between; all if left out.")
    parser.add_argument("--only-stream", action="store_true")
    parser.add_argument("--folder", type=Path, help="Where the files go; a temporary folder if left out.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        source = Path(folder) / "keypoints.parquet"
        parquet_writer.write_pieces(source, people(options.rows, options.skeleton))
        print(f"{source.stat().st_size / options.rows:.0f} bytes of input per pose; {peak_mb():.0f} MB so far")
        for model in options.model or ["mdn_lifter/1", "mdn_lifter/1-int8"]:
            measure(model, source, options)
            print(f"  {peak_mb():.0f} MB at most")


if __name__ == "__main__":
    main()
