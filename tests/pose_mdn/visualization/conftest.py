"""A walking person seen by a camera, with hypotheses whose limbs differ in depth alone; and a Chromium."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.status import Status
from pose_mdn.skeletons.human36m import HUMAN36M17

IMAGE_SIZE = (1280, 720)
FPS = 30.0
NUM_HYPOTHESES = 5
MIRRORED_LIMBS = ((), ("r_knee", "r_ankle"), ("l_elbow", "l_wrist"), ("l_knee", "l_ankle"), ("r_elbow", "r_wrist"))
"""Limbs whose bones point away from the camera instead of towards it, per hypothesis."""

INTRINSICS = np.array([[950.0, 0.0, 640.0], [0.0, 950.0, 360.0], [0.0, 0.0, 1.0]])

# Bones at rest, metres, in a body frame: x to the person's left, y up, z forward.
REST_OFFSETS = {
    "r_hip": (-0.13, 0.0, 0.0), "r_knee": (0.0, -0.44, 0.0), "r_ankle": (0.0, -0.42, 0.0),
    "l_hip": (0.13, 0.0, 0.0), "l_knee": (0.0, -0.44, 0.0), "l_ankle": (0.0, -0.42, 0.0),
    "spine": (0.0, 0.23, 0.0), "thorax": (0.0, 0.25, 0.0), "neck_nose": (0.0, 0.12, 0.05), "head_top": (0.0, 0.12, 0.0),
    "l_shoulder": (0.15, -0.02, 0.0), "l_elbow": (0.06, -0.26, 0.0), "l_wrist": (0.02, -0.24, 0.02),
    "r_shoulder": (-0.15, -0.02, 0.0), "r_elbow": (-0.06, -0.26, 0.0), "r_wrist": (-0.02, -0.24, 0.02),
}  # fmt: skip


def _about_x(angle: float) -> np.ndarray:
    return np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])


def _about_y(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])


def _swing(phase: float) -> dict[str, np.ndarray]:
    """Rotation of each bone about its parent's joint at a phase of the gait."""
    bend = {"l": phase, "r": phase + np.pi}
    turns = {name: np.eye(3) for name in REST_OFFSETS}
    for side, angle in bend.items():
        hip, arm = 0.48 * np.sin(angle), -0.5 * np.sin(angle)
        turns[f"{side}_knee"] = _about_x(-hip)
        turns[f"{side}_ankle"] = _about_x(-hip + 0.35 + 0.4 * np.cos(angle))
        turns[f"{side}_elbow"] = _about_x(-arm)
        turns[f"{side}_wrist"] = _about_x(-arm - 0.5)
    return turns


def walk(frames: int) -> np.ndarray:
    """(frames, 17, 3) a walker in camera axes, metres from the camera."""
    poses = np.zeros((frames, HUMAN36M17.num_joints, 3))
    to_camera = np.diag([1.0, -1.0, -1.0])
    for frame in range(frames):
        turns = _swing(2 * np.pi * frame / 32)
        for parent, child in HUMAN36M17.bones:
            name = HUMAN36M17.joint_names[child]
            poses[frame, child] = poses[frame, parent] + turns[name] @ REST_OFFSETS[name]
        poses[frame] = poses[frame] @ _about_y(-0.9 - 0.004 * frame).T @ to_camera.T
    along = np.linspace(-0.9, 0.9, frames)
    return poses + np.stack([along, np.full(frames, 0.1), np.full(frames, 4.2)], axis=1)[:, None]


def _mirror_in_depth(pose: np.ndarray, limbs: tuple[str, ...]) -> np.ndarray:
    """Another pose with the same projection: the named bones lean the other way along their rays."""
    depth = pose[:, 2].copy()
    for parent, child in HUMAN36M17.bones:
        step = pose[child, 2] - pose[parent, 2]
        depth[child] = depth[parent] + (-step if HUMAN36M17.joint_names[child] in limbs else step)
    return pose / pose[:, 2:] * depth[:, None]


@pytest.fixture
def walking() -> HypothesisSequence:
    """64 frames of one person; frame 20 is empty, frame 40 misses the right arm."""
    return make_walking(64)


