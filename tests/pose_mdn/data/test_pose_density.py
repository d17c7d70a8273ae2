import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose_mdn.data.pose_density import distinct_pose_weights, distinct_poses
from pose_mdn.errors import InputError
from pose_mdn.geometry.kinematics import chain_matrix
from pose_mdn.skeletons import HUMAN36M17


def _random_people(count: int, seed: int) -> np.ndarray:
    """Poses so different that each is a cluster of its own; level hips make their heading plain."""
    bones = 0.4 * Rotation.random(count * 16, rng=seed).apply([0.0, 1.0, 0.0]).reshape(count, 16, 3)
    children = [HUMAN36M17.joint_names[child] for _, child in HUMAN36M17.bones]
    bones[:, children.index("l_hip")], bones[:, children.index("r_hip")] = [0.1, 0.0, 0.0], [-0.1, 0.0, 0.0]
    return chain_matrix(HUMAN36M17) @ bones


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=2, max_size=8), st.integers(0, 2**31))
def test_copies_share_the_mass_of_one_pose(copies, seed):
    people = np.repeat(_random_people(len(copies), seed), copies, axis=0)
    rng = np.random.default_rng(seed)
    weights = distinct_pose_weights(people + 0.002 * rng.normal(size=people.shape))
    assert weights.sum() == pytest.approx(1.0)
    mass = np.bincount(np.repeat(np.arange(len(copies)), copies), weights=weights)
    np.testing.assert_allclose(mass, 1.0 / len(copies))


def test_heading_place_and_size_make_no_other_pose(standing_poses):
    rng = np.random.default_rng(0)
    turn = Rotation.from_rotvec(rng.uniform(-3, 3, (50, 1)) * np.array([0.0, 1.0, 0.0])).as_matrix()
    scale = rng.uniform(0.7, 1.2, (50, 1, 1))
    person = standing_poses[:1]
    moved = scale * person @ np.swapaxes(turn, 1, 2) + rng.normal(size=(50, 1, 3))
    assert len(np.unique(distinct_poses(moved, 0.001))) == 1


def test_every_pose_is_near_its_cluster_and_a_smaller_radius_tells_more_apart(standing_poses):
    counts = [len(np.unique(distinct_poses(standing_poses, radius))) for radius in (0.02, 0.1, 0.15, 2.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[1] > counts[2]
    assert counts[3] == 1


def test_order_of_clusters_has_no_gaps_and_chunks_do_not_matter():
    many = np.repeat(_random_people(5, seed=3), 1000, axis=0)
    members = distinct_poses(many)
    np.testing.assert_array_equal(np.unique(members), np.arange(5))
    np.testing.assert_allclose(distinct_pose_weights(many), 1 / 5000)


def test_mistakes_are_explained(standing_poses):
    with pytest.raises(InputError, match="radius above 0, got 0"):
        distinct_pose_weights(standing_poses, 0.0)
    with pytest.raises(InputError, match="at least one pose, all finite"):
        distinct_pose_weights(np.full((2, 17, 3), np.nan))
