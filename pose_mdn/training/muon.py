"""Muon: steepest descent in the spectral norm, for the square matrices of a residual trunk.

Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; update scale of Liu et al., "Muon is
scalable for LLM training", 2025. On this lifter it reaches AdamW's error with about half of the views
(docs/training.md). All matrices of one shape are orthogonalised together, several times faster than one by one.
"""

from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Quintic whose iteration drives singular values to about 1, fast rather than exactly (Jordan et al.)."""
_ITERATIONS = 5
_SCALE_OF_ADAMW = 0.2
"""Root mean square of AdamW's updates; with it one learning rate serves both (Liu et al.)."""
_SMALLEST_NORM = 1e-7


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix is replaced by the nearest orthogonal one, with decoupled weight decay.

    Args:
        params: Matrices, or groups of them.
        lr: Learning rate, on AdamW's scale.
        weight_decay: Decoupled weight decay.
        momentum: Of the Nesterov kind.
        dtype: In which matrices are orthogonalised; bfloat16 is enough, and fast where processors have it.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        *,
        lr: float,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self.dtype = dtype

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Move every matrix that has a gradient."""
        if closure is not None:
            raise NotImplementedError("expected no closure: Muon takes one gradient per step")
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for matrix in group["params"]:
                if matrix.grad is not None:
                    by_shape.setdefault(matrix.shape, []).append(matrix)
            for shape, matrices in by_shape.items():
                directions = orthogonalize(torch.stack([self._momentum(m, group) for m in matrices]).to(self.dtype))
                rate = group["lr"] * _SCALE_OF_ADAMW * max(shape) ** 0.5
                for matrix, direction in zip(matrices, directions, strict=True):
                    matrix.mul_(1.0 - group["lr"] * group["weight_decay"]).add_(direction.to(matrix), alpha=-rate)
        return None

    def _momentum(self, matrix: Tensor, group: dict[str, Any]) -> Tensor:
        assert matrix.grad is not None
        state = self.state[matrix]
        average: Tensor = state.setdefault("average", torch.zeros_like(matrix))
        average.lerp_(matrix.grad, 1.0 - group["momentum"])
        return matrix.grad.lerp(average, group["momentum"])


def orthogonalize(matrices: Tensor) -> Tensor:
    """(K, R, C) matrices U S V^T to about U V^T, with all singular values near 1, by Newton-Schulz iteration."""
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / x.float().norm(dim=(-2, -1), keepdim=True).clamp(min=_SMALLEST_NORM).to(x)
    a, b, c = _COEFFICIENTS
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x
