"""How close reading detectors' JSON comes to parsing it, measured turn by turn so that both see the same machine.

    python benchmarks/bulk/json_reading.py [--frames 4000] [--people 60000] [--rounds 9]

"orjson" opens, reads and parses the same files and throws the result away; "read" makes a `KeypointSequence` of them:
format and layout found, frames and people ordered, missing joints marked. Times are processor times, which other
programs disturb less, and medians over rounds; "wall" is the ratio of the times on the clock.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson

from pose_mdn.formats import read_keypoints

HANDS_AND_FACE = {"face_keypoints_2d": 70, "hand_left_keypoints_2d": 21, "hand_right_keypoints_2d": 21}
NEVER_FILLED = ("pose_keypoints_3d", "face_keypoints_3d", "hand_left_keypoints_3d", "hand_right_keypoints_3d")


def joints(random: np.random.Generator, count: int) -> list[float]:
    """Flat x, y, confidence with as many digits as OpenPose writes."""
    return (random.uniform(0, 1, (count, 3)) * (1920, 1080, 1)).round(4).ravel().tolist()


def write_openpose(folder: Path, frames: int, *, whole: bool) -> list[Path]:
    """One person a frame: 25 joints of the body, and 112 of hands and face or empty lists in their place."""
    random = np.random.default_rng(0)
    paths = [folder / f"walk_{frame:012d}_keypoints.json" for frame in range(frames)]
    for path in paths:
        parts = {key: joints(random, count) if whole else [] for key, count in HANDS_AND_FACE.items()}
        person = {"person_id": [-1], "pose_keypoints_2d": joints(random, 25), **parts}
        person |= {key: [] for key in NEVER_FILLED}
        path.write_bytes(orjson.dumps({"version": 1.3, "people": [person]}))
    return paths


def write_coco(path: Path, people: int) -> list[Path]:
    """COCO results, three people a picture."""
    random = np.random.default_rng(0)
    entries = [
        {"image_id": i // 3, "category_id": 1, "keypoints": joints(random, 17), "score": 0.9} for i in range(people)
    ]
    path.write_bytes(orjson.dumps(entries))
    return [path]


def write_alphapose(path: Path, people: int) -> list[Path]:
    """Halpe's 136 joints with boxes and tracks, three people a picture."""
    random = np.random.default_rng(0)
    more = {"category_id": 1, "score": 2.9, "box": [1.5, 2.5, 100.25, 200.75]}
    entries = [
        {"image_id": f"{i // 3}.jpg", "keypoints": joints(random, 136), "idx": i % 3, **more} for i in range(people)
    ]
    path.write_bytes(orjson.dumps(entries))
    return [path]


def write_mmpose(path: Path, people: int) -> list[Path]:
    """An inferencer's film, three people a frame, indented by two spaces as mmengine does."""
    random = np.random.default_rng(0)

    def instance() -> dict[str, object]:
        values = random.uniform(0, 1000, (17, 2)).tolist()
        return {
            "keypoints": values,
            "keypoint_scores": random.uniform(0, 1, 17).tolist(),
            "bbox": [[1.0, 2.0, 3.0, 4.0]],
        }

    frames = [{"frame_id": i, "instances": [instance() for _ in range(3)]} for i in range(people // 3)]
    path.write_bytes(orjson.dumps(frames, option=orjson.OPT_INDENT_2))
    return [path]


def write_cases(folder: Path, frames: int, people: int) -> dict[str, tuple[Path, list[Path]]]:
    """What is read, and the files that it consists of."""
    for part in ("whole", "body"):
        (folder / part).mkdir()
    return {
        "OpenPose folder, 137 joints": (
            folder / "whole",
            write_openpose(folder / "whole", frames, whole=True),
        ),
        "OpenPose folder, body only": (
            folder / "body",
            write_openpose(folder / "body", frames, whole=False),
        ),
        "COCO results, 17 joints": (folder / "coco.json", write_coco(folder / "coco.json", people)),
        "AlphaPose, 136 joints": (
            folder / "alpha.json",
            write_alphapose(folder / "alpha.json", people // 8),
        ),
        "MMPose film, 17 joints": (
            folder / "mmpose.json",
            write_mmpose(folder / "mmpose.json", people // 2),
        ),
    }


def parse_all(paths: list[Path]) -> None:
    """What is compared with: nothing but parsing."""
    for path in map(os.fspath, paths):
        with open(path, "rb") as stream:
            orjson.loads(stream.read())


def seconds(task: Callable[[], object]) -> tuple[float, float]:
    """Processor time and time on the clock of one call."""
    began, began_wall = time.process_time(), time.perf_counter()
    task()
    return time.process_time() - began, time.perf_counter() - began_wall


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="Reading keypoints from JSON beside orjson alone.")
    parser.add_argument("--frames", type=int, default=4000, help="files in a folder")
    parser.add_argument("--people", type=int, default=60_000, help="people in one file")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = write_cases(folder, options.frames, options.people)
        print(f"{options.frames} files a folder, median of {options.rounds} rounds")
        print(f"{'case':30s}{'MB':>7s}{'rows':>8s}{'orjson, s':>11s}{'read, s':>9s}{'read/orjson':>13s}{'wall':>7s}")
        for case, (path, paths) in cases.items():
            size = sum(file.stat().st_size for file in paths) / 1e6
            rows = len(read_keypoints(path))
            rounds = [
                (seconds(lambda paths=paths: parse_all(paths)), seconds(lambda path=path: read_keypoints(path)))
                for _ in range(options.rounds + 1)
            ][1:]  # the first one warms up
            parsed, read = (statistics.median(turn[i][0] for turn in rounds) for i in (0, 1))
            ratio, wall = (statistics.median(turn[1][i] / turn[0][i] for turn in rounds) for i in (0, 1))
            print(f"{case:30s}{size:7.1f}{rows:8,d}{parsed:11.3f}{read:9.3f}{ratio:13.2f}{wall:7.2f}")


if __name__ == "__main__":
    main()
