import numpy as np

from pose_mdn.distributions import PoseMixture
from pose_mdn.evaluation.pose_samples import draw_samples


def test_samples_have_the_moments_of_the_mixture(random_hypotheses):
    hypotheses = random_hypotheses(5, rows=2, num_hypotheses=3)
    samples = draw_samples(hypotheses, 40_000, np.random.default_rng(0)).astype(np.float64)
    mixture = PoseMixture(hypotheses)
    np.testing.assert_allclose(samples.mean(axis=1), mixture.mean_m, atol=0.03)
    turned = (samples - mixture.mean_m[:, None]) @ hypotheses.view_rotation[:, None].astype(np.float64)
    np.testing.assert_allclose(turned.var(axis=1), mixture.variance_m2, rtol=0.06, atol=1e-3)


def test_the_pelvis_stays_and_the_seed_decides(random_hypotheses):
    hypotheses = random_hypotheses(1)
    one, again, other = (draw_samples(hypotheses, 5, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert one.shape == (3, 5, 17, 3)
    assert (one[:, :, 0] == 0).all()
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
