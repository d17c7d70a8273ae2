import copy

import pytest
import torch

from pose_mdn.training.muon import Muon, orthogonalize


def _matrices(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(4, 32, 32), (2, 48, 16), (2, 16, 48)])
def test_singular_values_come_near_one_and_singular_vectors_stay(shape):
    matrices = _matrices(*shape)
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    rotated = left.mT @ orthogonalize(matrices) @ right.mT
    values = rotated.diagonal(dim1=-2, dim2=-1)
    # The iteration lifts small singular values a hundredfold, not more.
    assert values.max() < 1.3
    assert values.quantile(0.2) > 0.6
    assert values.min() > 0.0
    torch.testing.assert_close(rotated, torch.diag_embed(values), atol=1e-3, rtol=0)


def test_a_matrix_has_the_same_direction_alone_as_among_others():
    matrices = _matrices(5, 24, 24)
    together = orthogonalize(matrices)
    for index in range(5):
        torch.testing.assert_close(orthogonalize(matrices[index : index + 1])[0], together[index])


def test_scale_does_not_matter_and_no_gradient_is_no_direction():
    matrices = _matrices(1, 16, 16)
    torch.testing.assert_close(orthogonalize(1e-3 * matrices), orthogonalize(matrices))
    assert (orthogonalize(torch.zeros(1, 8, 8)) == 0).all()


def test_steps_are_those_of_torch():
    """torch.optim.Muon computes in bfloat16, which allows no closer comparison."""
    start = torch.nn.Linear(32, 32, bias=False)
    ours, theirs = copy.deepcopy(start), copy.deepcopy(start)
    optimizers = (
        Muon(ours.parameters(), lr=0.02, weight_decay=0.1, dtype=torch.bfloat16),
        torch.optim.Muon(theirs.parameters(), lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
    )
    inputs, targets = _matrices(64, 32), _matrices(64, 32).flip(0)
    for _ in range(5):
        for module, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            (module(inputs) - targets).square().sum().backward()
            optimizer.step()
    moved = (ours.weight - start.weight).norm()
    assert (ours.weight - theirs.weight).norm() < 0.02 * moved
