from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose_mdn.distributions import PoseMixture
from pose_mdn.errors import InputError
from pose_mdn.fusion import METHODS, FusionSettings, fuse_views, seen_by
from pose_mdn.fusion.consistency import inconsistency_m
from pose_mdn.fusion.noise import estimate_noise
from pose_mdn.fusion.rows import match_rows, pair_views
from pose_mdn.fusion.sightings import gather
from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.fused import FusedPoseSequence
from pose_mdn.skeletons import HUMAN36M17

FLIP = list(HUMAN36M17.flip_indices)
WRIST = HUMAN36M17.index("l_wrist")


def changed(views: dict, name: str, **columns: object) -> dict:
    return {**views, name: replace(views[name], **columns)}


def assert_same(got: FusedPoseSequence, expected: FusedPoseSequence, atol: float = 1e-5) -> None:
    np.testing.assert_allclose(got.joints_m, expected.joints_m, atol=atol)
    np.testing.assert_allclose(got.covariance_m2, expected.covariance_m2, atol=atol)
    np.testing.assert_allclose(got.mixing_coefficients, expected.mixing_coefficients, atol=1e-3)
    assert (got.view_status == expected.view_status).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("views", [2, 3, 5, 8])
def test_without_noise_every_method_finds_where_people_are(scene, method: str, views: int) -> None:
    made = scene(views=views, rows=4, depth_std=0.0)
    fused = fuse_views(made.views, made.cameras, settings=FusionSettings(method=method, noise=0.001))
    assert (fused.status == "fused").all()
    assert made.error_m(fused.joints_m[:, 0]).max() < 2e-3


def test_two_views_are_triangulated_as_by_opencv(scene) -> None:
    made = scene(views=2)
    rng = np.random.default_rng(0)
    views = {
        name: replace(
            view, keypoints_px=view.keypoints_px + rng.normal(size=view.keypoints_px.shape).astype(np.float32)
        )
        for name, view in made.views.items()
    }
    fused = fuse_views(views, made.cameras, settings=FusionSettings(method="triangulation"))
    slopes = [
        cv2.undistortPoints(
            view.keypoints_px.reshape(-1, 1, 2).astype(np.float64), camera.intrinsics, camera.distortion
        )
        for view, camera in zip(views.values(), made.cameras.values(), strict=True)
    ]
    matrices = [np.column_stack([camera.rotation, camera.translation]) for camera in made.cameras.values()]
    points = cv2.triangulatePoints(*matrices, *(slope.reshape(-1, 2).T for slope in slopes))
    linear = (points[:3] / points[3]).T.reshape(-1, 17, 3)
    # Least squares of slopes and of the linear equations differ by a part of the noise, here 3 mm.
    assert np.abs(fused.joints_m[:, 0] - linear).max() < 1e-3
    assert made.error_m(fused.joints_m[:, 0]).max() < 0.01


def test_pixels_outweigh_a_lifter_that_is_wrong_if_they_are_exact(scene) -> None:
    made = scene(views=3, depth_std=0.1)
    by_noise = [
        made.error_m(fuse_views(made.views, made.cameras, settings=FusionSettings(noise=noise)).joints_m[:, 0]).mean()
        for noise in (0.0005, 0.012)
    ]
    assert by_noise[0] < 0.001
    assert by_noise[0] < by_noise[1] < 0.03


def test_one_view_gives_back_its_hypotheses(scene) -> None:
    made = scene(views=1)
    ((name, view),) = made.views.items()
    camera = made.cameras[name]
    fused = fuse_views(made.views, made.cameras)
    assert (fused.status == "single_view").all()
    order = np.argsort(-view.mixing_coefficients, axis=1)
    np.testing.assert_allclose(
        fused.mixing_coefficients, np.take_along_axis(view.mixing_coefficients, order, 1), atol=1e-4
    )
    back = seen_by(fused, camera, view)
    np.testing.assert_allclose(back.means_m, np.take_along_axis(view.means_m, order[..., None, None], 1), atol=1e-4)
    np.testing.assert_allclose(back.std_m, np.take_along_axis(view.std_m, order[..., None, None], 1), atol=1e-4)
    np.testing.assert_allclose(back.root_translation_m, view.root_translation_m, atol=1e-3)
    np.testing.assert_array_equal(back.keypoints_px, view.keypoints_px)
    pose = camera.world_to_camera(made.truth) - camera.world_to_camera(made.truth)[:, :1]
    np.testing.assert_allclose(PoseMixture(back).log_prob(pose), PoseMixture(view).log_prob(pose), rtol=1e-2)