def make_walking(frames: int, *, person: int = 0, seed: int = 7) -> HypothesisSequence:
    random = np.random.default_rng(seed)
    truth = walk(frames)
    poses = np.stack([[_mirror_in_depth(pose, limbs) for limbs in MIRRORED_LIMBS] for pose in truth])
    root = poses[:, :, :1]
    pixels = truth @ INTRINSICS.T
    keypoints = pixels[..., :2] / pixels[..., 2:] + random.normal(0, 1.5, (frames, 17, 2))
    time = np.arange(frames)[:, None] / 14.0
    logits = np.array([1.4, 0.6, 0.2, -0.2, -0.7]) + 0.9 * np.sin(time + np.arange(NUM_HYPOTHESES) * 1.7)
    weights = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    reach = np.array([0.0 if i < 0 else 1.0 for i in HUMAN36M17.parent_indices])
    far = np.array(
        [2.0 if name.endswith(("wrist", "ankle", "elbow", "knee")) else 1.0 for name in HUMAN36M17.joint_names]
    )
    std = np.stack([0.016 * reach * far, 0.05 * reach * far], axis=-1)
    std = np.broadcast_to(std, (frames, NUM_HYPOTHESES, 17, 2)) * (1.2 + 0.5 * np.cos(time))[..., None, None]
    line_of_sight = root[:, 0, 0] / np.linalg.norm(root[:, 0, 0], axis=1, keepdims=True)
    right = np.cross([0.0, 1.0, 0.0], line_of_sight)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    sequence = HypothesisSequence(
        means_m=(poses - root).astype(np.float32),
        std_m=std.astype(np.float32),
        view_rotation=np.stack([right, np.cross(line_of_sight, right), line_of_sight], axis=2).astype(np.float32),
        mixing_coefficients=weights.astype(np.float32),
        root_translation_m=root[:, :, 0].astype(np.float32),
        reprojection_error_px=random.uniform(1.5, 6.0, (frames, NUM_HYPOTHESES)).astype(np.float32),
        status=np.full(frames, str(Status.LIFTED), dtype="U32"),
        keypoints_px=keypoints.astype(np.float32),
        confidence=random.uniform(0.7, 1.0, (frames, 17)).astype(np.float32),
        frame=np.arange(frames),
        person=np.full(frames, person),
        intrinsics=np.broadcast_to(INTRINSICS, (frames, 3, 3)).copy(),
        intrinsics_source="assumed: focal length 1.1 x the longer side of the picture, principal point in its middle",
        distortion=np.zeros(0),
        image_size=IMAGE_SIZE,
        fps=FPS,
        source_skeleton="blazepose33",
        model="mdn_lifter/1",
        ood_score=np.linspace(0.0, 0.2, frames).astype(np.float32),
    )
    _lose_joints(sequence, 40, ("r_shoulder", "r_elbow", "r_wrist"))
    _lose_person(sequence, 20)
    return sequence


def _lose_joints(sequence: HypothesisSequence, row: int, names: tuple[str, ...]) -> None:
    lost = [HUMAN36M17.index(name) for name in names]
    sequence.keypoints_px[row, lost] = np.nan
    sequence.confidence[row, lost] = 0
    sequence.status[row] = str(Status.LIFTED_JOINTS_MISSING)


def _lose_person(sequence: HypothesisSequence, row: int) -> None:
    for array in (
        sequence.means_m, sequence.std_m, sequence.view_rotation, sequence.mixing_coefficients,
        sequence.root_translation_m, sequence.reprojection_error_px, sequence.keypoints_px, sequence.ood_score,
    ):  # fmt: skip
        array[row] = np.nan
    sequence.confidence[row] = 0
    sequence.person[row] = -1
    sequence.status[row] = str(Status.NO_PERSON)


def concatenate(first: HypothesisSequence, second: HypothesisSequence) -> HypothesisSequence:
    """The rows of both, as a file with two people would have them before sorting."""
    rows = [name for name, value in vars(first).items() if isinstance(value, np.ndarray) and name != "distortion"]
    return replace(first, **{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in rows})


@pytest.fixture
def two_people() -> HypothesisSequence:
    """Two walkers 1.2 m apart."""
    second = make_walking(64, person=1, seed=8)
    shifted = second.root_translation_m + np.array([1.2, 0.0, 0.8], dtype=np.float32)
    return concatenate(
        make_walking(64), replace(second, root_translation_m=shifted, keypoints_px=second.keypoints_px + 200)
    )


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of a Chromium; the test is skipped on a machine without one."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on this machine; on Debian: apt-get install chromium")


@dataclass
class OpenReport:
    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def picture(self, canvas: str = "scene") -> str:
        """What a canvas shows once pending drawing is done."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return str(self.page.evaluate("id => document.getElementById(id).toDataURL()", canvas))

    def text(self, selector: str) -> str:
        self.picture("picture")
        return str(self.page.inner_text(selector))


# Not for the whole session: Playwright's event loop would run on beneath tests that start their own.
@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[object]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is in the dev extra")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-first-run"]  # fmt: skip
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=chromium_path, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., OpenReport]]:
    """Opens a file; at the end every page that was opened must have complained of nothing and asked for nothing."""
    opened: list[OpenReport] = []

    def open_(path: Path, **context: Any) -> OpenReport:
        page = browser.new_page(**({"viewport": {"width": 1280, "height": 800}} | context))
        report = OpenReport(page)
        page.on("console", lambda message: report.complaints.append(message.text))
        page.on("pageerror", lambda error: report.complaints.append(str(error)))
        page.on("request", lambda request: report.requests.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        opened.append(report)
        return report

    yield open_
    for report in opened:
        assert report.complaints == []
        assert [url for url in report.requests if not url.startswith(("file:", "data:"))] == []
        assert len([url for url in report.requests if url.startswith("file:")]) == 1
        report.page.close()
