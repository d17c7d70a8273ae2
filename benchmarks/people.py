"""Who is who: following people over frames, and telling them apart across views.

OMP_NUM_THREADS=1 python benchmarks/people.py MOTION_DATA [--split test] [--rooms 8] [--only tracking|views]

Motions of a split are put into one room of virtual cameras: two to five people (one to five across views) who cross
each other's ways at walking speed, turned at random. Keypoints have noise of 1.2 % of the person's size with 3 %
heavy tails, 10 % of the detections are missing, 3 % of the rows are false people, and the order of the rows is
shuffled. "occluded": somebody who stands behind another is not detected either; "in step": all do the same at the
same time. 3D is the bundled lifter's. Seeds are 0, 1, 2, ... for the rooms.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pose_mdn.data.motion_file import read_motion_file
from pose_mdn.geometry.camera import Camera
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.people import NOBODY, match_people, track_people
from pose_mdn.people.scores import TrackingScore, score_tracking
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import HUMAN36M17

FPS = 30.0
FRAMES = 150
NOISE, HEAVY_TAILS, HEAVY_FACTOR = 0.012, 0.03, 6.0
MISSED, FALSE_PEOPLE = 0.10, 0.03
IMAGE = (1920, 1080)
INTRINSICS = np.array([[1000.0, 0.0, 959.5], [0.0, 1000.0, 539.5], [0.0, 0.0, 1.0]])
ROOM_M, CAMERA_DISTANCE_M = 1.6, 5.0


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What one camera's detector wrote, and the truth.

    Attributes:
        keypoints: Rows in shuffled order.
        person: (N,) who it is; -1 for false people.
    """

    keypoints: KeypointSequence
    person: NDArray[np.int64]


def read_motions(path: Path, split: str) -> list[NDArray[np.float64]]:
    """(T, 17, 3) motions of a split that last for two seconds at least, Z up."""
    records = [record for record in read_motion_file(path) if record.split == split]
    motions = [record.pose_m[record.valid].astype(np.float64) for record in records]
    return [motion[..., [0, 2, 1]] * [1.0, -1.0, 1.0] for motion in motions if len(motion) >= 2 * FPS]


def make_room(
    motions: list[NDArray[np.float64]],
    people: int,
    rng: np.random.Generator,
    frames: int = FRAMES,
    *,
    in_step: bool = False,
) -> NDArray[np.float64]:
    """(P, T, 17, 3) people whose ways cross in the middle of the room, metres, Z up; in step: all do the same."""
    chosen = rng.choice(len(motions), people, replace=False)
    if in_step:
        motion = motions[chosen[0]]
        begin = rng.integers(max(len(motion) - frames, 0) + 1)
        motions, chosen = [motion[begin : begin + frames]], np.zeros(people, np.int64)
    angles = rng.permutation(people) * 2.0 * np.pi / people + rng.uniform(-0.5, 0.5, people)
    return np.stack([_walk(motions[index], angle, rng, frames) for index, angle in zip(chosen, angles, strict=True)])


def _walk(motion: NDArray[np.float64], angle: float, rng: np.random.Generator, frames: int) -> NDArray[np.float64]:
    """There and back again where a motion is too short; across the room, past its middle, and back."""
    begin = rng.integers(max(len(motion) - frames, 0) + 1)
    back_and_forth = np.concatenate([np.arange(len(motion)), np.arange(len(motion))[-2:0:-1]])
    pose = motion[np.resize(np.roll(back_and_forth, -begin), frames)]
    pose = (pose - [*pose[:, 0, :2].mean(axis=0), 0.0]) @ _about_z(rng.uniform(0.0, 2.0 * np.pi)).T
    path = ROOM_M * np.cos(np.pi * np.arange(frames) / FPS * 0.9 / (2.0 * ROOM_M) + rng.uniform(-0.5, 0.5))
    aside = rng.uniform(-0.4, 0.4)
    way = np.stack([path, np.full(frames, aside), np.zeros(frames)], axis=-1) @ _about_z(angle).T
    return np.asarray(pose + way[:, None])


