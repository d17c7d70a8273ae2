"""One pose for each row: each choice is what it says, and rows do not touch each other."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pose_mdn.errors import InputError
from pose_mdn.poses.single import POSE_CHOICES
from pose_mdn.results import choice as module
from pose_mdn.results import choose_poses
from pose_mdn.video import link_sequence

each_choice = pytest.mark.parametrize("choice", POSE_CHOICES)
of_films = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FILM = st.data()


def drawn(data, films, make_film):
    return make_film(**data.draw(films))


def absolute(film) -> np.ndarray:
    return film.means_m.astype(np.float64) + film.root_translation_m[:, :, None]


def covariances(film) -> np.ndarray:
    """(N, M, 17, 3, 3) along the camera's axes, as the conventions define them."""
    diagonal = np.square(film.std_m.astype(np.float64))[..., [0, 0, 1]][..., None] * np.eye(3)
    turn = film.view_rotation.astype(np.float64)[:, None, None]
    return turn @ diagonal @ np.swapaxes(turn, -1, -2)


@of_films
@given(data=FILM)
def test_the_mean_is_the_mixtures_and_so_is_its_spread(data, films, make_film) -> None:
    film = drawn(data, films, make_film)
    chosen = choose_poses(film, "mean")
    weight = film.mixing_coefficients.astype(np.float64)
    np.testing.assert_allclose(chosen.positions_m, np.einsum("nm,nmjk->njk", weight, absolute(film)), atol=1e-5)
    # The second moment of the whole mixture, less the square of its mean.
    means = film.means_m.astype(np.float64)
    second = covariances(film) + means[..., None] * means[..., None, :]
    mean = np.einsum("nm,nmjk->njk", weight, means)
    whole = np.einsum("nm,nmjkl->njkl", weight, second) - mean[..., None] * mean[..., None, :]
    expected = np.sqrt(np.maximum(np.diagonal(whole, axis1=-2, axis2=-1), 0))
    np.testing.assert_allclose(chosen.std_m, expected, atol=2e-4)
    np.testing.assert_array_equal(chosen.weight, np.where(film.lifted, 1, np.nan).astype(np.float32))


@of_films
@given(data=FILM)
def test_the_top_is_the_most_probable_component(data, films, make_film) -> None:
    film = drawn(data, films, make_film)
    chosen = choose_poses(film, "top")
    rows, top = np.arange(len(film)), np.nan_to_num(film.mixing_coefficients).argmax(axis=1)
    np.testing.assert_allclose(chosen.positions_m, absolute(film)[rows, top], atol=1e-5)
    expected = np.sqrt(np.diagonal(covariances(film)[rows, top], axis1=-2, axis2=-1))
    np.testing.assert_allclose(chosen.std_m, expected, atol=1e-5)
    np.testing.assert_array_equal(chosen.weight, film.mixing_coefficients.max(axis=1))


@of_films
@given(data=FILM)
def test_the_linked_pose_is_on_the_most_probable_path(data, films, make_film) -> None:
    film = drawn(data, films, make_film)
    chosen = choose_poses(film, "linked")
    path = link_sequence(film).path
    lifted = np.flatnonzero(film.lifted)
    np.testing.assert_allclose(chosen.positions_m[lifted], absolute(film)[lifted, path[lifted]], atol=1e-5)
    np.testing.assert_array_equal(chosen.weight[lifted], film.mixing_coefficients[lifted, path[lifted]])


@each_choice
@of_films
@given(data=FILM)
def test_no_row_is_lost_and_rows_without_a_pose_hold_nothing(data, films, make_film, choice) -> None:
    film = drawn(data, films, make_film)
    chosen = choose_poses(film, choice)
    assert len(chosen) == len(film)
    for name in ("frame", "person", "status"):
        np.testing.assert_array_equal(getattr(chosen, name), getattr(film, name))
    np.testing.assert_array_equal(chosen.present, film.lifted)
    for values in (chosen.positions_m, chosen.std_m, chosen.weight):
        assert np.isnan(values[~film.lifted]).all()
        assert np.isfinite(values[film.lifted]).all()


@of_films
@given(data=FILM)
def test_all_choices_agree_if_there_is_one_hypothesis(data, films, make_film) -> None:
    film = make_film(**{**data.draw(films), "components": 1})
    mean = choose_poses(film, "mean")
    for choice in POSE_CHOICES:
        np.testing.assert_allclose(choose_poses(film, choice).positions_m, mean.positions_m, atol=1e-5)
        np.testing.assert_allclose(choose_poses(film, choice).std_m, mean.std_m, atol=1e-5)


@each_choice
@of_films
@given(data=FILM)
def test_the_order_of_the_components_does_not_matter(data, films, make_film, choice) -> None:
    film = drawn(data, films, make_film)
    turned = replace(
        film,
        **{
            name: getattr(film, name)[:, ::-1]
            for name in ("means_m", "std_m", "mixing_coefficients", "root_translation_m", "reprojection_error_px")
        },
    )
    first, second = choose_poses(film, choice), choose_poses(turned, choice)
    np.testing.assert_allclose(first.positions_m, second.positions_m, atol=1e-5)
    np.testing.assert_allclose(first.std_m, second.std_m, atol=1e-5)


