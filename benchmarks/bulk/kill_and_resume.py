"""Kill `pose-mdn lift` ten times at random moments, resume it each time, and compare with a run that nobody disturbed.

python benchmarks/bulk/kill_and_resume.py [--files 1000] [--damaged 0.05] [--kills 10] [--seed 0]

A folder of small clips is made of the bundled one, some of them damaged in one of several ways. Each kill is a SIGKILL
to the command or to one of its workers. Printed is what each run had done when it died, and whether the bytes are equal
at the end. The exit code is 1 if they are not.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import pose_mdn

SAMPLE = Path(pose_mdn.__file__).parent / "samples" / "walking_clip.npz"
COMMAND = [sys.executable, "-c", "from pose_mdn.cli import main; main()", "lift"]


def make_folder(folder: Path, files: int, damaged: int, chance: random.Random) -> None:
    """Clips of 20 to 1200 rows; every damaged one is unreadable for one of five reasons."""
    with np.load(SAMPLE) as arrays:
        clip = {name: arrays[name] for name in ("keypoints", "confidence", "skeleton", "image_size", "fps")}
    bad = set(chance.sample(range(files), damaged))
    for number in range(files):
        path = folder / f"day_{number % 7}" / f"clip_{number:05}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = np.arange(chance.randrange(20, 1200)) % len(clip["keypoints"])
        noise = np.random.default_rng(number).normal(0, 2, (len(rows), *clip["keypoints"].shape[1:]))
        keypoints = (clip["keypoints"][rows] + noise).astype(np.float32)
        np.savez(path, **{**clip, "keypoints": keypoints, "confidence": clip["confidence"][rows]})
        if number in bad:
            damage(path, chance)


def damage(path: Path, chance: random.Random) -> None:
    """Spoil a file."""
    content = path.read_bytes()
    kind = chance.randrange(5)
    if kind == 0:
        path.write_bytes(content[: chance.randrange(len(content))])
    elif kind == 1:
        path.write_bytes(b"")
    elif kind == 2:
        path.write_bytes(chance.randbytes(len(content) // 10))
    elif kind == 3:
        np.savez(path, keypoints=np.zeros((5, 16, 2)), skeleton="coco17")
    else:
        path.write_text('{"people": "nobody"}')


def start(source: Path, out: Path, workers: int) -> "subprocess.Popen[str]":
    """A run that leaves out what is done."""
    words = [str(source), "-o", str(out), "--resume", "--json", "--workers", str(workers)]
    return subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def workers_of(process: int) -> list[int]:
    """Processes that a run has started to work."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == process and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def kill_one(process: "subprocess.Popen[str]", chance: random.Random) -> str:
    """SIGKILL, mostly to the command; a run whose worker died goes on, and is killed itself a moment later."""
    workers = workers_of(process.pid)
    victim = "command"
    if workers and chance.random() < 0.3:
        os.kill(chance.choice(workers), signal.SIGKILL)
        victim = "worker, then command"
        time.sleep(chance.uniform(0.1, 2.0))
    process.kill()
    process.communicate()
    return victim


def count(out: Path) -> int:
    """How many results there are."""
    return sum(1 for _ in out.rglob("[!.]*.npz"))


def checksums(out: Path) -> dict[str, str]:
    """Of all files but the manifest and the page of the folder, which names it."""
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in out.rglob("*")
        if path.is_file() and ".pose-mdn" not in path.parts and path.name != "index.html"
    }


def finish(process: "subprocess.Popen[str]") -> dict[str, object]:
    """The last event of a run."""
    stdout, _ = process.communicate()
    event: dict[str, object] = json.loads(stdout.splitlines()[-1])
    return event


def measure(folder: Path, arguments: argparse.Namespace) -> bool:
    """Print the table; whether the bytes are equal."""
    chance = random.Random(arguments.seed)
    source, whole, out = folder / "in", folder / "whole", folder / "out"
    make_folder(source, arguments.files, round(arguments.files * arguments.damaged), chance)
    began_s = time.monotonic()
    undisturbed = finish(start(source, whole, arguments.workers))
    took_s = time.monotonic() - began_s
    print(f"seed {arguments.seed}; undisturbed: {took_s:.1f} s, {describe(undisturbed)}")
    print("| kill | victim | after s | results then |\n|--:|---|--:|--:|")
    for number in range(arguments.kills):
        after_s = chance.uniform(0.5, 2.5 * took_s / arguments.kills)
        process = start(source, out, arguments.workers)
        try:
            process.wait(after_s)
            victim = "none, it was done"
        except subprocess.TimeoutExpired:
            victim = kill_one(process, chance)
        print(f"| {number + 1} | {victim} | {after_s:.2f} | {count(out)} |", flush=True)
    last = finish(start(source, out, arguments.workers))
    equal = checksums(out) == checksums(whole)
    print(f"resumed to the end: {describe(last)}")
    print(f"{len(checksums(whole))} files, bytes {'equal' if equal else 'DIFFER'}")
    return equal


def describe(event: dict[str, object]) -> str:
    """What a finished run says of itself."""
    results, failed = event["results"], event["failed"]
    assert isinstance(results, list)
    assert isinstance(failed, list)
    return f"{len(results)} done, {event['skipped']} done before, {len(failed)} failed"


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--damaged", type=float, default=0.05)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(0 if measure(Path(folder), arguments) else 1)


if __name__ == "__main__":
    main()