def _about_z(angle: float) -> NDArray[np.float64]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def make_cameras(count: int, rng: np.random.Generator) -> list[Camera]:
    """Cameras around the room that look at its middle."""
    angles = 2.0 * np.pi * (np.arange(count) / max(count, 3) + rng.uniform(-0.06, 0.06, count) + rng.uniform())
    cameras = []
    for number, angle in enumerate(angles):
        centre = np.array([CAMERA_DISTANCE_M * np.cos(angle), CAMERA_DISTANCE_M * np.sin(angle), rng.uniform(1.2, 2.6)])
        forward = np.array([0.0, 0.0, 1.0]) - centre
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(forward, right), forward])
        cameras.append(
            Camera(
                intrinsics=INTRINSICS,
                rotation=rotation,
                translation=-rotation @ centre,
                image_size=IMAGE,
                name=f"cam{number}",
            )
        )
    return cameras


def record(
    room_m: NDArray[np.float64], camera: Camera, rng: np.random.Generator, *, step: int = 1, occluded: bool = False
) -> Recording:
    """What a detector writes of every step-th frame."""
    people, frames = room_m.shape[0], np.arange(0, room_m.shape[1], step)
    exact = camera.project(room_m[:, frames])
    size = np.linalg.norm(np.ptp(exact, axis=2), axis=-1)
    tails = np.where(rng.random(exact.shape[:3]) < HEAVY_TAILS, HEAVY_FACTOR, 1.0)
    seen = exact + (NOISE * size[..., None] * tails)[..., None] * rng.normal(size=exact.shape)
    middle = exact.mean(axis=2)
    kept = (rng.random(size.shape) >= MISSED) & ((middle > 0) & (middle < IMAGE)).all(axis=-1)
    kept &= np.isfinite(size)
    if occluded:
        kept &= ~_hidden(exact, camera.world_to_camera(room_m[:, frames, 0])[..., 2])
    person, place = np.nonzero(kept)
    false = rng.random(len(person)) < FALSE_PEOPLE
    copied = rng.permutation(len(person))[false]
    # Somebody else's shape somewhere else: what a poster or a mirror gives.
    shapes = seen[person[copied], place[copied]]
    elsewhere = rng.uniform([100, 300], [1800, 800], (len(shapes), 1, 2))
    shapes = (shapes - shapes.mean(axis=1, keepdims=True)) * rng.uniform(0.5, 1.2, (len(shapes), 1, 1)) + elsewhere
    keypoints = np.concatenate([seen[person, place], shapes])
    frame = np.concatenate([place, place[false]])
    truth = np.concatenate([person, np.full(len(shapes), NOBODY)])
    order = rng.permutation(len(frame))
    return Recording(
        keypoints=KeypointSequence(
            keypoints_px=keypoints[order].astype(np.float32),
            confidence=np.ones(keypoints.shape[:2], np.float32),
            skeleton=HUMAN36M17,
            frame=frame[order],
            person=np.arange(len(frame)) % max(people, 1),
            image_size=IMAGE,
            fps=FPS / step,
            intrinsics=camera.intrinsics,
            tracked=False,
        ),
        person=truth[order],
    )


