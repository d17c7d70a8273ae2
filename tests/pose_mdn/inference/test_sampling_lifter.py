"""The bundled lifter that samples."""

import numpy as np
import pytest

from pose_mdn.errors import InputError
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.metrics.bodies import worst_asymmetry_mm


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return load_lifter("cvae_lifter", threads=1, num_hypotheses=12, seed=3)


@pytest.fixture(scope="module")
def keypoints() -> np.ndarray:
    return np.random.default_rng(0).uniform(100, 900, (9, 17, 2)).astype(np.float32)


def test_it_gives_as_many_bodies_as_are_wanted(lifter, keypoints):
    lifted = lifter.lift_arrays(keypoints, image_size=(1000, 1000))
    assert lifted.means_m.shape == (9, 12, 17, 3)
    assert worst_asymmetry_mm(lifted.means_m.astype(np.float64)).max() < 1e-2
    assert lifter.sampling(num_hypotheses=2).lift_arrays(keypoints[0]).num_hypotheses == 2


def test_seeds_repeat_and_fewer_samples_are_the_first_of_more(lifter, keypoints):
    lifted = lifter.lift_arrays(keypoints)
    again = load_lifter("cvae_lifter", threads=1, num_hypotheses=12, seed=3).lift_arrays(keypoints)
    np.testing.assert_array_equal(lifted.means_m, again.means_m)
    fewer = lifter.sampling(num_hypotheses=4, seed=3).lift_arrays(keypoints)
    np.testing.assert_allclose(lifted.means_m[:, :4], fewer.means_m, atol=1e-4)
    other = lifter.sampling(num_hypotheses=12, seed=4).lift_arrays(keypoints)
    np.testing.assert_allclose(other.means_m[:, 0], lifted.means_m[:, 0], atol=1e-5)
    assert np.abs(other.means_m[:, 1:] - lifted.means_m[:, 1:]).max() > 0.01


def test_rows_answer_alike_wherever_they_stand(lifter, keypoints):
    # A camera that is assumed depends on everybody in the picture, one that is given does not.
    camera = np.array([[1000.0, 0.0, 500.0], [0.0, 1000.0, 500.0], [0.0, 0.0, 1.0]])
    whole = lifter.lift_arrays(keypoints, intrinsics=camera)
    alone = lifter.lift_arrays(keypoints[4], intrinsics=camera)
    np.testing.assert_allclose(whole.means_m[4], alone.means_m[0], atol=1e-4)


def test_a_mixture_gives_what_it_always_gives():
    with pytest.raises(InputError, match="num_hypotheses"):
        load_lifter("mdn_lifter", num_hypotheses=7)
    with pytest.raises(InputError, match="num_hypotheses"):
        load_lifter("cvae_lifter", num_hypotheses=0)
    assert load_lifter("mdn_lifter", num_hypotheses=5).latent_dim is None
