from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import InputError
from pose_mdn.people import NOBODY, match_people, people_of_views
from pose_mdn.people.clustering import cluster
from pose_mdn.people.cross_view import _People
from pose_mdn.people.rays import view_rays

Make = Callable[..., Any]


def agrees(found: list[np.ndarray], truth: list[np.ndarray]) -> bool:
    """Whether numbers and people are translations of each other."""
    pairs = set(zip(np.concatenate(found).tolist(), np.concatenate(truth).tolist(), strict=True))
    return len(pairs) == len({number for number, _ in pairs}) == len({person for _, person in pairs})


@pytest.mark.parametrize("cameras", [2, 3, 5])
@pytest.mark.parametrize("people", [1, 3])
def test_people_are_found_again_in_every_view(scene: Make, people: int, cameras: int) -> None:
    made = scene(people=people, cameras=cameras).with_known_people()
    found = match_people(made.views, made.cameras)
    assert agrees(found, made.truth)
    assert min(numbers.min() for numbers in found) == 0


def test_views_without_identities_are_tracked_first(scene: Make) -> None:
    made = scene(people=2, cameras=2, frames=30, missed=0.0)
    made = replace(made, views=[replace(view, fps=10.0) for view in made.views])
    assert agrees(match_people(made.views, made.cameras), made.truth)


def test_other_views_mend_tracks_that_changed_persons(scene: Make) -> None:
    made = scene(people=2, cameras=3, frames=30, missed=0.0)
    # The first view's tracker took one for the other after both were out of sight.
    view, truth = made.views[0], made.truth[0]
    visible = (view.frame < 12) | (view.frame > 18)
    switched = replace(view, person=np.where(view.frame < 15, truth, 1 - truth), fps=10.0).take(visible)
    group = _People(
        [switched, *made.with_known_people().views[1:]],
        [view_rays(seen, camera) for seen, camera in zip([switched, *made.views[1:]], made.cameras, strict=True)],
    ).match_tracks([False, True, True])
    assert agrees([group], [np.concatenate([truth[visible], *made.truth[1:]])])


def test_single_frames_are_matched_too(scene: Make) -> None:
    made = scene(people=3, cameras=3, missed=0.0)
    found = match_people(made.views, made.cameras, frame_by_frame=True)
    for frame in range(20):
        here = [view.frame == frame for view in made.views]
        pick = [numbers[rows] for numbers, rows in zip(found, here, strict=True)]
        assert agrees(pick, [truth[rows] for truth, rows in zip(made.truth, here, strict=True)])


def test_the_order_of_views_means_nothing(scene: Make) -> None:
    made = scene(people=3, cameras=3).with_known_people()
    straight = match_people(made.views, made.cameras)
    turned = match_people(made.views[::-1], made.cameras[::-1])
    for one, other in zip(straight, turned[::-1], strict=True):
        assert (one == other).all()


def test_a_views_own_numbers_mean_nothing_to_others(scene: Make) -> None:
    made = scene(people=3, cameras=2).with_known_people()
    straight = match_people(made.views, made.cameras)
    renamed = [replace(view, person=17 - 5 * view.person) for view in made.views]
    for one, other in zip(straight, match_people(renamed, made.cameras), strict=True):
        assert (one == other).all()


def test_the_order_of_rows_means_nothing(scene: Make) -> None:
    made = scene(people=2, cameras=2).with_known_people()
    order = np.random.default_rng(0).permutation(len(made.views[0]))
    straight = match_people(made.views, made.cameras)
    mixed = match_people([made.views[0].take(order), made.views[1]], made.cameras)
    assert (mixed[0] == straight[0][order]).all()
    assert (mixed[1] == straight[1]).all()


def test_who_only_one_view_sees_is_nobody_elses(scene: Make) -> None:
    made = scene(people=3, cameras=2).with_known_people()
    other = made.views[1].take(made.truth[1] != 2)
    first, second = match_people([made.views[0], other], made.cameras)
    assert (first[made.truth[0] == 2] == NOBODY).all()
    assert agrees([first[made.truth[0] != 2], second], [made.truth[0][made.truth[0] != 2], other.person])
    kept, _ = match_people([made.views[0], other], made.cameras, keep_unsupported=True)
    assert agrees([kept], [made.truth[0]])
    assert (kept >= 0).all()