def test_where_the_world_has_its_origin_changes_nothing(scene) -> None:
    made = scene()
    turn, shift = Rotation.random(rng=3).as_matrix(), np.array([20.0, -30.0, 5.0])
    elsewhere = {}
    for name, camera in made.cameras.items():
        rotation = camera.rotation @ turn.T
        elsewhere[name] = replace(camera, rotation=rotation, translation=camera.translation - rotation @ shift)
    fused, moved = fuse_views(made.views, made.cameras), fuse_views(made.views, elsewhere)
    np.testing.assert_allclose(moved.joints_m, fused.joints_m @ turn.T + shift, atol=1e-4)
    np.testing.assert_allclose(moved.covariance_m2, turn @ fused.covariance_m2 @ turn.T, atol=1e-6)


def test_the_order_of_views_and_the_other_rows_change_nothing(scene) -> None:
    made = scene(views=3)
    known = FusionSettings(noise=0.012)
    fused = fuse_views(made.views, made.cameras, settings=known)
    turned = fuse_views(dict(reversed(made.views.items())), made.cameras, settings=known)
    np.testing.assert_allclose(turned.joints_m[:, 0], fused.joints_m[:, 0], atol=1e-5)
    row = {name: view.take(slice(4, 5)) for name, view in made.views.items()}
    assert_same(fuse_views(row, made.cameras, settings=known), fused.take(slice(4, 5)))


def test_more_views_are_better_and_surer(scene) -> None:
    errors, spreads = [], []
    for views in (1, 2, 4, 8):
        made = scene(views=views, rows=32)
        fused = fuse_views(made.views, made.cameras)
        errors.append(made.error_m(fused.joints_m[:, 0]).mean())
        spreads.append(np.trace(fused.covariance_m2[:, 0, WRIST], axis1=-2, axis2=-1).mean())
    assert errors == sorted(errors, reverse=True)
    assert spreads == sorted(spreads, reverse=True)


def test_a_joint_that_one_view_sees_is_placed_by_its_lifter(scene) -> None:
    made = scene(rows=24)
    views = dict(made.views)
    for name in list(views)[:-1]:
        confidence = views[name].confidence.copy()
        confidence[:, WRIST] = 0.0
        std = views[name].std_m.copy()
        std[:, :, WRIST] = 0.5
        views = changed(views, name, confidence=confidence, std_m=std)
    fused = fuse_views(views, made.cameras)
    off = np.linalg.norm(fused.joints_m[:, 0, WRIST] - made.truth[:, WRIST], axis=-1)
    assert off.mean() < 0.12  # the depth error of one view
    assert np.isnan(fused.joint_weight[:, :-1, WRIST]).all()
    triangulated = fuse_views(views, made.cameras, settings=FusionSettings(method="triangulation"))
    assert np.isnan(triangulated.means_m[:, :, WRIST]).all()
    assert np.isfinite(np.delete(triangulated.means_m, WRIST, axis=2)).all()


@pytest.mark.parametrize("views", [3, 4])
def test_a_view_of_somebody_else_is_left_out_and_named(scene, views: int) -> None:
    made = scene(views=views)
    other = np.roll(np.arange(len(made.truth)), 3)
    beside = made.truth[other] + [1.0, 0.7, 0.0]
    camera = made.cameras["cam0"]
    wrong = changed(made.views, "cam0", keypoints_px=camera.project(beside).astype(np.float32))
    fused = fuse_views(wrong, made.cameras)
    assert (fused.view_status[:, 0] == "left_out").all()
    assert (fused.view_status[:, 1:] == "used").all()
    assert fused.reasons(0) == ("cam0: left out: it shows somebody else, another moment, or is calibrated wrongly",)
    rest = {name: view for name, view in made.views.items() if name != "cam0"}
    np.testing.assert_allclose(fused.joints_m[:, 0], fuse_views(rest, made.cameras).joints_m[:, 0], atol=1e-5)
    kept = fuse_views(wrong, made.cameras, settings=FusionSettings(reject=False))
    assert (kept.view_status == "used").all()


