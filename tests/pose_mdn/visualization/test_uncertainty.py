from dataclasses import replace

import numpy as np

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.visualization.uncertainty import depth_std_m


def test_depth_std_is_the_mixture_s_own(walking: HypothesisSequence) -> None:
    row, random = 3, np.random.default_rng(0)
    component = random.choice(walking.num_hypotheses, size=200_000, p=_exact(walking.mixing_coefficients[row]))
    depth = walking.means_m[row] @ walking.view_rotation[row][:, 2]
    draws = depth[component] + walking.std_m[row, ..., 1][component] * random.normal(size=(len(component), 17))
    np.testing.assert_allclose(depth_std_m(walking)[row], draws.std(axis=0)[1:].mean(), rtol=0.01)


def test_depth_std_does_not_depend_on_the_order_of_hypotheses(walking: HypothesisSequence) -> None:
    order = [3, 0, 4, 1, 2]
    shuffled = replace(
        walking,
        means_m=walking.means_m[:, order],
        std_m=walking.std_m[:, order],
        mixing_coefficients=walking.mixing_coefficients[:, order],
    )
    np.testing.assert_allclose(depth_std_m(shuffled), depth_std_m(walking), rtol=1e-5)


def test_rows_that_were_not_lifted_have_no_depth_std(walking: HypothesisSequence) -> None:
    np.testing.assert_array_equal(np.isnan(depth_std_m(walking)), ~walking.lifted)


def _exact(weights: np.ndarray) -> np.ndarray:
    weights = weights.astype(np.float64)
    return weights / weights.sum()
