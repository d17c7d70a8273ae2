"""What several views are worth: virtual rigs of cameras around the poses of subjects kept from training.

    python benchmarks/fusion.py MOTIONS.npz [--split test] [--rigs 24] [--frames 40] [--seed 2] [--model mdn_lifter]

Each rig has eight cameras around a place where people move within 0.7 m, at 2.5 to 6 m and heights of 0.4 to 3 m, with
fields of view of 59 to 94 degrees, directions drawn at random but at least 27 degrees apart; tables use its first 1, 2,
3, 4, 6 and 8. Keypoints have noise of 1.2 % of the person's size per axis, six times that for 3 % of them. Errors are
root-relative MPJPE in mm of the likeliest hypothesis, as for single views. Needs torch (for what reads motions) and a
motion data file (docs/training.md).
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from pose_mdn import metrics
from pose_mdn.data.mocap import MotionData, read_motion_data
from pose_mdn.fusion import FusionSettings, fuse_views
from pose_mdn.geometry.camera import Camera
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.poses.fused import FusedPoseSequence, ViewStatus
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import HUMAN36M17

VIEWS = (1, 2, 3, 4, 6, 8)
NOISE, OUTLIERS, OUTLIER_FACTOR = 0.012, 0.03, 6.0
FLIP = list(HUMAN36M17.flip_indices)
LIMBS = [HUMAN36M17.index(f"{s}_{j}") for s in "lr" for j in ("knee", "ankle", "elbow", "wrist")]
JOINTS = HUMAN36M17.num_joints


@dataclass(frozen=True, kw_only=True)
class Rig:
    """Cameras, what each saw (T, 17, 2), and where joints were (T, 17, 3)."""

    cameras: list[Camera]
    pixels: list[np.ndarray]
    truth: np.ndarray


def camera_at(rng: np.random.Generator, azimuth: float, name: str) -> Camera:
    """A level camera, about, that looks at the middle of the place; the world's z is up."""
    distance, height = rng.uniform(2.5, 6.0), rng.uniform(0.4, 3.0)
    height = min(height, 1.0 + 0.6 * distance)
    radius = np.sqrt(distance**2 - (height - 1.0) ** 2)
    center = np.array([radius * np.cos(azimuth), radius * np.sin(azimuth), height])
    forward = np.array([0.0, 0.0, 1.0]) + rng.normal(0, 0.15, 3) - center
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    roll = rng.normal(0, 0.03)
    turn = np.array([[np.cos(roll), np.sin(roll), 0], [-np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    rotation = turn @ np.stack([right, np.cross(forward, right), forward])
    focal = rng.uniform(900, 1700)
    matrix = np.array([[focal, 0, 960], [0, focal, 540], [0, 0, 1.0]])
    return Camera(
        intrinsics=matrix, rotation=rotation, translation=-rotation @ center, image_size=(1920, 1080), name=name
    )


def observe(rng: np.random.Generator, camera: Camera, joints: np.ndarray) -> np.ndarray:
    """Noisy keypoints."""
    points = camera.project(joints)
    size = np.linalg.norm(points.max(axis=1) - points.min(axis=1), axis=-1)
    factor = np.where(rng.random(points.shape[:2]) < OUTLIERS, OUTLIER_FACTOR, 1.0)
    return points + (NOISE * size[:, None] * factor)[..., None] * rng.standard_normal(points.shape)


def build_rigs(motion: MotionData, *, rigs: int, frames: int, seed: int) -> list[Rig]:
    """Rigs with poses drawn from a split."""
    rng = np.random.default_rng(seed)
    return [_build_rig(motion, frames, rng) for _ in range(rigs)]


def _build_rig(motion: MotionData, frames: int, rng: np.random.Generator) -> Rig:
    index = np.sort(rng.choice(len(motion), frames, replace=False))
    joints = motion.pose_m[index].astype(np.float64)[..., [0, 2, 1]] * [1, -1, 1]
    joints[..., :2] += rng.uniform(-0.7, 0.7, (frames, 1, 2)) - joints[:, :1, :2]
    joints[..., 2] += 0.08 - joints[..., 2].min(axis=1, keepdims=True)
    azimuths: list[float] = []
    while len(azimuths) < max(VIEWS):
        azimuth = rng.uniform(-np.pi, np.pi)
        if all(abs((azimuth - other + np.pi) % (2 * np.pi) - np.pi) > np.radians(27) for other in azimuths):
            azimuths.append(azimuth)
    cameras = [camera_at(rng, azimuth, f"cam{number}") for number, azimuth in enumerate(azimuths, 1)]
    return Rig(cameras=cameras, pixels=[observe(rng, camera, joints) for camera in cameras], truth=joints)


def lift(lifter: Lifter, camera: Camera, pixels: np.ndarray, seen: np.ndarray | None = None) -> HypothesisSequence:
    """Lift what a camera saw."""
    seen = np.ones(pixels.shape[:2], bool) if seen is None else seen
    return lifter.lift(
        KeypointSequence(
            keypoints_px=np.where(seen[..., None], pixels, np.nan).astype(np.float32),
            confidence=seen.astype(np.float32),
            skeleton=HUMAN36M17,
            frame=np.arange(len(pixels)),
            person=np.zeros(len(pixels), np.int64),
            intrinsics=camera.intrinsics,
            distortion=camera.distortion,
        )
    )


def error_mm(poses: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(...) root-relative MPJPE."""
    return np.asarray(metrics.mpjpe_mm(poses - poses[..., :1, :], truth - truth[..., :1, :]))


def single_errors(lifted: list[HypothesisSequence], rig: Rig) -> np.ndarray:
    """(V, T) top-1 errors of each view."""
    rows = np.arange(len(rig.truth))
    return np.stack(
        [
            error_mm(h.means_m[rows, h.most_probable].astype(np.float64), camera.world_to_camera(rig.truth))
            for h, camera in zip(lifted, rig.cameras, strict=False)
        ]
    )


def fuse(lifted: list[HypothesisSequence], cameras: list[Camera], method: str = "posterior") -> FusedPoseSequence:
    """Fuse the views of a rig's first cameras."""
    views = {camera.name: view for camera, view in zip(cameras, lifted, strict=False)}
    return fuse_views(views, {c.name: c for c in cameras}, settings=FusionSettings(method=method))  # type: ignore[arg-type]


def linear_triangulation(rig: Rig, views: int) -> np.ndarray:
    """(T, 17, 3) by cv2.triangulatePoints for two views, the same linear equations for more."""
    if views == 2:
        first, second = rig.cameras[:2]
        points = cv2.triangulatePoints(
            first.projection_matrix, second.projection_matrix,
            rig.pixels[0].reshape(-1, 2).T, rig.pixels[1].reshape(-1, 2).T,
        )  # fmt: skip
        return (points[:3] / points[3]).T.reshape(-1, JOINTS, 3)
    rows = [
        pixels[..., axis, None] * camera.projection_matrix[2] - camera.projection_matrix[axis]
        for camera, pixels in zip(rig.cameras[:views], rig.pixels, strict=False)
        for axis in range(2)
    ]
    equations = np.stack(rows, axis=-2)
    equations /= np.linalg.norm(equations, axis=-1, keepdims=True)
    point = np.linalg.svd(equations)[2][..., -1, :]
    return point[..., :3] / point[..., 3:]


def coverage(fused: FusedPoseSequence, truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(21, 16, 3) how often stated intervals hold the truth."""
    factor = np.linalg.cholesky(fused.covariance_m2[:, :, 1:].astype(np.float64) + 1e-12 * np.eye(3))
    pick = (rng.random((200, len(fused), 1)) > np.cumsum(fused.mixing_coefficients, axis=1)[:, :-1]).sum(axis=-1)
    rows = np.arange(len(fused))
    noise = rng.standard_normal((200, len(fused), JOINTS - 1, 3))
    samples = fused.means_m[rows, pick][:, :, 1:] + (factor[rows, pick] @ noise[..., None])[..., 0]
    return metrics.coverage_curve(samples, (truth - truth[:, :1])[:, 1:])


def print_methods(rigs: list[Rig], lifted: list[list[HypothesisSequence]]) -> None:
    """Every method by the number of views."""
    print(
        "\nviews | best camera | best in hindsight | linear | triangulation | consistency | posterior |  cut by | (hs.)"
    )
    for views in VIEWS:
        single = [single_errors(view[:views], rig) for rig, view in zip(rigs, lifted, strict=True)]
        best = np.mean([errors.mean(axis=1).min() for errors in single])
        hindsight = np.mean([errors.min(axis=0).mean() for errors in single])
        linear = (
            np.mean([error_mm(linear_triangulation(rig, views), rig.truth).mean() for rig in rigs])
            if views > 1
            else np.nan
        )
        by_method = [
            np.nanmean([
                error_mm(fuse(view[:views], rig.cameras, method).means_m[:, 0], rig.truth)
                for rig, view in zip(rigs, lifted, strict=True)
            ]) if views > 1 or method != "triangulation" else np.nan
            for method in ("triangulation", "consistency", "posterior")
        ]  # fmt: skip
        print(
            f"{views:5} | {best:11.1f} | {hindsight:17.1f} | {linear:6.1f} | "
            + " | ".join(f"{value:{width}.1f}" for value, width in zip(by_method, (13, 11, 9), strict=True))
            + f" | {100 - 100 * by_method[-1] / best:5.0f} % | {100 - 100 * by_method[-1] / hindsight:3.0f} %"
        )


def print_calibration(rigs: list[Rig], lifted: list[list[HypothesisSequence]]) -> None:
    """Whether stated uncertainty is there."""
    print("\nviews | 68 % intervals hold |   ECE | pelvis off, mm")
    for views in VIEWS:
        fused = [fuse(view[:views], rig.cameras) for rig, view in zip(rigs, lifted, strict=True)]
        curve = np.mean(
            [coverage(f, r.truth, np.random.default_rng(0)) for f, r in zip(fused, rigs, strict=True)], axis=0
        )
        off = np.mean([
            np.linalg.norm(f.root_translation_m[:, 0] - r.truth[:, 0], axis=-1)
            for f, r in zip(fused, rigs, strict=True)
        ])  # fmt: skip
        held = 100 * metrics.coverage_at(curve, 0.68)
        print(f"{views:5} | {held:17.1f} % | {metrics.expected_calibration_error(curve):.3f} | {1000 * off:6.0f}")


Change = Callable[[Rig, int, Lifter, np.random.Generator], list[HypothesisSequence]]


def hidden(joints: list[int]) -> Change:
    """Two joints are unseen in all views but the last."""

    def change(rig: Rig, views: int, lifter: Lifter, rng: np.random.Generator) -> list[HypothesisSequence]:
        seen = np.ones((len(rig.truth), JOINTS), bool)
        two = np.array(joints)[rng.random((len(seen), len(joints))).argsort(axis=1)[:, :2]]
        seen[np.arange(len(seen))[:, None], two] = False
        return [
            lift(lifter, rig.cameras[view], rig.pixels[view], seen if view < views - 1 else None)
            for view in range(views)
        ]

    return change


def _first_replaced(make: Callable[[Rig, np.random.Generator], np.ndarray]) -> Change:
    def change(rig: Rig, views: int, lifter: Lifter, rng: np.random.Generator) -> list[HypothesisSequence]:
        pixels = [make(rig, rng), *rig.pixels[1:views]]
        return [lift(lifter, camera, seen) for camera, seen in zip(rig.cameras, pixels, strict=False)]

    return change


def another_person(rig: Rig, rng: np.random.Generator) -> np.ndarray:
    """What the first camera sees of somebody 1.2 m beside, in another pose."""
    angle = rng.uniform(0, 2 * np.pi, len(rig.truth))
    beside = np.stack([1.2 * np.cos(angle), 1.2 * np.sin(angle), 0 * angle], axis=-1)
    return observe(rng, rig.cameras[0], np.roll(rig.truth, 7, axis=0) + beside[:, None])


def another_moment(rig: Rig, rng: np.random.Generator) -> np.ndarray:
    """The same person elsewhere in the motion, with the pelvis where it should be."""
    other = np.roll(rig.pixels[0], 7, axis=0)
    return other - other[:, :1] + rig.pixels[0][:, :1]


def gross_wrist(rig: Rig, rng: np.random.Generator) -> np.ndarray:
    """The left wrist is 200 px off."""
    pixels = rig.pixels[0].copy()
    angle = rng.uniform(0, 2 * np.pi, len(pixels))
    pixels[:, HUMAN36M17.index("l_wrist")] += 200 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return pixels


def print_faults(rigs: list[Rig], lifter: Lifter, plain: list[list[HypothesisSequence]]) -> None:
    """What is survived, and named."""
    changes: dict[str, tuple[Change, Callable[[FusedPoseSequence], float] | None]] = {
        "two joints unseen but in one": (hidden(list(range(1, JOINTS))), None),
        "two limb joints unseen but in one": (hidden(LIMBS), None),
        "another person in one": (_first_replaced(another_person), _left_out),
        "another moment in one": (_first_replaced(another_moment), _left_out),
        "sides exchanged in one": (
            _first_replaced(lambda rig, rng: rig.pixels[0][:, FLIP]),
            lambda f: float((f.view_status[:, 0] == ViewStatus.SIDES_EXCHANGED).mean()),
        ),
        "left wrist 200 px off in one": (
            _first_replaced(gross_wrist),
            lambda f: float(f.gross_errors[:, 0, HUMAN36M17.index("l_wrist")].mean()),
        ),
    }
    print("\nfault | views | MPJPE without | with | more | named")
    for name, (change, named) in changes.items():
        for views in (2, 3, 4):
            rng = np.random.default_rng(views)
            before, after, share = [], [], []
            for rig, view in zip(rigs, plain, strict=True):
                fused = fuse(change(rig, views, lifter, rng), rig.cameras)
                before.append(error_mm(fuse(view[:views], rig.cameras).means_m[:, 0], rig.truth).mean())
                after.append(error_mm(fused.means_m[:, 0], rig.truth).mean())
                share.append(np.nan if named is None else named(fused))
            told = "" if named is None else f"{100 * np.mean(share):.0f} %"
            more = 100 * np.mean(after) / np.mean(before) - 100
            print(f"{name} | {views} | {np.mean(before):.1f} | {np.mean(after):.1f} | {more:+.0f} % | {told}")


def _left_out(fused: FusedPoseSequence) -> float:
    return float((fused.view_status[:, 0] == ViewStatus.LEFT_OUT).mean())


def print_wrong_calibration(rigs: list[Rig], lifted: list[list[HypothesisSequence]]) -> None:
    """Extrinsics that are off by a degree and two centimetres, in each camera another way."""
    print("\nviews | exact extrinsics | off by 1 degree and 2 cm | the same, triangulated")
    for views in (2, 4, 8):
        rng = np.random.default_rng(0)
        off = [[_moved(camera, rng) for camera in rig.cameras] for rig in rigs]
        figures = [
            np.nanmean([
                error_mm(fuse(view[:views], cameras, method).means_m[:, 0], rig.truth)
                for rig, view, cameras in zip(rigs, lifted, chosen, strict=True)
            ])
            for chosen, method in (([r.cameras for r in rigs], "posterior"), (off, "posterior"), (off, "triangulation"))
        ]  # fmt: skip
        print(f"{views:5} | {figures[0]:16.1f} | {figures[1]:24.1f} | {figures[2]:10.1f}")


def _moved(camera: Camera, rng: np.random.Generator) -> Camera:
    axis, shift = rng.normal(size=3), rng.normal(size=3)
    turn = cv2.Rodrigues(np.radians(1.0) * axis / np.linalg.norm(axis))[0]
    center = camera.optical_center + 0.02 * shift / np.linalg.norm(shift)
    rotation = turn @ camera.rotation
    return replace(camera, rotation=rotation, translation=-rotation @ center)


def print_speed(rigs: list[Rig], lifted: list[list[HypothesisSequence]]) -> None:
    """Milliseconds per frame, best of several."""
    print("\nviews | ms per frame, all frames at once | one frame at a time")
    for views in VIEWS:
        many = [h.take(np.tile(np.arange(len(h)), 8)) for h in lifted[0][:views]]
        many = [replace(h, frame=np.arange(len(h))) for h in many]
        one = [h.take(slice(0, 1)) for h in many]
        batched = min(_seconds(many, rigs[0].cameras) for _ in range(5)) / len(many[0])
        alone = min(_seconds(one, rigs[0].cameras) for _ in range(30))
        print(f"{views:5} | {1000 * batched:32.2f} | {1000 * alone:.2f}")


def _seconds(views: list[HypothesisSequence], cameras: list[Camera]) -> float:
    start = time.perf_counter()
    fuse(views, cameras)
    return time.perf_counter() - start


def _lifted(rigs: list[Rig], lifter: Lifter) -> Iterator[list[HypothesisSequence]]:
    for rig in rigs:
        yield [lift(lifter, camera, pixels) for camera, pixels in zip(rig.cameras, rig.pixels, strict=True)]


def main() -> None:
    """Command line; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("motions", type=Path)
    parser.add_argument("--split", choices=("train", "validation", "test"), default="test")
    parser.add_argument("--rigs", type=int, default=24)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--model", default="mdn_lifter")
    given = parser.parse_args()
    lifter = load_lifter(given.model, threads=1)
    motion = read_motion_data(given.motions, given.split)
    rigs = build_rigs(motion, rigs=given.rigs, frames=given.frames, seed=given.seed)
    lifted = list(_lifted(rigs, lifter))
    print(f"{given.split}: {given.rigs} rigs of {max(VIEWS)} cameras, {given.frames} frames each, seed {given.seed}")
    print_methods(rigs, lifted)
    print_calibration(rigs, lifted)
    print_faults(rigs, lifter, lifted)
    print_wrong_calibration(rigs, lifted)
    print_speed(rigs, lifted)


if __name__ == "__main__":
    main()
