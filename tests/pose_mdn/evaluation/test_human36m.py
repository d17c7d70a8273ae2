"""The Human3.6M benchmark on small files of the same schema that the tests write themselves."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pose_mdn import metrics
from pose_mdn.errors import FormatError, InputError
from pose_mdn.evaluation.human36m import human36m_rows, human36m_views, published_rows
from pose_mdn.formats.cameras.human36m import human36m_cameras
from pose_mdn.formats.motions.human36m_npz import read_human36m_keypoints, read_human36m_positions
from pose_mdn.inference import load_lifter
from pose_mdn.skeletons import COCO17, HUMAN36M17, Skeleton

SUBJECTS = ("S1", "S5", "S6", "S7", "S8", "S9", "S11")
CLIPS = ("Walking", "Walking 1", "Sitting", "Photo 1")
FRAMES = 6
RECORDED = 32
KEPT = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
"""The benchmark's 17 of the 32 recorded joints, as every code that uses it lists them."""


def symmetry(skeleton: Skeleton) -> list[list[int]]:
    return [list(skeleton.left), list(skeleton.right)]


def write_benchmark(folder: Path, poses: np.ndarray, *, extra_frames: int = 0, skeleton: Skeleton = HUMAN36M17) -> dict:
    """Both files, of people who stand near the middle of the room; returns the 17 true joints, world, Z up."""
    rng = np.random.default_rng(0)
    truth: dict = {}
    recorded: dict = {}
    films: dict = {}
    for subject in ("S9", "S11"):
        truth[subject], recorded[subject], films[subject] = {}, {}, {}
        for clip in CLIPS:
            pose = poses[rng.choice(len(poses), FRAMES)] + [0, 0.95, 0]
            world = np.stack([pose[..., 0], -pose[..., 2], pose[..., 1]], axis=-1) + rng.uniform(-0.5, 0.5, 3) * [
                1,
                1,
                0,
            ]
            world = world.astype(np.float32)
            truth[subject][clip] = world
            recorded[subject][clip] = rng.normal(size=(FRAMES, RECORDED, 3)).astype(np.float32)
            recorded[subject][clip][:, KEPT] = world
            pixels = [camera.project(world).astype(np.float32) for camera in human36m_cameras(subject)]
            films[subject][clip] = [np.concatenate([film, film[:1].repeat(extra_frames, 0)]) for film in pixels]
    del recorded["S11"]["Sitting"]
    np.savez_compressed(folder / "data_3d_h36m.npz", positions_3d=np.array(recorded, dtype=object))
    metadata = {"num_joints": 17, "keypoints_symmetry": symmetry(skeleton), "layout_name": "h36m"}
    np.savez_compressed(
        folder / "data_2d_h36m_gt.npz",
        positions_2d=np.array(films, dtype=object),
        metadata=np.array(metadata, dtype=object),
    )
    return truth


@pytest.fixture
def benchmark(tmp_path, standing_poses):
    return tmp_path, write_benchmark(tmp_path, standing_poses)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_cameras_agree_with_opencv(subject) -> None:
    points = np.random.default_rng(1).uniform([-1, -1, 0], [1, 1, 2], (50, 3))
    for camera in human36m_cameras(subject):
        turn = cv2.Rodrigues(camera.rotation)[0]
        seen, _ = cv2.projectPoints(points, turn, camera.translation, camera.intrinsics, camera.distortion)
        np.testing.assert_allclose(camera.project(points), seen[:, 0], atol=1e-6)
        np.testing.assert_allclose(camera.camera_to_world(camera.world_to_camera(points)), points, atol=1e-12)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_cameras_stand_around_the_room_and_see_people_upright(subject) -> None:
    for camera in human36m_cameras(subject):
        assert 1.4 < camera.optical_center[2] < 1.7
        feet, head = camera.project([[0, 0, 0.0], [0, 0, 1.7]])
        assert head[1] + 200 < feet[1]
        assert (np.stack([feet, head]) > 0).all()
        assert (np.stack([feet, head]) < 1000).all()
        assert 3.5 < camera.world_to_camera([0, 0, 1])[2] < 6.5


def test_a_camera_is_its_published_quaternion_and_place() -> None:
    camera = human36m_cameras("S9")[0]
    w, *xyz = 0.15540587902069092, -0.15548215806484222, -0.7532095313072205, 0.6199594736099243
    np.testing.assert_allclose(camera.rotation.T, Rotation.from_quat([*xyz, w]).as_matrix(), atol=1e-9)
    np.testing.assert_allclose(camera.optical_center, [2.04445849609375, 4.9351171875, 1.4812275390625], atol=1e-9)


def test_an_unknown_subject_is_refused() -> None:
    with pytest.raises(InputError, match="S2"):
        human36m_cameras("S2")


