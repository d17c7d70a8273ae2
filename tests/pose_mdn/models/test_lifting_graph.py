import pytest
import torch

from pose_mdn.config import ModelConfig
from pose_mdn.models.lifting_graph import LiftingGraph
from pose_mdn.models.mdn import MixtureDensityNetwork
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_export.example_views import example_views


@pytest.fixture
def graph() -> LiftingGraph:
    torch.manual_seed(0)
    return LiftingGraph(MixtureDensityNetwork(ModelConfig(width=64)), (1.05,) * 5).eval()


def _views(batch: int = 6) -> list[torch.Tensor]:
    return [torch.from_numpy(array) for array in example_views(batch=batch, seed=1).values()]


@torch.no_grad()
def test_answer_does_not_depend_on_the_rest_of_the_batch(graph):
    keypoints, confidence, intrinsics = _views()
    together = graph(keypoints, confidence, intrinsics)
    for row in range(6):
        alone = graph(keypoints[row : row + 1], confidence[row : row + 1], intrinsics[row : row + 1])
        for one, other in zip(together, alone, strict=True):
            torch.testing.assert_close(one[row : row + 1], other, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_picture_scale_with_its_intrinsics_changes_nothing_but_pixels(graph):
    keypoints, confidence, intrinsics = _views()
    scaled = intrinsics.clone()
    scaled[:, :2] *= 3.0
    one, other = graph(keypoints, confidence, intrinsics), graph(3.0 * keypoints, confidence, scaled)
    torch.testing.assert_close(one.means_m, other.means_m, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(one.root_translation_m, other.root_translation_m, atol=1e-2, rtol=1e-3)
    torch.testing.assert_close(3.0 * one.reprojection_error_px, other.reprojection_error_px, atol=1e-1, rtol=1e-3)


@torch.no_grad()
def test_nan_in_one_person_leaves_the_others_alone(graph):
    keypoints, confidence, intrinsics = _views()
    spoiled = keypoints.clone()
    spoiled[2] = float("nan")
    one, other = graph(keypoints, confidence, intrinsics), graph(spoiled, confidence, intrinsics)
    rest = [0, 1, 3, 4, 5]
    torch.testing.assert_close(one.means_m[rest], other.means_m[rest])
    assert torch.isfinite(other.means_m).all()


@torch.no_grad()
def test_probabilities_sum_to_one_and_temperature_flattens_them(graph):
    views = _views()
    sharp = graph(*views).mixing_coefficients
    graph.calibration.mixing_temperature.fill_(4.0)
    flat = graph(*views).mixing_coefficients
    torch.testing.assert_close(sharp.sum(-1), torch.ones(6))
    torch.testing.assert_close(flat.sum(-1), torch.ones(6))
    assert (flat.amax(-1) <= sharp.amax(-1) + 1e-6).all()


@torch.no_grad()
def test_standard_deviations_follow_the_calibration(graph):
    views = _views()
    before = graph(*views).std_m
    graph.calibration.std_scale.fill_(2.0)
    torch.testing.assert_close(graph(*views).std_m, 2.0 * before)


@torch.no_grad()
def test_calibration_tells_missing_joints_from_seen_ones(graph):
    keypoints, confidence, intrinsics = _views()
    wrist = HUMAN36M17.index("l_wrist")
    confidence[:3, wrist] = 0.0
    before = graph(keypoints, confidence, intrinsics).std_m
    graph.calibration.std_scale[0] = 3.0
    ratio = graph(keypoints, confidence, intrinsics).std_m[:, :, wrist] / before[:, :, wrist]
    torch.testing.assert_close(ratio[:3], torch.full_like(ratio[:3], 3.0))
    torch.testing.assert_close(ratio[3:], torch.ones_like(ratio[3:]))
