import torch

from pose_mdn.losses.hypothesis_errors import best_of_m_error, mean_joint_errors, top_1_error
from pose_mdn.metrics import mpjpe_mm


def _hypotheses():
    generator = torch.Generator().manual_seed(0)
    means = torch.randn(32, 5, 16, 3, generator=generator, requires_grad=True)
    target = torch.randn(32, 16, 3, generator=generator)
    log_mixing = torch.log_softmax(torch.randn(32, 5, generator=generator), dim=1)
    return means, target, log_mixing


def test_mean_joint_errors_are_mpjpe():
    means, target, _ = _hypotheses()
    torch.testing.assert_close(1000 * mean_joint_errors(means, target), mpjpe_mm(means, target[:, None]))


def test_errors_at_the_target_have_a_finite_gradient():
    means = torch.zeros(1, 1, 16, 3, requires_grad=True)
    mean_joint_errors(means, torch.zeros(1, 16, 3)).sum().backward()
    assert torch.isfinite(means.grad).all()


def test_only_the_most_probable_hypothesis_is_moved():
    means, target, log_mixing = _hypotheses()
    error = top_1_error(log_mixing, mean_joint_errors(means, target))
    error.sum().backward()
    moved = means.grad.abs().amax(dim=(2, 3)) > 0
    assert torch.equal(moved, torch.nn.functional.one_hot(log_mixing.argmax(1), 5).bool())


def test_only_the_winner_is_moved_and_no_hypothesis_is_better():
    means, target, _ = _hypotheses()
    errors = mean_joint_errors(means, target)
    best_of_m_error(errors).sum().backward()
    moved = means.grad.abs().amax(dim=(2, 3)) > 0
    assert torch.equal(moved, torch.nn.functional.one_hot(errors.argmin(1), 5).bool())
    assert (best_of_m_error(errors)[:, None] <= errors).all()
