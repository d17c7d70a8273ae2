"""What one camera knows of metres, and what a known size, distance or ground adds.

    python benchmarks/scale.py MOTIONS.npz [--split test] [--clips 300]

Clips of `benchmarks/filmed_clips.py` with their true focal lengths. Everything that was filmed is then made larger or
smaller about the camera, people, distances and the camera's height alike, which leaves the pictures as they are; so the
people have the statures in the table, and children the proportions of adults. The stature of a person is that of the
bone lengths (`pose_mdn.geometry.known_body`), the median over the clip.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from filmed_clips import FRAMES_PER_CLIP, FilmedClip, film_clips

from pose_mdn import metrics
from pose_mdn.distributions import PoseMixture
from pose_mdn.errors import InputError
from pose_mdn.geometry.body import KnownBodies, KnownBody
from pose_mdn.geometry.ground_plane import GroundPlane
from pose_mdn.geometry.known_body import stature_m
from pose_mdn.geometry.known_distance import RIGID_PAIRS, KnownDistance
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.inference.known_scale import KnownScale, with_known_scale
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.skeletons import HUMAN36M17

STATURES_M = (1.10, 1.50, 1.60, 1.70, 1.80, 1.90, 2.00)
Given = Callable[[FilmedClip], KnownScale | None]


def of_nothing(_clip: FilmedClip) -> None:
    """What most people know."""


def of_stature(clip: FilmedClip) -> KnownScale:
    """The true stature."""
    body = KnownBody(stature_m=float(np.median(stature_m(clip.joints_m))))
    return KnownScale(bodies=KnownBodies(everyone=body))


def of_distance(one: str, other: str) -> Given:
    """The true distance: the median of a rigid pair, or the one of the frame where the pair is farthest apart."""

    def known(clip: FilmedClip) -> KnownScale:
        apart = clip.joints_m[:, HUMAN36M17.index(one)] - clip.joints_m[:, HUMAN36M17.index(other)]
        distance = np.linalg.norm(apart, axis=-1)
        if frozenset((one, other)) in RIGID_PAIRS:
            return KnownScale(distances=[KnownDistance(joints=(one, other), distance_m=float(np.median(distance)))])
        row = int(distance.argmax())
        frame = int(clip.keypoints.frame[row])
        return KnownScale(distances=[KnownDistance(joints=(one, other), distance_m=float(distance[row]), frame=frame)])

    return known


def of_ground(*, tilt_deg: float = 0.0, height: float = 1.0) -> Given:
    """The ground, with an error of the camera's tilt, and of its height."""

    def known(clip: FilmedClip) -> KnownScale:
        angle = np.radians(tilt_deg)
        c, s = np.cos(angle), np.sin(angle)
        up = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]]) @ clip.up
        return KnownScale(ground=GroundPlane(up=up, camera_height_m=height * clip.camera_height_m))

    return known


GIVENS: dict[str, Given] = {
    "nothing": of_nothing,
    "stature": of_stature,
    "thigh": of_distance("l_hip", "l_knee"),
    "shoulders": of_distance("l_shoulder", "r_shoulder"),
    "wrists at one frame": of_distance("l_wrist", "r_wrist"),
    "ankles at one frame": of_distance("l_ankle", "r_ankle"),
    "ground": of_ground(),
    "ground, tilt 1 degree off": of_ground(tilt_deg=1.0),
    "ground, height 5 % off": of_ground(height=1.05),
}


def resized(clip: FilmedClip, wanted_m: float) -> FilmedClip:
    """The same picture of people of another stature."""
    scale = wanted_m / float(np.median(stature_m(clip.joints_m)))
    return replace(clip, joints_m=scale * clip.joints_m, camera_height_m=scale * clip.camera_height_m)


def figures(hypotheses: HypothesisSequence, clip: FilmedClip) -> list[float]:
    """MPJPE, PA-MPJPE, stature and distance errors in per cent, and whether 68 % intervals hold pose and distance."""
    truth = clip.joints_m[hypotheses.lifted]
    lifted = hypotheses.take(hypotheses.lifted)
    relative, means = truth - truth[:, :1], lifted.means_m.astype(np.float64)
    top, rows = lifted.most_probable, np.arange(len(truth))
    aligned = metrics.pa_mpjpe_mm(means, np.broadcast_to(relative[:, None], means.shape))
    samples = PoseMixture(lifted).sample(40, np.random.default_rng(0))[..., 1:, :]
    root = lifted.root_translation_m[rows, top].astype(np.float64) - truth[:, 0]
    along = np.einsum("ni,ni->n", root, lifted.view_rotation[..., 2])
    stated = lifted.root_std_m[rows, top, 1]
    return [
        metrics.top_1(metrics.mpjpe_mm(means, relative[:, None]), lifted.mixing_coefficients).mean(),
        metrics.top_1(aligned, lifted.mixing_coefficients).mean(),
        100 * np.abs(stature_m(means[rows, top]) / stature_m(truth) - 1).mean(),
        100 * (np.abs(along) / np.linalg.norm(truth[:, 0], axis=-1)).mean(),
        100 * metrics.coverage_at(metrics.coverage_curve(samples, relative[:, 1:]), 0.68),
        100 * float((np.abs(along) < stated).mean()) if np.isfinite(stated).all() else np.nan,
    ]


def print_row(name: str, given: Given, answers: list[HypothesisSequence], clips: list[FilmedClip]) -> None:
    """One row of the table; clips of which nothing could be told are counted, not scored."""
    found, refused = [], 0
    for answer, clip in zip(answers, clips, strict=True):
        try:
            scale = given(clip)
            found.append(figures(answer if scale is None else with_known_scale(answer, scale), clip))
        except InputError:
            refused += 1
    values = " | ".join(f"{value:5.1f}" for value in np.mean(found, axis=0))
    print(f"| {name:26} | {values} | {100 * refused / len(clips):3.0f} % |")


def lift(lifter: Lifter, clips: list[FilmedClip]) -> list[HypothesisSequence]:
    """Every clip by its true camera."""
    return [lifter.lift(replace(clip.keypoints, intrinsics=clip.intrinsics)) for clip in clips]


def main() -> None:
    """Command line; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("motions", type=Path)
    parser.add_argument("--split", choices=("train", "validation", "test"), default="test")
    parser.add_argument("--clips", type=int, default=300)
    given = parser.parse_args()
    clips = film_clips(given.motions, given.split, count=given.clips, frames=FRAMES_PER_CLIP, seed=7)
    # A camera of a tripod or a wall; nobody measures how high another one is.
    clips = [clip for clip in clips if 0.5 < clip.camera_height_m < 5.0]
    answers = lift(load_lifter("mdn_lifter", threads=1), clips)
    print(f"{len(clips)} clips")
    head = "MPJPE | PA-MPJPE | stature off, % | distance off, % | 68 % holds pose | 68 % holds distance | refused |"
    for title, people in (("of their own stature", clips), ("of 1.1 m", [resized(clip, 1.1) for clip in clips])):
        print(f"\n| known of people {title} | {head}\n|---|--:|--:|--:|--:|--:|--:|--:|")
        for name, known in GIVENS.items():
            print_row(name, known, answers, people)
    for name in ("nothing", "stature", "thigh", "ground"):
        print(f"\n| stature, {name} known | {head}\n|---|--:|--:|--:|--:|--:|--:|--:|")
        for stature in STATURES_M:
            print_row(f"{stature:.2f} m", GIVENS[name], answers, [resized(clip, stature) for clip in clips])


if __name__ == "__main__":
    main()