def test_what_no_used_view_but_the_last_sees_is_placed_though_the_first_is_left_out(scene) -> None:
    made = scene(views=4, depth_std=0.02)
    beside = made.cameras["cam0"].project(made.truth + np.array([1.0, 0.7, 0.0])).astype(np.float32)
    views = changed(made.views, "cam0", keypoints_px=beside)
    for name in ("cam1", "cam2"):
        confidence = views[name].confidence.copy()
        confidence[:, WRIST] = 0.0
        views = changed(views, name, confidence=confidence)
    fused = fuse_views(views, made.cameras)
    assert (fused.view_status == ["left_out", "used", "used", "used"]).all()
    assert made.error_m(fused.joints_m[:, 0]).max() < 0.05


def test_two_views_that_disagree_leave_one(scene) -> None:
    made = scene(views=2)
    beside = made.cameras["cam0"].project(made.truth + np.array([1.0, 0.7, 0.0])).astype(np.float32)
    fused = fuse_views(changed(made.views, "cam0", keypoints_px=beside), made.cameras)
    assert (fused.status == "single_view").all()
    assert (np.sort(fused.view_status, axis=1) == ["left_out", "used"]).all()
    doubted = changed(made.views, "cam0", keypoints_px=beside, ood_score=np.full(len(made.truth), 0.9, np.float32))
    assert (fuse_views(doubted, made.cameras).view_status == ["left_out", "used"]).all()


def test_exchanged_sides_are_named_and_put_right(scene) -> None:
    made = scene()
    view = made.views["cam2"]
    fused = fuse_views(changed(made.views, "cam2", keypoints_px=view.keypoints_px[:, FLIP]), made.cameras)
    assert (fused.view_status == ["used", "used", "sides_exchanged", "used"]).all()
    assert fused.reasons(1) == ("cam2: left and right are exchanged; put right",)
    assert made.error_m(fused.joints_m[:, 0]).max() < 0.03


def test_a_gross_error_of_a_joint_is_named_and_survived(scene) -> None:
    made = scene()
    keypoints = made.views["cam1"].keypoints_px.copy()
    keypoints[:, WRIST] += [150.0, -200.0]
    fused = fuse_views(changed(made.views, "cam1", keypoints_px=keypoints), made.cameras)
    assert fused.gross_errors[:, 1, WRIST].all()
    assert fused.gross_errors.sum() == len(fused)
    assert fused.reasons(0) == ("cam1: disbelieved l_wrist",)
    assert np.linalg.norm(fused.joints_m[:, 0, WRIST] - made.truth[:, WRIST], axis=-1).max() < 0.06


def test_views_may_be_missing_in_any_frame_and_rows_may_be_broken(scene) -> None:
    made = scene(views=3, rows=8)
    whole = fuse_views(made.views, made.cameras)
    views = dict(made.views)
    views["cam0"] = views["cam0"].take(np.array([1, 2, 5]))
    status = views["cam1"].status.astype("<U32")
    status[2] = "too_few_joints"
    means = views["cam1"].means_m.copy()
    means[2] = np.nan
    views = changed(views, "cam1", status=status, means_m=means)
    views["cam2"] = views["cam2"].take(slice(0, 0))
    fused = fuse_views(views, made.cameras)
    assert fused.frame.tolist() == list(range(8))
    assert fused.view_status[2].tolist() == ["used", "not_lifted", "absent"]
    assert np.flatnonzero(fused.status == "fused").tolist() == [1, 5]
    assert (np.delete(fused.status, [1, 5]) == "single_view").all()
    assert np.isfinite(fused.joints_m).all()
    nobody = {name: replace(view, status=np.full(len(view), "no_person")) for name, view in views.items()}
    empty = fuse_views(nobody, made.cameras)
    assert (empty.status == "no_view").all()
    assert np.isnan(empty.means_m).all()
    assert len(whole) == len(empty) == 8
    none = fuse_views({name: view.take(slice(0, 0)) for name, view in views.items()}, made.cameras)
    assert len(none) == 0


