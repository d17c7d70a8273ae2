import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.config import ModelConfig
from pose_mdn.models.lifting_graph import LiftingGraph
from pose_mdn.models.mdn import MixtureDensityNetwork
from pose_mdn_export.example_views import example_views
from pose_mdn_export.planar_graph import PlanarGraph, has_planar_form
from pose_mdn_export.signature import TOLERANCES

SMALL = ModelConfig(width=32, num_blocks=1, num_hypotheses=3, ood_score=True)


def _graph(config: ModelConfig = SMALL) -> LiftingGraph:
    torch.manual_seed(0)
    graph = LiftingGraph(MixtureDensityNetwork(config), (1.05, 1.0, 2.0, 1.0, 1.0)[: config.num_hypotheses]).eval()
    with torch.no_grad():
        for parameter in graph.parameters():  # also those that start at zero or one
            parameter.add_(0.1 * torch.randn_like(parameter))
        graph.calibration.std_scale.uniform_(0.1, 1.5)
        graph.calibration.misfit_exponent.copy_(torch.tensor([0.6, -0.3]))
        graph.calibration.mixing_temperature.fill_(1.3)
        graph.network.means.mean_lengths_m.uniform_(0.1, 0.5)
    return graph


GRAPH = _graph()
PLANAR = PlanarGraph(GRAPH).eval()


def _assert_same(views: dict[str, np.ndarray], graph: LiftingGraph = GRAPH, planar: PlanarGraph = PLANAR) -> None:
    inputs = [torch.from_numpy(array) for array in views.values()]
    with torch.no_grad():
        expected, got = graph(*inputs)._asdict(), planar(*inputs)._asdict()
    for name, left in expected.items():
        assert torch.isfinite(left).all(), name
        tolerance = TOLERANCES[name]
        torch.testing.assert_close(
            got[name],
            left,
            atol=tolerance.absolute,
            rtol=max(tolerance.relative, 1e-5),
            msg=lambda m, n=name: f"{n}: {m}",
        )


@settings(deadline=None, max_examples=40)
@given(batch=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_both_forms_agree_with_random_joints_missing(batch, seed):
    _assert_same(example_views(batch=batch, seed=seed))


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), skew=st.floats(-50, 50), squeeze=st.floats(0.5, 2.0))
def test_both_forms_agree_for_any_pinhole(seed, skew, squeeze):
    views = example_views(batch=5, seed=seed)
    views["intrinsics"][:, 0, 1] = skew
    views["intrinsics"][:, 1, 1] *= squeeze
    _assert_same(views)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_joint_that_is_no_number_is_missing_even_if_confident(value):
    views = example_views(batch=4, seed=1)
    views["keypoints_px"][:, 3, 1] = value
    views["confidence"][:, 3] = 1.0
    _assert_same(views)


@pytest.mark.parametrize("visible", [0, 1, 17])
def test_answers_stay_finite_when_joints_coincide_or_nobody_is_seen(visible):
    views = example_views(batch=3, seed=2)
    views["keypoints_px"][:] = 700.0
    views["confidence"][:] = np.arange(17) < visible
    inputs = [torch.from_numpy(array) for array in views.values()]
    with torch.no_grad():
        expected, got = GRAPH(*inputs), PLANAR(*inputs)
    assert all(torch.isfinite(tensor).all() for tensor in (*expected, *got))
    # The network is shown rounding errors, magnified: its answers may differ by centimetres, the frame may not.
    torch.testing.assert_close(got.view_rotation, expected.view_rotation)
    torch.testing.assert_close(got.means_m, expected.means_m, atol=0.05, rtol=0.0)


def test_both_forms_agree_where_the_lens_sees_almost_sideways():
    views = example_views(batch=3, seed=3)
    views["keypoints_px"][:] = np.random.default_rng(0).uniform(-30_000, 30_000, views["keypoints_px"].shape)
    views["confidence"][:] = 1.0
    _assert_same(views)


@pytest.mark.parametrize(
    "changes",
    [{"ood_score": False}, {"num_hypotheses": 1}, {"num_hypotheses": 5, "num_blocks": 2}],
    ids=["no score", "one hypothesis", "deeper"],
)
def test_every_planar_configuration_agrees(changes):
    graph = _graph(dataclasses.replace(SMALL, **changes))
    inputs = [torch.from_numpy(array) for array in example_views(batch=9, seed=4).values()]
    with torch.no_grad():
        for left, right in zip(graph(*inputs), PlanarGraph(graph)(*inputs), strict=True):
            assert (left is None) == (right is None)
            if left is not None:
                torch.testing.assert_close(right, left, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "changes",
    [{"view": "camera"}, {"head": "free"}, {"covariance": "isotropic"}, {"min_std_m": 0.0}, {"trunk": "martinez_2017"}],
    ids=lambda changes: next(iter(changes)),
)
def test_other_networks_keep_the_form_in_which_they_are_trained(changes):
    assert has_planar_form(SMALL)
    assert not has_planar_form(dataclasses.replace(SMALL, **changes))
