"""Throughput of `pose-mdn lift` on folders of small clips, beside ONNX Runtime alone and orjson alone.

python benchmarks/bulk/folders.py [--clips 300] [--rows 300] [--workers 0] [--kinds npz coco openpose] [--rounds 3]

The same clips are made as keypoints .npz, as COCO results and as OpenPose folders. For each kind, in interleaved
rounds of which the best counts:

  raw       session.run on slices of 512 rows, as many threads as workers: no reading, no preparing, no writing
  orjson    orjson.loads of every file, one core (JSON kinds only)
  read      what the reader of pose-mdn takes for the same files, one core
  lift      the whole command, from its start to its end, with every result on disk

`lift / raw` is the share of ONNX Runtime's throughput that is left; `read / orjson` how much longer reading takes than
parsing alone.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import orjson

import pose_mdn
from pose_mdn.batch.engines.local import available_cores
from pose_mdn.batch.job import Job, plan_jobs
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.batch.work import read_source
from pose_mdn.inference import find_bundle
from pose_mdn.inference.session import open_part

SAMPLE = Path(pose_mdn.__file__).parent / "samples" / "walking_clip.npz"
COMMAND = [sys.executable, "-c", "from pose_mdn.cli import main; main()", "lift"]
SLICE_ROWS = 512
COCO_OF_BLAZEPOSE = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
"""Nose, eyes, ears, shoulders, elbows, wrists, hips, knees and ankles among BlazePose's 33 landmarks."""


def make_clip(seed: int, rows: int) -> np.ndarray:
    """(rows, 17, 3) x, y, confidence of COCO joints: the bundled clip again and again, with noise."""
    with np.load(SAMPLE) as arrays:
        keypoints, confidence = arrays["keypoints"], arrays["confidence"]
    seen = np.flatnonzero(np.isfinite(keypoints).all(axis=(1, 2)) & (confidence.min(axis=1) > 0))
    chosen = seen[np.arange(rows) % len(seen)]
    points = keypoints[chosen][:, COCO_OF_BLAZEPOSE]
    noisy = points + np.random.default_rng(seed).normal(0, 2, points.shape)
    return np.concatenate([noisy.round(2), confidence[chosen][:, COCO_OF_BLAZEPOSE, None].round(3)], axis=-1)


def write_npz(folder: Path, name: str, clip: np.ndarray) -> None:
    """A keypoints file."""
    values = clip.astype(np.float32)
    size = [1768, 994]
    np.savez(
        folder / f"{name}.npz", keypoints=values[..., :2], confidence=values[..., 2], skeleton="coco17", image_size=size
    )


def write_coco(folder: Path, name: str, clip: np.ndarray) -> None:
    """COCO results, as detectors write them for a film."""
    people = [
        {"image_id": frame, "category_id": 1, "keypoints": pose.reshape(-1).tolist(), "score": 0.9}
        for frame, pose in enumerate(clip)
    ]
    (folder / f"{name}.json").write_text(json.dumps(people))


def write_openpose(folder: Path, name: str, clip: np.ndarray) -> None:
    """A folder with one file per frame; the COCO joints among BODY_25's, the others unseen."""
    recording = folder / name
    recording.mkdir()
    body25 = np.zeros((len(clip), 25, 3))
    body25[:, [0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11]] = clip
    for frame, pose in enumerate(body25):
        person = {"person_id": [-1], "pose_keypoints_2d": pose.reshape(-1).round(3).tolist()}
        (recording / f"{name}_{frame:012d}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": [person]}))


KINDS: dict[str, Callable[[Path, str, np.ndarray], None]] = {
    "npz": write_npz,
    "coco": write_coco,
    "openpose": write_openpose,
}


def raw_s(rows: int, threads: int, model: str) -> float:
    """Seconds that ONNX Runtime alone takes for so many rows."""
    session = open_part(find_bundle(model), threads=1)
    clip = make_clip(0, SLICE_ROWS).astype(np.float32)
    shapes = {entry.name: entry.shape[1:] for entry in session.get_inputs()}
    feed = {
        "keypoints_px": np.resize(clip[..., :2], (SLICE_ROWS, *shapes["keypoints_px"])),
        "confidence": np.ones((SLICE_ROWS, *shapes["confidence"]), np.float32),
        "intrinsics": np.tile(np.array([[1757, 0, 884], [0, 1757, 497], [0, 0, 1]], np.float32), (SLICE_ROWS, 1, 1)),
    }
    slices = max(rows // SLICE_ROWS, threads)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: session.run(None, feed), range(threads)))
        began_s = time.perf_counter()
        list(pool.map(lambda _: session.run(None, feed), range(slices)))
        return (time.perf_counter() - began_s) * rows / (slices * SLICE_ROWS)


def orjson_s(source: Path) -> float:
    """Seconds that orjson takes for every file."""
    files = sorted(source.rglob("*.json"))
    began_s = time.perf_counter()
    for file in files:
        orjson.loads(file.read_bytes())
    return time.perf_counter() - began_s


def read_s(jobs: list[Job], settings: LiftSettings) -> float:
    """Seconds that the reader takes for every clip."""
    began_s = time.perf_counter()
    for job in jobs:
        read_source(Path(job.source), job, settings)
    return time.perf_counter() - began_s


def lift_s(source: Path, out: Path, workers: int, model: str) -> float:
    """Seconds that the command takes."""
    words = [str(source), "-o", str(out), "--workers", str(workers), "--model", model, "--json", "--no-index"]
    began_s = time.perf_counter()
    subprocess.run([*COMMAND, *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began_s


def measure(kind: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The best of several rounds, for one kind of files."""
    source = folder / kind
    source.mkdir()
    for number in range(options.clips):
        KINDS[kind](source, f"clip_{number:05}", make_clip(number, options.rows))
    rows, workers = options.clips * options.rows, options.workers or available_cores()
    jobs, settings = plan_jobs([str(source)], folder / "out"), LiftSettings()
    assert len(jobs) == options.clips
    best: dict[str, float] = {}
    for number in range(options.rounds):
        seconds = {"raw": raw_s(rows, workers, options.model), "read": read_s(jobs, settings)}
        if kind != "npz":
            seconds["orjson"] = orjson_s(source)
        seconds["lift"] = lift_s(source, folder / f"out_{kind}_{number}", workers, options.model)
        best = {name: min(value, best.get(name, value)) for name, value in seconds.items()}
    return best


def main() -> None:
    """Read the options, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="mdn_lifter")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    options = parser.parse_args()
    rows = options.clips * options.rows
    print(
        f"{options.clips} clips of {options.rows} rows, {options.workers or available_cores()} workers, {options.model}"
    )
    print("| kind | raw rows/s | lift rows/s | lift / raw | lift files/s | read s | orjson s | read / orjson |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for kind in options.kinds:
        with tempfile.TemporaryDirectory() as folder:
            best = measure(kind, Path(folder), options)
        orjson_cells = f"{best['orjson']:.2f} | {best['read'] / best['orjson']:.2f}" if "orjson" in best else "| "
        print(
            f"| {kind} | {rows / best['raw']:,.0f} | {rows / best['lift']:,.0f} | {best['raw'] / best['lift']:.2f} "
            f"| {options.clips / best['lift']:.1f} | {best['read']:.2f} | {orjson_cells} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