def test_cameras_may_stand_anywhere(scene) -> None:
    made = scene(views=3, rows=4)
    up = np.array([0.0, 0.0, 1.0])
    for origin in (np.zeros(3), up):
        shift = origin - made.cameras["cam0"].optical_center
        moved = {
            name: replace(camera, translation=camera.translation - camera.rotation @ shift)
            for name, camera in made.cameras.items()
        }
        np.testing.assert_allclose(moved["cam0"].optical_center, origin, atol=1e-12)
        absent = {**made.views, "cam0": made.views["cam0"].take(slice(0, 1))}
        fused = fuse_views(absent, moved)
        expected = fuse_views(absent, made.cameras)
        np.testing.assert_allclose(fused.joints_m, expected.joints_m + shift, atol=1e-4)


def test_rows_are_matched_by_frame_and_person(scene) -> None:
    made = scene(views=2, rows=6)
    fused = fuse_views(made.views, made.cameras)
    late = changed(made.views, "cam1", frame=made.views["cam1"].frame + 7)
    assert_same(fuse_views(late, made.cameras, offsets={"cam1": -7}), fused)
    assert (fuse_views(late, made.cameras).status == "single_view").all()
    numbered = changed(made.views, "cam1", person=np.full(6, 4))
    assert (fuse_views(numbered, made.cameras).status == "single_view").all()
    same = [np.full(6, 9), np.array([9, 9, -1, 9, 9, 9])]
    matched = fuse_views(numbered, made.cameras, persons=same)
    assert matched.person.tolist() == [9] * 6
    assert matched.status.tolist() == [*["fused"] * 2, "single_view", *["fused"] * 3]
    back = seen_by(matched, made.cameras["cam1"], numbered["cam1"], person=same[1])
    assert np.isnan(back.keypoints_px[2]).all()
    assert np.isfinite(np.delete(back.keypoints_px, 2, axis=0)).all()


def test_a_camera_that_saw_nothing_can_look_too(scene) -> None:
    made = scene(views=4)
    fused = fuse_views({name: made.views[name] for name in ("cam0", "cam1", "cam2")}, made.cameras)
    hypotheses = seen_by(fused, made.cameras["cam3"])
    assert hypotheses.lifted.all()
    assert hypotheses.size_source == "given: several calibrated views"
    joints = made.cameras["cam3"].camera_to_world(hypotheses.means_m[:, 0] + hypotheses.root_translation_m[:, :1])
    np.testing.assert_allclose(joints, fused.joints_m[:, 0], atol=1e-4)
    trace = np.trace(fused.covariance_m2, axis1=-2, axis2=-1)
    np.testing.assert_allclose(2 * hypotheses.std_m[..., 0] ** 2 + hypotheses.std_m[..., 1] ** 2, trace, atol=1e-6)


def test_hypotheses_that_agree_across_views_are_told_from_others(scene) -> None:
    made = scene(views=3, depth_std=0.1)
    views = pair_views(made.views, made.cameras)
    seen = gather(views, match_rows(views).index)
    apart = inconsistency_m(seen, seen.present)
    assert (apart.argmin(axis=-1) == 0).mean() > 0.9
    alone = np.zeros_like(seen.present)
    alone[:, 0] = True
    assert np.isnan(inconsistency_m(seen, alone)).all()


def test_what_cannot_be_fused_is_refused(scene) -> None:
    made = scene(views=2)
    view = made.views["cam0"]
    with pytest.raises(InputError, match="at least one camera, got none"):
        fuse_views({}, made.cameras)
    with pytest.raises(InputError, match=r"expected names of cameras \(cam0, cam1\), got 'left'"):
        fuse_views({"left": view}, made.cameras)
    with pytest.raises(InputError, match="lift again with --camera CALIBRATION:cam0"):
        fuse_views({"cam0": view}, {"cam0": Camera(intrinsics=np.diag([900.0, 900.0, 1.0]))})
    with pytest.raises(InputError, match="person 0 2 times in frame 3 of 'cam0'"):
        fuse_views({"cam0": view.take(np.array([0, 3, 3]))}, made.cameras)
    with pytest.raises(InputError, match="expected 10 numbers for view 'cam1'"):
        fuse_views(made.views, made.cameras, persons=[view.person, view.person[1:]])
    with pytest.raises(InputError, match="offsets: expected names of views"):
        fuse_views(made.views, made.cameras, offsets={"cam9": 1})
    for wrong in ({"method": "average"}, {"noise": 1.2}, {"num_hypotheses": 0}):
        with pytest.raises(InputError, match=f"^{next(iter(wrong))}: expected"):
            FusionSettings(**wrong)


