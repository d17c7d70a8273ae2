import numpy as np
import pytest
import torch

from pose_mdn.config import BodyConfig, CameraConfig, DetectorConfig, ViewConfig
from pose_mdn.data.bodies import BodySampler
from pose_mdn.data.cameras import film, mirror
from pose_mdn.data.detectors import detect
from pose_mdn.data.views import ViewSampler
from pose_mdn.geometry.kinematics import bone_classes, bone_directions_and_lengths
from pose_mdn.skeletons import COCO17, HUMAN36M17, mapping_matrix

J = HUMAN36M17.index


@pytest.fixture(scope="module")
def poses(standing_poses) -> np.ndarray:
    return standing_poses


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_bodies_stay_symmetric_and_root_relative(poses):
    bodies = BodySampler(poses, BodyConfig()).draw(64, _generator())
    _, lengths = bone_directions_and_lengths(bodies, HUMAN36M17)
    _, index = bone_classes(HUMAN36M17)
    for bone, cls in enumerate(index):
        torch.testing.assert_close(lengths[:, bone], lengths[:, index.index(cls)], atol=1e-4, rtol=1e-3)
    assert bodies[:, 0].abs().max() == 0


def test_mirror_twice_is_identity(poses):
    bodies = torch.from_numpy(poses)
    torch.testing.assert_close(mirror(mirror(bodies)), bodies)
    assert not torch.allclose(mirror(bodies), bodies)


def test_people_are_in_front_of_every_camera_and_mostly_upright(poses):
    still = BodyConfig(tumble_probability=0.0)
    joints = film(BodySampler(poses, still).draw(512, _generator()), CameraConfig(), _generator(1))
    assert joints[..., 2].min() >= 0.29
    # y points down: the head has the smaller y.
    assert (joints[:, J("head_top"), 1] < joints[:, J("pelvis"), 1]).float().mean() > 0.97


def test_a_clean_detector_sees_the_projection(poses):
    joints = film(BodySampler(poses, BodyConfig()).draw(32, _generator()), CameraConfig(), _generator(1))
    clean = DetectorConfig(
        clean_probability=1.0,
        missing_probability=0.0,
        graded_confidence_probability=0.0,
        pelvis_between_hips_probability=0.0,
        layout_weights=(1.0, 0, 0, 0),
    )
    detection = detect(joints, clean, _generator(2))
    assert (detection.confidence == 1).all()
    torch.testing.assert_close(detection.slopes, joints[..., :2] / joints[..., 2:])


def test_coco_like_views_have_the_gaps_and_middles_of_the_coco_mapping(poses):
    joints = film(BodySampler(poses, BodyConfig()).draw(64, _generator()), CameraConfig(), _generator(1))
    coco = DetectorConfig(layout_weights=(0.0, 1.0, 0, 0), graded_confidence_probability=0.0)
    detection = detect(joints, coco, _generator(2))
    provided = mapping_matrix(COCO17).any(axis=1)
    for joint, name in enumerate(HUMAN36M17.joint_names):
        assert bool((detection.confidence[:, joint] > 0).any()) == bool(provided[joint]), name
    both = (detection.confidence[:, [J("l_hip"), J("r_hip")]] > 0).all(1)
    middle = 0.5 * (detection.slopes[:, J("l_hip")] + detection.slopes[:, J("r_hip")])
    torch.testing.assert_close(detection.slopes[both, J("pelvis")], middle[both])
    assert (detection.confidence[~both, J("pelvis")] == 0).all()
    assert (detection.slopes[detection.confidence == 0] == 0).all()


def test_a_batch_is_determined_by_seed_and_step(poses):
    one, other = (ViewSampler(poses, ViewConfig(), seed=3) for _ in range(2))
    torch.testing.assert_close(one.batch(5, 16).slopes, other.batch(5, 16).slopes)
    assert not torch.equal(one.batch(5, 16).slopes, one.batch(6, 16).slopes)
    assert not torch.equal(one.batch(5, 16).slopes, ViewSampler(poses, ViewConfig(), seed=4).batch(5, 16).slopes)