def _hidden(points_px: NDArray[np.float64], depth_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(P, T) who has half of their box behind the box of somebody nearer."""
    low, high = points_px.min(axis=2), points_px.max(axis=2)
    shared = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    covered = np.maximum(shared, 0.0).prod(axis=-1) / (high - low).prod(axis=-1)[:, None]
    return np.asarray(((covered > 0.5) & (depth_m < depth_m[:, None])).any(axis=1))


def nearest_centres(keypoints: KeypointSequence) -> NDArray[np.int64]:
    """The simplest tracker, to compare with: the nearest middle within 100 px of the frame before goes on."""
    middle = np.nanmean(keypoints.keypoints_px, axis=1)
    identity, born, before = np.full(len(keypoints), NOBODY), 0, np.empty(0, np.int64)
    for frame in np.unique(keypoints.frame):
        rows = np.flatnonzero(keypoints.frame == frame)
        distance = np.linalg.norm(middle[before][:, None] - middle[rows], axis=-1)
        for flat in np.argsort(distance, axis=None):
            old, new = divmod(int(flat), len(rows))
            if distance[old, new] < 100.0 * FPS / (keypoints.fps or FPS):
                identity[rows[new]] = identity[before[old]]
                distance[old], distance[:, new] = np.inf, np.inf
        fresh = rows[identity[rows] == NOBODY]
        identity[fresh] = born + np.arange(len(fresh))
        born, before = born + len(fresh), rows
    return identity


def tracking_rooms(motions: list[NDArray[np.float64]], rooms: int, step: int, occluded: bool) -> Iterator[Recording]:
    """Rooms of two to five people, seen by one camera each."""
    for seed in range(rooms):
        rng = np.random.default_rng(seed)
        room = make_room(motions, 2 + seed % 4, rng)
        yield record(room, make_cameras(1, rng)[0], rng, step=step, occluded=occluded)


def measure_tracking(motions: list[NDArray[np.float64]], rooms: int, lifter: Lifter) -> None:
    """Print the table of tracking."""
    print(f"{'following people':42s} {'IDF1':>6s} {'MOTA':>6s} {'switches':>9s} {'ms/frame':>9s}")
    for occluded in (False, True):
        for step in (1, 3):
            recordings = list(tracking_rooms(motions, rooms, step, occluded))
            lifted = [lifter.lift(recording.keypoints) for recording in recordings]
            name = f"{FPS / step:.0f} fps{', occluded' if occluded else ''}"
            keypoints = [recording.keypoints for recording in recordings]
            for method, sequences, follow in (
                ("nearest centre", keypoints, nearest_centres),
                ("2D online", keypoints, lambda s: track_people(s, look_ahead=False)),
                ("2D", keypoints, track_people),
                ("3D online", lifted, lambda s: track_people(s, look_ahead=False)),
                ("3D", lifted, track_people),
            ):
                begin = time.process_time()
                found = [follow(sequence) for sequence in sequences]
                spent = time.process_time() - begin
                scores = [
                    score_tracking(recording.keypoints.frame, recording.person, identity)
                    for recording, identity in zip(recordings, found, strict=True)
                ]
                frames = sum(len(np.unique(sequence.frame)) for sequence in keypoints)
                total = TrackingScore.total(scores)
                print(
                    f"{name + ', ' + method:42s} {total.idf1:6.3f} {total.mota:6.3f} {total.switches:9d} "
                    f"{1e3 * spent / frames:9.2f}"
                )


@dataclass(frozen=True, kw_only=True)
class Scene:
    """How hard matching is made."""

    cameras: int
    name: str = ""
    in_step: bool = False
    occluded: bool = False
    camera_error_deg: float = 0.0


SCENES = (
    Scene(cameras=2),
    Scene(cameras=4),
    Scene(cameras=8),
    Scene(cameras=2, name=", in step", in_step=True),
    Scene(cameras=4, name=", in step", in_step=True),
    Scene(cameras=4, name=", occluded", occluded=True),
    Scene(cameras=4, name=", turned by 0.5°", camera_error_deg=0.5),
    Scene(cameras=4, name=", turned by 1°", camera_error_deg=1.0),
    Scene(cameras=4, name=", turned by 2°", camera_error_deg=2.0),
)


def matching_room(
    motions: list[NDArray[np.float64]], seed: int, scene: Scene, people: int
) -> tuple[list[Camera], list[Recording]]:
    """One room, seen by several cameras."""
    rng = np.random.default_rng(seed)
    room = make_room(motions, people, rng, frames=90, in_step=scene.in_step)
    placed = make_cameras(scene.cameras, rng)
    recordings = [record(room, camera, rng, occluded=scene.occluded) for camera in placed]
    return [_turned(camera, scene.camera_error_deg, rng) for camera in placed], recordings


def _turned(camera: Camera, degrees: float, rng: np.random.Generator) -> Camera:
    """The camera with an error of its calibration: turned about any axis through its centre."""
    if not degrees:
        return camera
    axis = rng.normal(size=3)
    turn, _ = cv2.Rodrigues(np.deg2rad(degrees) * axis / np.linalg.norm(axis))
    rotation = turn @ camera.rotation
    return replace(camera, rotation=rotation, translation=-rotation @ camera.optical_center)


def rows_matched(recordings: list[Recording], found: list[NDArray[np.int64]]) -> tuple[int, int]:
    """Rows with the number that belongs to their person in their frame, and rows of people seen by two views there."""
    frame = np.concatenate([recording.keypoints.frame for recording in recordings])
    truth = np.concatenate([recording.person for recording in recordings])
    number = np.concatenate(found)
    right = total = 0
    for moment in np.unique(frame):
        rows = np.flatnonzero((frame == moment) & (truth != NOBODY))
        people, count = np.unique(truth[rows], return_counts=True)
        rows = rows[np.isin(truth[rows], people[count > 1])]
        score = score_tracking(frame[rows], truth[rows], number[rows])
        right, total = right + score.identified, total + len(rows)
    return right, total


def rows_lasting(recordings: list[Recording], found: list[NDArray[np.int64]]) -> int:
    """Rows with the one number that belongs to their person in the whole recording, where two views see the person."""
    frame = np.concatenate([recording.keypoints.frame for recording in recordings])
    truth = np.concatenate([recording.person for recording in recordings])
    _, moment, count = np.unique(np.stack([frame, truth]), axis=1, return_inverse=True, return_counts=True)
    rows = (truth != NOBODY) & (count[moment] > 1)
    return score_tracking(frame[rows], truth[rows], np.concatenate(found)[rows]).identified


METHODS = ("tracks known", "tracks found", "frame by frame")


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Rows that have the right number in their frame, and in the whole recording, of all that should; and the time."""

    right: int
    lasting: int
    total: int
    spent_s: float


def matched(views: list[HypothesisSequence], recordings: list[Recording], placed: list[Camera], method: str) -> Matched:
    """Match by one of the methods."""
    if method == "tracks known":
        pairs = zip(views, recordings, strict=True)
        views = [replace(view, person=recording.person, tracked=True) for view, recording in pairs]
    begin = time.process_time()
    found = match_people(views, placed, frame_by_frame=method == "frame by frame")
    spent = time.process_time() - begin
    right, total = rows_matched(recordings, found)
    return Matched(right=right, lasting=rows_lasting(recordings, found), total=total, spent_s=spent)


def print_shares(name: str, rows: list[list[Matched]], figure: str) -> None:
    """A line of the table."""
    shares = [sum(getattr(r, figure) for r in row) / max(sum(r.total for r in row), 1) for row in rows]
    print(f"{name:36s} " + " ".join(f"{share:9.4f}" for share in shares))


def measure_views(motions: list[NDArray[np.float64]], rooms: int, lifter: Lifter) -> None:
    """Print the table of matching."""
    print(f"{'across views, share of rows right':36s} " + " ".join(f"{f'{n} people':>9s}" for n in range(1, 6)))
    fastest: dict[int, float] = {}
    for scene in SCENES:
        results: dict[tuple[str, int], list[Matched]] = {}
        for people in range(1, 6):
            for seed in range(1000, 1000 + rooms):
                placed, recordings = matching_room(motions, seed, scene, people)
                views = [lifter.lift(recording.keypoints) for recording in recordings]
                for method in METHODS:
                    result = matched(views, recordings, placed, method)
                    results.setdefault((method, people), []).append(result)
        for method in METHODS:
            rows = [results[method, people] for people in range(1, 6)]
            print_shares(f"{scene.cameras} views{scene.name}, {method}", rows, "right")
            if method == "tracks found":
                print_shares("  in the whole recording", rows, "lasting")
        quickest = min(result.spent_s for result in results["tracks known", 4])
        fastest[scene.cameras] = min(quickest, fastest.get(scene.cameras, np.inf))
    for cameras, spent_s in fastest.items():
        print(f"{cameras} views of 4 people: {1e3 * spent_s / 90:.2f} ms per frame")


def main() -> None:
    """Command line; see the head of this file."""
    parser = argparse.ArgumentParser(description="Following people, and matching them across views.")
    parser.add_argument("motion_data", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--rooms", type=int, default=8)
    parser.add_argument("--only", choices=("tracking", "views"))
    given = parser.parse_args()
    motions = read_motions(given.motion_data, given.split)
    lifter = load_lifter(threads=1)
    if given.only != "views":
        measure_tracking(motions, given.rooms, lifter)
    if given.only != "tracking":
        measure_views(motions, given.rooms, lifter)


if __name__ == "__main__":
    main()