def test_positions_come_back_with_the_joints_of_the_benchmark(benchmark) -> None:
    folder, truth = benchmark
    found = read_human36m_positions(folder / "data_3d_h36m.npz")
    np.testing.assert_array_equal(found["S9"]["Walking 1"], truth["S9"]["Walking 1"])
    assert found["S9"].keys() == set(CLIPS)


def test_views_hold_every_camera_and_frame_of_clips_in_both_files(benchmark) -> None:
    folder, _ = benchmark
    views = human36m_views(folder, detections="gt")
    assert [entry.action for entry in views] == ["Photo", "Sitting", "Walking"]
    assert [len(entry) for entry in views] == [2 * 4 * FRAMES, 4 * FRAMES, 2 * 2 * 4 * FRAMES]
    assert set(views[1].subject) == {"S9"}
    assert sum(map(len, human36m_views(folder, detections="gt", stride=4))) == 2 * 4 * 2 + 4 * 2 + 4 * 4 * 2


def test_keypoints_and_truth_of_a_view_belong_together(benchmark) -> None:
    """Projecting the truth with the row's ideal camera gives the row's keypoints."""
    for view in human36m_views(benchmark[0], detections="gt"):
        slopes = view.pose_camera_m / view.pose_camera_m[..., 2:]
        pixels = np.einsum("nij,nkj->nki", view.keypoints.intrinsics[:, :2], slopes)
        np.testing.assert_allclose(view.keypoints.keypoints_px, pixels, atol=5e-3)


def test_detections_that_go_on_after_the_motion_capture_are_cut_off(tmp_path, standing_poses) -> None:
    write_benchmark(tmp_path, standing_poses, extra_frames=3)
    views = human36m_views(tmp_path, detections="gt")
    assert len(views[0]) == 2 * 4 * FRAMES


def test_the_layout_is_told_by_which_joints_are_left(tmp_path, standing_poses) -> None:
    write_benchmark(tmp_path, standing_poses, skeleton=COCO17)
    assert read_human36m_keypoints(tmp_path / "data_2d_h36m_gt.npz").skeleton is COCO17


def test_rows_are_the_metrics_of_the_lifted_views(benchmark) -> None:
    lifter = load_lifter()
    views = human36m_views(benchmark[0], detections="gt")
    done: list[int] = []
    *actions, average = human36m_rows(lifter, views, on_progress=done.append)
    assert sum(done) == sum(map(len, views)) == average.num_poses
    hypotheses = lifter.lift(views[2].keypoints)
    truth = views[2].pose_camera_m - views[2].pose_camera_m[:, :1]
    top = hypotheses.means_m[np.arange(len(truth)), hypotheses.most_probable]
    assert actions[2].top_1 == pytest.approx(metrics.mpjpe_mm(top, truth).mean(), rel=1e-4)
    assert actions[2].pa_top_1 == pytest.approx(metrics.pa_mpjpe_mm(top, truth).mean(), rel=1e-4)
    assert average.mean == pytest.approx(np.mean([row.mean for row in actions]))
    for row in actions:
        assert row.pa_best_of_m <= row.best_of_m <= row.top_1
        assert row.pa_mean <= row.mean < 400


def test_poses_may_be_compared_from_the_middle_of_the_hips(benchmark) -> None:
    lifter = load_lifter()
    (view,) = [entry for entry in human36m_views(benchmark[0], detections="gt") if entry.action == "Sitting"]
    row = human36m_rows(lifter, [view], root="hips")[0]
    hypotheses = lifter.lift(view.keypoints)
    hips = [HUMAN36M17.index("l_hip"), HUMAN36M17.index("r_hip")]
    top, truth = (
        pose - pose[:, hips].mean(axis=1, keepdims=True)
        for pose in (hypotheses.means_m[np.arange(len(view)), hypotheses.most_probable], view.pose_camera_m)
    )
    assert row.top_1 == pytest.approx(metrics.mpjpe_mm(top, truth).mean(), rel=1e-4)
    assert row.pa_top_1 == pytest.approx(human36m_rows(lifter, [view])[0].pa_top_1, rel=1e-6)


def test_what_is_missing_or_does_not_fit_is_said(benchmark) -> None:
    folder, _ = benchmark
    with pytest.raises(FormatError, match="data_2d_h36m_cpn_ft_h36m_dbb"):
        human36m_views(folder)
    with pytest.raises(FormatError, match="none in common"):
        human36m_views(folder, detections="gt", subjects=("S1",))
    with pytest.raises(InputError, match="stride"):
        human36m_views(folder, detections="gt", stride=0)


def test_published_rows_name_paper_protocol_and_source() -> None:
    rows = published_rows()
    assert all(row.paper and row.protocol and row.source for row in rows)
    (li_lee,) = [row for row in rows if "Li and Lee" in row.paper]
    assert (li_lee.protocol_1, li_lee.protocol_2) == (52.7, 42.6)
