import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.geometry.assumed_intrinsics import assume_intrinsics
from pose_mdn.geometry.focal_length import GRID, PRIOR_FOCAL_PER_DIAGONAL, PRIOR_LOG_STD, FocalLength

DIAGONAL_PX = 2000.0


def found(log_evidence: np.ndarray) -> FocalLength:
    return FocalLength(diagonal_px=DIAGONAL_PX, log_evidence=log_evidence, rows=7)


def of_gaussian(middle: float, std: float) -> FocalLength:
    return found(-0.5 * ((GRID - middle) / std) ** 2)


def test_without_evidence_the_prior_is_the_answer_and_it_says_so() -> None:
    silent = found(np.zeros(len(GRID)))
    assert silent.focal_px == pytest.approx(PRIOR_FOCAL_PER_DIAGONAL * DIAGONAL_PX)
    assert silent.log_std == pytest.approx(PRIOR_LOG_STD, rel=0.02)
    assert silent.information_nats == pytest.approx(0, abs=1e-9)
    assert silent.says_nothing
    assert str(silent).startswith("not told by the person")


def test_a_median_of_60_degrees_is_what_is_assumed_without_an_estimate() -> None:
    matrix, _ = assume_intrinsics((1600, 1200), np.zeros((0, 2)))
    assert pytest.approx(matrix[0, 0]) == PRIOR_FOCAL_PER_DIAGONAL * DIAGONAL_PX


@given(shift=st.floats(-0.5, 0.5), std=st.floats(0.15, 1.0))
def test_gaussian_evidence_and_prior_multiply_like_gaussians(shift: float, std: float) -> None:
    """The product of two Gaussians has the summed precision and the mean weighted by it."""
    focal = of_gaussian(GRID.mean() + shift, std)
    precision = std**-2 + PRIOR_LOG_STD**-2
    assert focal.log_std == pytest.approx(precision**-0.5, rel=0.04)
    expected = GRID.mean() + shift * std**-2 / precision
    assert math.log(focal.focal_px / DIAGONAL_PX) == pytest.approx(expected, abs=0.02)


def test_evidence_counts_up_to_a_constant() -> None:
    curve = np.sin(GRID * 3)
    assert found(curve).focal_px == pytest.approx(found(curve - 1e4).focal_px)


@given(share=st.floats(0.05, 0.95), shift=st.floats(-0.5, 0.5))
def test_quantiles_and_shares_undo_each_other(share: float, shift: float) -> None:
    focal = of_gaussian(GRID.mean() + shift, 0.3)
    assert focal.share_below(focal.quantile_px(share)) == pytest.approx(share, abs=1e-6)


def test_the_quadrature_has_the_moments_of_the_posterior() -> None:
    focal = of_gaussian(GRID.mean() + 0.3, 0.3)
    nodes, weights = focal.quadrature_px()
    assert nodes[0] == pytest.approx(focal.focal_px)
    mean = weights @ np.log(nodes)
    assert weights.sum() == pytest.approx(1)
    assert mean == pytest.approx(math.log(focal.focal_px))
    assert math.sqrt(weights @ (np.log(nodes) - mean) ** 2) == pytest.approx(focal.log_std)


def test_sharp_evidence_is_told_with_its_interval() -> None:
    text = str(of_gaussian(GRID.mean(), 0.1))
    assert text.startswith("estimated from the person: f = 17")
    assert "68 %), from 7 rows" in text
