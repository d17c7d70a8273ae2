import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.video import SmoothingSettings, link_sequence
from pose_mdn.video.evidence import evidence_of
from pose_mdn.video.linking import forward_backward, pair_potentials, viterbi

from .conftest import FPS, Sway


def _chain(seed: int, rows: int, states: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return 3 * rng.normal(size=(rows, states)), 3 * rng.normal(size=(rows - 1, states, states))


def _all_paths(log_row: np.ndarray, log_pair: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every sequence of states with its log-weight."""
    rows, states = log_row.shape
    paths = np.array(list(itertools.product(range(states), repeat=rows)))
    weights = log_row[np.arange(rows), paths].sum(axis=1)
    weights += log_pair[np.arange(rows - 1), paths[:, :-1], paths[:, 1:]].sum(axis=1)
    return paths, weights


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 5), states=st.integers(1, 4))
def test_forward_backward_and_viterbi_equal_enumeration(seed: int, rows: int, states: int) -> None:
    log_row, log_pair = _chain(seed, rows, states)
    paths, weights = _all_paths(log_row, log_pair)
    probability = np.exp(weights - weights.max())
    probability /= probability.sum()
    marginal = np.stack([probability @ (paths == state) for state in range(states)], axis=1)
    found = forward_backward(log_row, log_pair)
    np.testing.assert_allclose(found, marginal, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    np.testing.assert_array_equal(viterbi(log_row, log_pair), paths[weights.argmax()])


def test_long_chains_neither_overflow_nor_vanish() -> None:
    log_row, log_pair = _chain(0, 5000, 3)
    np.testing.assert_allclose(forward_backward(100 * log_row, 100 * log_pair).sum(axis=1), 1.0)


def test_potentials_do_not_know_the_direction_of_time(sway: Sway) -> None:
    evidence = evidence_of(sway(6).hypotheses, np.arange(6) / FPS)
    early, late = evidence.take(slice(None, -1)), evidence.take(slice(1, None))
    forwards = pair_potentials(early, late, SmoothingSettings())
    backwards = pair_potentials(late, early, SmoothingSettings())
    np.testing.assert_allclose(forwards, backwards.swapaxes(1, 2))


@pytest.mark.parametrize("seed", range(3))
def test_components_are_followed_through_exchanged_indices(sway: Sway, seed: int) -> None:
    hypotheses = sway(30, seed=seed).hypotheses
    hypotheses.mixing_coefficients[:] = [0.5, 0.3, 0.2]
    order = np.argsort(np.random.default_rng(seed).random((30, 3)), axis=1)
    for name in ("means_m", "std_m", "mixing_coefficients"):
        array = getattr(hypotheses, name)
        array[:] = array[np.arange(30)[:, None], order]
    links = link_sequence(hypotheses)
    np.testing.assert_array_equal(links.path, np.argmin(order, axis=1))
    np.testing.assert_array_equal(links.probability.argmax(axis=1), links.path)


def test_one_doubtful_frame_does_not_break_a_link(sway: Sway) -> None:
    hypotheses = sway(21).hypotheses
    hypotheses.mixing_coefficients[:] = [0.6, 0.2, 0.2]
    hypotheses.mixing_coefficients[10] = [0.1, 0.8, 0.1]
    assert (link_sequence(hypotheses).path == 0).all()


def test_rows_that_were_not_lifted_are_no_part_of_it(sway: Sway) -> None:
    hypotheses = sway(5).hypotheses
    hypotheses.status[2] = "too_few_joints"
    hypotheses.means_m[2] = np.nan
    links = link_sequence(hypotheses)
    assert links.path[2] == -1
    assert np.isnan(links.probability[2]).all()
    assert (links.path[[0, 1, 3, 4]] >= 0).all()
