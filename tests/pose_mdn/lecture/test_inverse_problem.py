import numpy as np
import pytest

from pose_mdn.lecture.inverse_problem import NOISE, draw_data, effect, lowest_nll


def test_no_density_explains_the_data_better_than_the_true_one():
    t, x = draw_data(50_000, np.random.default_rng(0))
    # The true density by counting: of all causes, those whose effect is within the noise of x are equally probable.
    causes = np.linspace(0, 1, 4001)
    length = [(np.abs(effect(causes) - value) < NOISE).mean() for value in x[:500]]
    assert lowest_nll(x[:500]) == pytest.approx(np.log(length).mean(), abs=2e-3)
    # Bins over t, for bins over x, as a density: close above it, by what the bins blur.
    counts, _, _ = np.histogram2d(x, t, bins=(60, 60), range=((-0.1, 1.1), (0, 1)))
    density = counts / counts.sum(1, keepdims=True).clip(1) * 60
    blurred = -(counts[counts > 0] * np.log(density[counts > 0])).sum() / counts.sum()
    assert lowest_nll(x) - 0.03 < blurred < lowest_nll(x) + 0.15


def test_three_causes_may_have_one_effect():
    line = np.linspace(0, 1, 1001)
    crossings = np.diff(np.sign(effect(line) - 0.5 + 1e-9)).nonzero()[0]
    assert len(crossings) == 3