@each_choice
def test_a_row_that_is_not_finite_does_not_spoil_its_neighbours(make_film, choice) -> None:
    film = make_film(seed=1, frames=8, people=1)
    lifted = np.flatnonzero(film.lifted)
    bad = int(lifted[len(lifted) // 2])
    means, status = film.means_m.copy(), film.status.copy()
    means[bad, 0, 3, 1] = np.inf
    status[bad] = "degenerate"
    spoilt = choose_poses(replace(film, means_m=means), choice)
    left_out = choose_poses(replace(film, status=status), choice)
    others = np.arange(len(film)) != bad
    np.testing.assert_array_equal(spoilt.positions_m[others], left_out.positions_m[others])
    if choice == "mean":
        assert np.isnan(spoilt.positions_m[bad]).all()
    assert not np.isinf(spoilt.positions_m).any()


@each_choice
def test_rows_are_the_same_however_many_are_looked_at_at_once(make_film, choice, monkeypatch) -> None:
    film = make_film(frames=20)
    whole = choose_poses(film, choice)
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 3)
    monkeypatch.setattr("pose_mdn.video.linking._STEPS_AT_ONCE", 2)
    np.testing.assert_array_equal(choose_poses(film, choice).positions_m, whole.positions_m)


def flickering(random_hypotheses):
    """Two poses that stay, and weights that change sides in every frame."""
    film = random_hypotheses(0, 9, 2)
    weights = np.where(np.arange(9)[:, None] % 2, [0.55, 0.45], [0.45, 0.55]).astype(np.float32)
    weights[:3] = [0.7, 0.3]
    still = {name: np.repeat(getattr(film, name)[:1], 9, axis=0) for name in ("means_m", "std_m", "view_rotation")}
    # Poses far enough from each other to be told apart by their own spread.
    still["std_m"] = still["std_m"] * 0.1
    return replace(film, **still, mixing_coefficients=weights, root_translation_m=np.full((9, 2, 3), 4, np.float32))


def test_linked_poses_stay_where_top_poses_flicker(random_hypotheses) -> None:
    film = flickering(random_hypotheses)
    top, linked = choose_poses(film, "top"), choose_poses(film, "linked")
    assert np.abs(np.diff(top.positions_m, axis=0)).max() > 0.1
    assert np.abs(np.diff(linked.positions_m, axis=0)).max() == 0


def test_people_without_identities_are_followed_and_keep_their_numbers(random_hypotheses) -> None:
    film = replace(flickering(random_hypotheses), tracked=False)
    linked = choose_poses(film, "linked")
    assert np.abs(np.diff(linked.positions_m, axis=0)).max() == 0
    assert not linked.tracked
    np.testing.assert_array_equal(linked.person, film.person)


def test_two_people_whose_places_in_the_list_change_are_linked_each_by_their_own_path(random_hypotheses) -> None:
    first = flickering(random_hypotheses)
    rng = np.random.default_rng(0)
    body = rng.uniform(-80, 80, (17, 2)).astype(np.float32)
    people = [
        replace(
            first,
            means_m=first.means_m * scale,
            keypoints_px=np.repeat(body[None] + place, 9, axis=0).astype(np.float32),
            person=(np.arange(9) + identity) % 2,
            image_size=(1920, 1080),
            tracked=False,
        )
        for identity, (scale, place) in enumerate([(1.0, (300, 500)), (0.7, (1500, 500))])
    ]
    both = choose_poses(type(first).concatenate(people), "linked").positions_m
    for part in (both[:9], both[9:]):
        assert np.abs(np.diff(part, axis=0)).max() == 0


def test_weights_that_were_rounded_do_not_move_the_mean(random_hypotheses) -> None:
    film = random_hypotheses(0, 4, 3)
    moved = replace(film, root_translation_m=film.root_translation_m + 4)
    halved = replace(moved, mixing_coefficients=film.mixing_coefficients / 2)
    np.testing.assert_allclose(choose_poses(halved).positions_m, choose_poses(moved).positions_m, atol=1e-5)


def test_someone_twice_in_a_frame_has_the_top_poses_and_others_are_linked(random_hypotheses) -> None:
    film = flickering(random_hypotheses)
    both = type(film).concatenate([film, replace(film, person=np.full(9, 5)), film.take(slice(0, 1))])
    chosen = choose_poses(both, "linked").positions_m
    np.testing.assert_array_equal(chosen[:9], choose_poses(film, "top").positions_m)
    np.testing.assert_array_equal(chosen[9:18], choose_poses(film, "linked").positions_m)


def test_an_unknown_choice_names_those_there_are(random_hypotheses) -> None:
    with pytest.raises(InputError, match="mean, top, linked"):
        choose_poses(random_hypotheses(0), "best")
