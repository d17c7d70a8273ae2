import numpy as np
import pytest

from pose_mdn.evaluation.virtual_views import virtual_views
from pose_mdn.geometry.pinhole import camera_to_slopes, slopes_to_pixels
from pose_mdn.skeletons import HUMAN36M17, to_human36m17

LAYOUTS = ("coco17", "body25", "blazepose33")


@pytest.fixture(scope="module")
def views(motion_file):
    return {each.name: each for each in virtual_views(motion_file, "test", count=80, seed=0)}


def test_rows_are_those_of_the_standard_table(views):
    missing = {name: (each.keypoints.confidence == 0).sum(axis=1) for name, each in views.items()}
    own_layout = {name: set(counts.tolist()) for name, counts in missing.items() if name not in LAYOUTS}
    assert own_layout == {"clean": {0}, "noisy": {0}, "one_missing": {1}, "two_missing": {2}, "four_missing": {4}}
    assert list(views) == [*own_layout, *LAYOUTS]
    truth = views["clean"].pose_camera_m
    for each in views.values():
        np.testing.assert_array_equal(each.pose_camera_m, truth)


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_go_through_the_mapping(views, name):
    keypoints = views[name].keypoints
    assert keypoints.skeleton.name == name
    mapped, confidence = to_human36m17(keypoints.keypoints_px, keypoints.confidence, keypoints.skeleton)
    absent = {joint for joint, seen in zip(HUMAN36M17.joint_names, confidence.any(axis=0), strict=True) if not seen}
    assert absent == {"spine", "head_top"}
    exact = views["clean"].keypoints.keypoints_px
    seen = [HUMAN36M17.index(joint) for joint in HUMAN36M17.joint_names if joint not in absent]
    off = np.median(np.linalg.norm(mapped - exact, axis=-1), axis=0)[seen]
    assert (off < 40.0).all()
    assert off.max() > 1.0


def test_the_same_seed_gives_the_same_views(motion_file):
    one, again, other = (virtual_views(motion_file, "test", count=5, seed=seed)[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.keypoints.keypoints_px, again.keypoints.keypoints_px)
    assert (one.keypoints.keypoints_px != other.keypoints.keypoints_px).any()


def test_balanced_views_draw_rare_poses_as_often_as_common_ones(motion_file, tmp_path):
    with np.load(motion_file) as archive:
        arrays = dict(archive)
    # All frames of the test subject but the last show one and the same pose.
    test = slice(192, 288)
    arrays["pose"][test] = np.concatenate([np.repeat(arrays["pose"][192:193], 95, axis=0), arrays["pose"][287:]])
    path = tmp_path / "stiff.npz"
    np.savez(path, **arrays)
    head, foot = HUMAN36M17.index("head_top"), HUMAN36M17.index("r_ankle")
    rare = np.linalg.norm(arrays["pose"][287, head] - arrays["pose"][287, foot])
    for balanced, low, high in ((False, 0.0, 0.1), (True, 0.35, 0.65)):
        truth = virtual_views(path, "test", count=200, seed=0, balanced=balanced)[0].pose_camera_m
        # Half of the views are mirrored, so that the foot may be the other one.
        sides = (
            np.linalg.norm(truth[:, head] - truth[:, side], axis=-1) for side in (foot, HUMAN36M17.flip_indices[foot])
        )
        drawn = np.any([np.isclose(length, rare, atol=1e-4) for length in sides], axis=0)
        assert low <= drawn.mean() <= high


def test_clean_keypoints_are_the_projected_truth(views):
    clean = views["clean"]
    projected = slopes_to_pixels(camera_to_slopes(clean.pose_camera_m), clean.keypoints.intrinsics)
    np.testing.assert_allclose(clean.keypoints.keypoints_px, projected, atol=1e-2)
    off = np.linalg.norm(views["noisy"].keypoints.keypoints_px - projected, axis=-1)
    assert 1.0 < np.median(off) < 30.0
