import dataclasses

import numpy as np
import pytest
import torch

from pose_mdn.config import BodyConfig, CameraConfig, DetectorConfig, ViewConfig
from pose_mdn.data.bodies import BodySampler
from pose_mdn.data.cameras import film, mirror
from pose_mdn.data.detector_noise import distort
from pose_mdn.data.detectors import detect
from pose_mdn.data.missing_joints import visible_joints
from pose_mdn.data.views import ViewSampler
from pose_mdn.geometry.kinematics import bone_classes, bone_directions_and_lengths
from pose_mdn.skeletons import COCO17, HUMAN36M17, mapping_matrix

J = HUMAN36M17.index
PERFECT = DetectorConfig.exact()


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


def test_an_exchanged_limb_keeps_its_bend_and_its_seat(poses):
    """Arms come from other poses, yet each elbow bends, and each arm leaves its shoulders, as someone's did."""
    exchange = BodyConfig(
        limb_exchange_probability=1.0,
        upper_body_exchange_probability=0.0,
        direction_jitter_rad=0.0,
        bone_length_log_std=0.0,
        tumble_probability=0.0,
    )
    bodies = BodySampler(poses, exchange).draw(128, _generator())
    people = torch.from_numpy(poses - poses[:, :1])
    for chain in (("l_shoulder", "l_elbow", "l_wrist"), ("r_hip", "r_knee", "r_ankle")):
        bends, known = _bends(bodies, chain), _bends(people, chain)
        assert (bends[:, None] - known).abs().amin(dim=1).max() < 1e-3
        assert bends.unique().numel() > 1


def _bends(pose_m, chain):
    a, b, c = (pose_m[:, J(name)] for name in chain)
    return torch.nn.functional.cosine_similarity(b - a, c - b, dim=-1)


def test_distinct_poses_are_drawn_as_often_as_common_ones(poses):
    crowd = np.concatenate([np.repeat(poses[:1], 999, axis=0), poses[1:2]])
    plain = BodyConfig(
        distinct_share=1.0, upper_body_exchange_probability=0.0, limb_exchange_probability=0.0, tumble_probability=0.0
    )
    sampler = ViewSampler(crowd, ViewConfig(body=plain), seed=0)
    drawn = sampler.bodies.draw(2000, _generator())
    rare = torch.from_numpy(poses[1] - poses[1, 0])
    common = torch.from_numpy(poses[0] - poses[0, 0])
    is_rare = (drawn - rare).norm(dim=-1).mean(-1) < (drawn - common).norm(dim=-1).mean(-1)
    assert 0.4 < is_rare.float().mean() < 0.6


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
    detection = detect(joints, PERFECT, _generator(2))
    assert detection.is_person.all()
    assert (detection.confidence == 1).all()
    torch.testing.assert_close(detection.slopes, joints[..., :2] / joints[..., 2:])


def test_coco_like_views_have_the_gaps_and_middles_of_the_coco_mapping(poses):
    joints = film(BodySampler(poses, BodyConfig()).draw(64, _generator()), CameraConfig(), _generator(1))
    coco = DetectorConfig(
        layout_weights=(0.0, 1.0, 0, 0), graded_confidence_probability=0.0, false_detection_probability=0.0
    )
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


def test_nonsense_is_marked_and_has_another_persons_pose(poses):
    nonsense = dataclasses.replace(PERFECT, false_detection_probability=1.0)
    usual, odd = (
        ViewSampler(poses, ViewConfig(detector=detector), seed=0).batch(0, 64) for detector in (PERFECT, nonsense)
    )
    assert not odd.is_usual.any()
    torch.testing.assert_close(odd.pose_m, usual.pose_m.roll(1, dims=0))
    assert torch.isfinite(odd.slopes).all()
    assert (odd.slopes - usual.slopes).abs().amax(dim=(1, 2)).min() > 0.01


def test_people_on_their_heads_are_unusual(poses):
    standing, head_down = (
        ViewSampler(turned, ViewConfig(body=BodyConfig(tumble_probability=0.0), detector=PERFECT), seed=0).batch(0, 64)
        for turned in (poses, poses * np.array([1.0, -1.0, -1.0], np.float32))
    )
    assert standing.is_usual.all()
    assert not head_down.is_usual.any()


@pytest.mark.parametrize("seed", range(3))
def test_side_swaps_exchange_whole_limbs_and_nothing_else(poses, seed):
    joints = film(BodySampler(poses, BodyConfig()).draw(32, _generator(seed)), CameraConfig(), _generator(1))
    clean = joints[..., :2] / joints[..., 2:]
    swaps = DetectorConfig(
        clean_probability=0.0,
        noise=(1e-9, 1e-9),
        girdle_drift_probability=0.0,
        side_swap_probability=1.0,
        graded_confidence_probability=0.0,
    )
    slopes, confidence = distort(clean, swaps, _generator(seed))
    torch.testing.assert_close(slopes, clean[:, list(HUMAN36M17.flip_indices)], atol=1e-5, rtol=0)
    torch.testing.assert_close(confidence[:, J("l_knee")].unique(), torch.tensor([0.6, 1.0]))
    assert (confidence[:, J("head_top")] == 1).all()


def test_views_that_miss_joints_keep_some(poses):
    joints = film(BodySampler(poses, BodyConfig()).draw(2000, _generator()), CameraConfig(), _generator(1))
    slopes = joints[..., :2] / joints[..., 2:]
    seen = visible_joints(slopes, DetectorConfig(missing_probability=1.0), _generator(2))
    assert seen.any(dim=1).all()
    assert not seen.all(dim=1).any()
    everything = visible_joints(slopes, DetectorConfig(missing_probability=0.0), _generator(2))
    assert everything.all()
