import numpy as np
import pytest
from scipy.stats import multivariate_normal

from pose_mdn.distributions import PoseMixture


def test_log_prob_equals_full_covariance_gaussians_in_the_camera_frame(random_hypotheses):
    hypotheses = random_hypotheses(0)
    pose = np.random.default_rng(1).normal(size=(3, 17, 3))
    pose[:, 0] = 0.0
    got = PoseMixture(hypotheses).log_prob(pose)
    for row in range(3):
        rotation = hypotheses.view_rotation[row].astype(np.float64)
        log_densities = []
        for m in range(2):
            log_density = 0.0
            for joint in range(1, 17):
                variance = hypotheses.std_m[row, m, joint, [0, 0, 1]].astype(np.float64) ** 2
                covariance = rotation @ np.diag(variance) @ rotation.T
                log_density += multivariate_normal.logpdf(
                    pose[row, joint], hypotheses.means_m[row, m, joint], covariance
                )
            log_densities.append(np.log(hypotheses.mixing_coefficients[row, m]) + log_density)
        assert got[row] == pytest.approx(np.logaddexp(*log_densities), rel=1e-4)


def test_mean_and_samples_are_in_the_camera_frame(random_hypotheses):
    hypotheses = random_hypotheses(2)
    mixture = PoseMixture(hypotheses)
    expected = (hypotheses.mixing_coefficients[..., None, None] * hypotheses.means_m).sum(1)
    np.testing.assert_allclose(mixture.mean_m, expected, atol=1e-5)
    samples = mixture.sample(20_000, np.random.default_rng(0))
    assert samples.shape == (20_000, 3, 17, 3)
    np.testing.assert_allclose(samples.mean(0), expected, atol=0.05)
    assert (samples[:, :, 0] == 0).all()
    rows = np.arange(3)
    top = hypotheses.means_m[rows, hypotheses.most_probable]
    np.testing.assert_allclose(mixture.most_probable_m, top, atol=1e-5)