def test_everybody_has_a_number_for_fusion(scene: Make) -> None:
    made = scene(people=2, cameras=2).with_known_people()
    later = replace(made.views[1], frame=made.views[1].frame + 40)
    numbers = people_of_views([made.views[0], later], made.cameras, offsets=[0, -40])
    assert agrees(numbers, made.truth)
    # Of one person the numbers of the views do not matter, nor whether they could be matched at all.
    alone = [view.take(truth == 0) for view, truth in zip(made.views, made.truth, strict=True)]
    elsewhere = replace(alone[1], person=alone[1].person + 7, root_translation_m=alone[1].root_translation_m + 3)
    for one in people_of_views([alone[0], elsewhere], made.cameras):
        assert set(one.tolist()) == {0}


def test_people_far_apart_are_never_one(scene: Make) -> None:
    made = scene(people=2, cameras=2).with_known_people()
    only = [view.take(truth == number) for number, (view, truth) in enumerate(zip(made.views, made.truth, strict=True))]
    assert all((numbers == NOBODY).all() for numbers in match_people(only, made.cameras))


def test_rows_that_were_not_lifted_are_nobody_and_spoil_nothing(scene: Make) -> None:
    made = scene(people=2, cameras=2).with_known_people()
    straight = match_people(made.views, made.cameras)
    view = made.views[0]
    broken = {name: getattr(view, name).copy() for name in ("means_m", "std_m", "view_rotation", "mixing_coefficients")}
    for array in broken.values():
        array[3] = np.nan
    status = view.status.astype("U16")
    status[3] = "degenerate"
    root = view.root_translation_m.copy()
    root[3] = np.nan
    found = match_people([replace(view, **broken, status=status, root_translation_m=root), made.views[1]], made.cameras)
    assert found[0][3] == NOBODY
    assert (np.delete(found[0], 3) == np.delete(straight[0], 3)).all()
    assert (found[1] == straight[1]).all()


def test_one_view_none_and_empty_ones(scene: Make) -> None:
    made = scene(people=2, cameras=2).with_known_people()
    assert match_people([], []) == []
    assert (match_people(made.views[:1], made.cameras[:1])[0] == NOBODY).all()
    nothing = made.views[1].take(slice(0, 0))
    first, second = match_people([made.views[0], nothing], made.cameras)
    assert (first == NOBODY).all()
    assert second.tolist() == []
    assert [len(numbers) for numbers in match_people([nothing, nothing], made.cameras)] == [0, 0]
    with pytest.raises(InputError, match="one for each view"):
        match_people(made.views, made.cameras[:1])


def test_clusters_never_hold_what_is_apart() -> None:
    evidence = np.array([[0.0, -5.0, -4.0], [-5.0, 0.0, -1.0], [-4.0, -1.0, 0.0]])
    nothing = np.zeros((3, 3), bool)
    assert cluster(evidence, nothing).tolist() == [0, 0, 0]
    apart = nothing.copy()
    apart[1, 2] = apart[2, 1] = True
    assert cluster(evidence, apart).tolist() == [0, 0, 1]
    assert cluster(-evidence, nothing).tolist() == [0, 1, 2]
    assert cluster(np.zeros((0, 0)), np.zeros((0, 0), bool)).tolist() == []


def test_clusters_weigh_all_pairs() -> None:
    # 1 likes 2 a little, but 0 and 2 exclude each other strongly, and 0 likes 1 more.
    evidence = np.array([[0.0, -6.0, 9.0], [-6.0, 0.0, -5.0], [9.0, -5.0, 0.0]])
    assert cluster(evidence, np.zeros((3, 3), bool)).tolist() == [0, 0, 1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_clusters_do_not_depend_on_the_order_and_are_never_worse_than_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 9))
    evidence = rng.normal(size=(count, count))
    evidence += evidence.T
    np.fill_diagonal(evidence, 0.0)
    apart = rng.random((count, count)) < 0.2
    apart = (apart | apart.T) & ~np.eye(count, dtype=bool)
    group = cluster(evidence, apart)
    together = group[:, None] == group
    assert not (together & apart).any()
    assert evidence[together].sum() <= 1e-9
    order = rng.permutation(count)
    turned = cluster(evidence[np.ix_(order, order)], apart[np.ix_(order, order)])
    assert ((turned[:, None] == turned) == together[np.ix_(order, order)]).all()
