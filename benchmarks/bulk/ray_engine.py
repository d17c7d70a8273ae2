"""The same folder lifted by `--engine local` and by `--engine ray` on this machine, side by side.

    python benchmarks/bulk/ray_engine.py --clips 200 --rows 3000

Prints, for each engine, seconds from the command to its end, seconds until the first file was done, poses per second
over all of it and between the first and the last file, and whether both wrote the same bytes.
"""

import argparse
import hashlib
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose_mdn.batch.engines.engine import EngineOptions, open_engine
from pose_mdn.batch.events import Done
from pose_mdn.batch.job import plan_jobs
from pose_mdn.batch.run import run_batch
from pose_mdn.batch.settings import LiftSettings


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One run of one engine; seconds count from the call of `run_batch`."""

    engine: str
    rows: int
    first_s: float
    last_s: float
    end_s: float
    digest: str

    def __str__(self) -> str:
        steady = self.rows / (self.last_s - self.first_s)
        return (
            f"{self.engine:6} {self.end_s:7.1f} s in all, first file after {self.first_s:5.1f} s, "
            f"{self.rows / self.end_s:8.0f} poses/s all in, {steady:8.0f} poses/s from first to last file"
        )


def write_clips(folder: Path, clips: int, rows: int) -> None:
    """Clips of random keypoints."""
    rng = np.random.default_rng(0)
    for number in range(clips):
        keypoints = rng.uniform(100, 900, (rows, 17, 2)).astype(np.float32)
        np.savez(folder / f"clip{number:04}.npz", keypoints=keypoints, skeleton="coco17")


def measure(engine: str, source: Path, out: Path, model: str, workers: int) -> Measured:
    """Lift a folder by an engine."""
    settings = LiftSettings(model=model)
    began_s = time.monotonic()
    times, rows = [], 0
    jobs = plan_jobs([str(source)], out)
    for event in run_batch(jobs, settings, open_engine(engine, EngineOptions(workers=workers)), out=out):
        if isinstance(event, Done):
            times.append(time.monotonic() - began_s)
            rows += event.result.rows
    end_s = time.monotonic() - began_s
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(out.glob("*.npz")))).hexdigest()
    return Measured(engine=engine, rows=rows, first_s=times[0], last_s=times[-1], end_s=end_s, digest=digest)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--model", default="mdn_lifter")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "clips"
        source.mkdir()
        write_clips(source, options.clips, options.rows)
        digests = set()
        for number in range(options.rounds):
            for engine in ("local", "ray"):
                out = Path(folder) / f"{engine}{number}"
                measured = measure(engine, source, out, options.model, options.workers)
                digests.add(measured.digest)
                print(measured, flush=True)
    print("the same bytes" if len(digests) == 1 else "DIFFERENT BYTES")
    print("load average", *(f"{load:.1f}" for load in os.getloadavg()))


if __name__ == "__main__":
    main()
