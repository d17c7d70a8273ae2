"""How often the reprojection check names what is wrong.

    python benchmarks/reprojection_faults.py CLIPS [--model mdn_lifter] [--seed 0]

CLIPS is a folder of keypoints files `clipNAME.npz` with their truth `clipNAME.truth.npz` (docs/evaluation.md). A clip
is lifted and then checked with something exchanged: against its own keypoints, and against those of a second calibrated
camera that stands elsewhere around the person, whose keypoints are the true joints with a detector's noise. A clip or a
row counts as named if the verdict on it is the right one.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats import read_keypoints
from pose_mdn.geometry.camera import Camera
from pose_mdn.inference import load_lifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.reprojection import Fault, ReprojectionCheck, check_reprojection
from pose_mdn.skeletons import HUMAN36M17

FLIP = list(HUMAN36M17.flip_indices)
NOISE = 0.012
"""Of the person's size; three in a hundred joints are off by five times as much."""
PLACES_DEG = (30.0, 60.0, 90.0, 135.0, 180.0, -45.0, -120.0)
"""Where the second camera stands, around the person from the first."""
MISTAKES_DEG = (20.0, 30.0, 45.0, 60.0, 90.0, 180.0)
"""By how much the camera that is named stands elsewhere than the one that took the picture."""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A clip, lifted, with (N, 17, 3) true joints in its camera's frame."""

    hypotheses: HypothesisSequence
    truth_m: NDArray[np.float64]


def read_clips(folder: Path, model: str) -> list[Clip]:
    """All clips of a folder."""
    lifter = load_lifter(model)
    clips = []
    for path in sorted(folder.glob("clip*.npz")):
        if path.name.endswith(".truth.npz"):
            continue
        with np.load(path.with_suffix(".truth.npz")) as truth:
            joints = truth["pose_camera_m"].astype(np.float64)
        clips.append(Clip(hypotheses=lifter.lift(read_keypoints(path)), truth_m=joints))
    return clips


def one_camera(clip: Clip) -> Iterator[tuple[str, Fault, ReprojectionCheck]]:
    """What may be wrong with one camera: name, right verdict, what was found."""
    lifted = clip.hypotheses
    points, matrix = lifted.keypoints_px, lifted.intrinsics[0]
    width = 2.0 * matrix[0, 2]
    mirrored = points * [-1, 1] + [width, 0]
    yield "nothing", Fault.NONE, check_reprojection(lifted)
    yield "left and right exchanged", Fault.SIDES, check_reprojection(lifted, keypoints_px=points[:, FLIP])
    name = "picture mirrored, detector run again"
    yield name, Fault.MIRRORED, check_reprojection(lifted, keypoints_px=mirrored[:, FLIP])
    yield "picture mirrored, names kept", Fault.MIRRORED, check_reprojection(lifted, keypoints_px=mirrored)
    for factor in (1.3, 1.1, 0.9, 0.8):
        camera = Camera(intrinsics=np.diag([factor, factor, 1.0]) @ (matrix - _centre(matrix)) + _centre(matrix))
        yield f"focal length {factor} times as long", Fault.CAMERA, check_reprojection(lifted, camera=camera)
    moved = matrix.copy()
    moved[0, 2] += 0.1 * width
    name = "principal point moved by 10 % of the width"
    yield name, Fault.CAMERA, check_reprojection(lifted, camera=Camera(intrinsics=moved))


def two_cameras(clip: Clip, rng: np.random.Generator) -> Iterator[tuple[str, Fault, ReprojectionCheck]]:
    """What may be wrong with a second camera of a rig."""
    here = _around(clip, 0.0)
    for place in PLACES_DEG:
        there = _around(clip, place)
        points = _detected(there.project(clip.truth_m), rng)

        def found(camera: Camera, seen: NDArray[np.float64]) -> ReprojectionCheck:
            return check_reprojection(clip.hypotheses, keypoints_px=seen, camera=camera, lifted_with=here)

        yield "second camera: nothing", Fault.NONE, found(there, points)
        yield "second camera: left and right exchanged", Fault.SIDES, found(there, points[:, FLIP])
        mirrored = points * [-1, 1] + [2.0 * there.intrinsics[0, 2], 0]
        yield "second camera: picture mirrored", Fault.MIRRORED, found(there, mirrored[:, FLIP])
        for mistake in MISTAKES_DEG:
            name = f"second camera: another one, {mistake:.0f} degrees away"
            yield name, Fault.TURNED, found(_around(clip, place + mistake), points)


def _centre(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([[0.0, 0.0, matrix[0, 2]], [0.0, 0.0, matrix[1, 2]], [0.0, 0.0, 0.0]])


def _around(clip: Clip, degrees: float) -> Camera:
    angle = np.deg2rad(degrees)
    rotation = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    middle = clip.truth_m[:, 0].mean(axis=0)
    return Camera(intrinsics=clip.hypotheses.intrinsics[0], rotation=rotation, translation=middle - rotation @ middle)


def _detected(points: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    size = np.linalg.norm(np.nanmax(points, axis=1) - np.nanmin(points, axis=1), axis=-1)
    outlier = np.where(rng.random(points.shape[:2]) < 0.03, 5.0, 1.0)
    noise: NDArray[np.float64] = NOISE * (size[:, None] * outlier)[..., None] * rng.standard_normal(points.shape)
    return points + noise


def main() -> None:
    """Command line; see the head of this file."""
    parser = argparse.ArgumentParser(description="How often the reprojection check names what is wrong.")
    parser.add_argument("clips", type=Path, help="folder of clips with their truth")
    parser.add_argument("--model", default="mdn_lifter")
    parser.add_argument("--seed", type=int, default=0, help="of the second camera's noise")
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    named: dict[str, list[bool]] = {}
    rows: dict[str, list[float]] = {}
    for clip in read_clips(arguments.clips, arguments.model):
        for name, right, found in [*one_camera(clip), *two_cameras(clip, rng)]:
            named.setdefault(name, []).append(found.diagnosis.overall is right)
            rows.setdefault(name, []).append(float(np.mean(found.diagnosis.fault == str(right))))
    print(f"{'what was done':48s} clips named right   single rows")
    for name, hits in named.items():
        print(f"{name:48s} {sum(hits):4d} of {len(hits):<4d} {np.mean(hits):6.1%}   {np.mean(rows[name]):6.1%}")


if __name__ == "__main__":
    main()
