"""People to write to files."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.poses.status import Status
from pose_mdn.skeletons import SKELETONS, Skeleton
from pose_mdn.skeletons.skeleton import mirror_name

# A standing person, left half and midline, metres: x to the person's left, y down, z to the front.
LEFT_HALF = {
    "head_top": (0.0, -0.75, 0.0),
    "nose": (0.0, -0.60, 0.11),
    "l_eye": (0.03, -0.63, 0.09),
    "l_ear": (0.07, -0.61, 0.0),
    "upper_neck": (0.0, -0.50, 0.0),
    "neck": (0.0, -0.45, 0.0),
    "thorax": (0.0, -0.45, 0.0),
    "mid_hip": (0.0, 0.0, 0.0),
    "pelvis": (0.0, 0.0, 0.0),
    "l_shoulder": (0.18, -0.44, 0.0),
    "l_elbow": (0.25, -0.15, -0.03),
    "l_wrist": (0.26, 0.08, 0.08),
    "l_hip": (0.11, 0.01, 0.0),
    "l_knee": (0.12, 0.42, 0.05),
    "l_ankle": (0.12, 0.85, 0.0),
    "l_heel": (0.12, 0.90, -0.05),
    "l_big_toe": (0.12, 0.90, 0.15),
    "l_small_toe": (0.16, 0.90, 0.12),
}
BODY = LEFT_HALF | {mirror_name(name): (-x, y, z) for name, (x, y, z) in LEFT_HALF.items()}


def draw_people(skeleton: Skeleton, seed: int, count: int = 1, *, missing: float = 0.0) -> np.ndarray:
    """(count, J, 3) x px, y px, confidence of people seen from random sides; zeros where missing."""
    random = np.random.default_rng(seed)
    body = np.array([BODY.get(name, BODY["nose"]) for name in skeleton.joint_names])
    turned = []
    for _ in range(count):
        yaw, pitch = random.uniform(-np.pi, np.pi), random.uniform(-0.4, 0.4)
        c, s, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
        rotation = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]]) @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        turned.append((body + random.normal(0, 0.03, body.shape)) @ rotation.T)
    joints = np.ones((count, skeleton.num_joints, 3))
    joints[..., :2] = np.array(turned).reshape(joints.shape)[..., :2] * 300 + [960, 540]
    joints[..., 2] = random.uniform(0.3, 1.0, joints.shape[:2])
    joints[random.random(joints.shape[:2]) < missing] = 0
    return joints


@pytest.fixture(scope="session")
def people() -> Callable[..., np.ndarray]:
    return draw_people


@pytest.fixture(scope="session")
def make_keypoints() -> Callable[..., KeypointSequence]:
    def make(seed: int = 0, rows: int = 4, skeleton: str = "coco17", *, camera: bool = True) -> KeypointSequence:
        random = np.random.default_rng(seed)
        layout = SKELETONS[skeleton]
        joints = draw_people(layout, seed, rows, missing=0.2).astype(np.float32)
        joints[joints[..., 2] == 0, :2] = np.nan
        per_row, fisheye = bool(random.integers(2)), bool(random.integers(2))
        coefficients = 4 if fisheye else int(random.choice([4, 5, 8, 12, 14]))
        matrix = np.array([[1500.0, 0, 960], [0, 1400, 540], [0, 0, 1]])
        return KeypointSequence(
            keypoints_px=joints[..., :2],
            confidence=joints[..., 2],
            skeleton=layout,
            frame=np.sort(random.integers(0, 10**12, rows)),
            person=random.integers(-1, 9, rows),
            image_size=(1920, 1080) if camera else None,
            fps=float(random.uniform(1, 240)) if camera else None,
            intrinsics=(np.repeat(matrix[None], rows, 0) if per_row else matrix) if camera else None,
            distortion=random.normal(0, 0.1, coefficients) if camera else None,
            lens_model="fisheye" if fisheye and camera else "brown",
        )

    return make


@pytest.fixture(scope="session")
def make_hypotheses() -> Callable[..., HypothesisSequence]:
    def make(seed: int = 0, rows: int = 4, components: int = 3, *, camera: bool = True) -> HypothesisSequence:
        random = np.random.default_rng(seed)

        def normal(*shape: int) -> np.ndarray:
            return random.normal(size=(rows, *shape)).astype(np.float32)

        means = normal(components, 17, 3)
        means[random.random(rows) < 0.2] = np.nan
        fisheye = bool(random.integers(2))
        return HypothesisSequence(
            means_m=means,
            std_m=np.abs(normal(components, 17, 2)),
            view_rotation=normal(3, 3),
            mixing_coefficients=random.dirichlet(np.ones(components), rows).astype(np.float32),
            root_translation_m=normal(components, 3),
            reprojection_error_px=np.abs(normal(components)),
            status=random.choice([str(status) for status in Status], rows).astype(np.str_),
            keypoints_px=normal(17, 2) * 1000,
            confidence=np.abs(normal(17)),
            frame=np.arange(rows) * 10**10,
            person=random.integers(-1, 5, rows),
            intrinsics=random.normal(size=(rows, 3, 3)),
            intrinsics_source="given" if camera else "assumed: 55° across the longer side",
            distortion=random.normal(size=4 if fisheye else 5) if camera else np.empty(0),
            lens_model="fisheye" if fisheye and camera else "brown",
            image_size=(640, 480) if camera else None,
            fps=29.97 if camera else None,
            source_skeleton="halpe26",
            model="mdn_lifter/1",
            ood_score=np.where(random.random(rows) < 0.3, np.nan, random.random(rows)).astype(np.float32),
            root_std_m=np.abs(normal(components, 2)),
        )

    return make


@pytest.fixture(scope="session")
def assert_same() -> Callable[[object, object], None]:
    def compare(first: object, second: object) -> None:
        assert type(first) is type(second)
        for field in dataclasses.fields(first):  # type: ignore[arg-type]
            left, right = getattr(first, field.name), getattr(second, field.name)
            if isinstance(left, np.ndarray):
                assert left.dtype.kind == right.dtype.kind, field.name
                np.testing.assert_array_equal(left, right, err_msg=field.name)
            else:
                assert left == right, field.name

    return compare