def test_progress_counts_every_row(scene) -> None:
    made = scene(views=2, rows=100)
    done: list[int] = []
    fuse_views(made.views, made.cameras, on_progress=done.append)
    assert sum(done) == 100
    assert len(done) > 1


@pytest.mark.parametrize("noise", [0.004, 0.012, 0.02])
def test_the_noise_of_keypoints_is_estimated(scene, noise: float) -> None:
    made = scene(views=3, rows=60)
    rng = np.random.default_rng(0)
    views = {}
    for name, view in made.views.items():
        size = np.linalg.norm(np.ptp(view.keypoints_px, axis=1), axis=-1)[:, None, None]
        gross = np.where(rng.random((60, 17, 1)) < 0.05, 10.0, 1.0)
        keypoints = view.keypoints_px + noise * size * gross * rng.normal(size=(60, 17, 2))
        views[name] = replace(view, keypoints_px=keypoints.astype(np.float32))
    paired = pair_views(views, made.cameras)
    assert estimate_noise(gather(paired, match_rows(paired).index)) == pytest.approx(noise, rel=0.2)
    wrong = changed(views, "cam0", keypoints_px=np.roll(views["cam0"].keypoints_px, 9, axis=0) + 150)
    paired = pair_views(wrong, made.cameras)
    assert estimate_noise(gather(paired, match_rows(paired).index)) == pytest.approx(noise, rel=0.25)


@given(seed=st.integers(0, 10_000), views=st.integers(1, 5), method=st.sampled_from(METHODS))
@settings(max_examples=25, deadline=None)
def test_whatever_is_missing_or_wrong_rows_keep_their_place(scene, seed: int, views: int, method: str) -> None:
    made = scene(views=views, rows=5)
    rng = np.random.default_rng(seed)
    broken = {}
    for name, view in made.views.items():
        keypoints = view.keypoints_px + (rng.random((5, 17, 1)) < 0.2) * rng.normal(0, 400, (5, 17, 2))
        seen = rng.random((5, 17)) < rng.choice([0.1, 0.5, 1.0], (5, 1))
        status = np.where(rng.random(5) < 0.2, "too_few_joints", view.status)
        gone = (status == "too_few_joints")[:, None, None, None]
        broken[name] = replace(
            view,
            keypoints_px=np.where(seen[..., None], keypoints, np.nan).astype(np.float32),
            confidence=(seen * rng.uniform(0.1, 1.0, (5, 17))).astype(np.float32),
            means_m=np.where(gone, np.nan, view.means_m),
            root_translation_m=np.where(gone[..., 0], np.nan, view.root_translation_m),
            status=status,
        ).take(np.sort(rng.permutation(5)[: rng.integers(0, 6)]))
    fused = fuse_views(broken, made.cameras, settings=FusionSettings(method=method))
    present = [set(view.frame[view.lifted].tolist()) for view in broken.values()]
    for row, frame in enumerate(fused.frame.tolist()):
        shown = sum(frame in frames for frames in present)
        assert fused.found[row] == (shown > 0)
        assert 0 <= fused.used[row].sum() <= shown
        assert fused.used[row].any() == (shown > 0)
    if method != "triangulation":
        assert (np.isfinite(fused.means_m).all(axis=(1, 2, 3)) == fused.found).all()
        np.testing.assert_allclose(fused.mixing_coefficients[fused.found].sum(axis=1), 1.0, atol=1e-5)
        variances = np.linalg.eigvalsh(fused.covariance_m2[fused.found][:, :, 1:].astype(np.float64))
        assert (variances > 0).all()
