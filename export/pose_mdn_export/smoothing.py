"""Where a trunk's linear layers are quantised, and how: ranges measured on training views, outliers moved into weights.

A few features of a normalised hidden layer are much larger than the others and would take all of the 256 steps. Each
is divided by its own factor in LayerNorm's scale and shift, and the next layer's column is multiplied by it: exactly
the same function (Xiao et al., "SmoothQuant", 2023).
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pose_mdn.models.lifting_graph import LiftingGraph
from pose_mdn.models.trunk import LayerNormBlock
from pose_mdn_export.errors import ExportError

_STEPS = 255
_MIGRATION = 0.7
"""Share of an outlier that moves from features into weights; weights, with a range per row, bear it better."""
_CLIPPED_TO = torch.linspace(0.3, 1.0, 29)
"""Parts of the full range that are tried: cutting rare large values may serve the many small ones better."""
_SMALLEST = 1e-6
_LEFT_SHARE = 0.3


@dataclass(frozen=True, kw_only=True)
class FeatureRange:
    """How a layer's input becomes eight bits: round(feature / scale) + zero_point, in 0..255.

    Attributes:
        scale: Feature units per step, positive.
        zero_point: The step that stands for 0.
    """

    scale: float
    zero_point: int


def quantisable_layers(graph: LiftingGraph) -> dict[str, nn.Linear]:
    """Linear layers of the trunk that bear eight bits, by their name in the graph.

    The first layer sees coordinates, which carry more than 256 steps; the heads are small. The last layers stay as they
    are, at least one and about a third: their rounding costs most (measured in docs/decisions/0007).

    Raises:
        ExportError: The trunk is not one of LayerNorm blocks, or has none.
    """
    layers = {
        f"network.trunk.blocks.{index}.{name}": layer
        for index, block in enumerate(_blocks(graph))
        for name, layer in (("first", block.first), ("second", block.second))
    }
    left = max(1, round(_LEFT_SHARE * len(layers)))
    return dict(list(layers.items())[:-left])


@torch.no_grad()
def smoothed(graph: LiftingGraph, views: tuple[Tensor, Tensor, Tensor]) -> tuple[LiftingGraph, dict[str, FeatureRange]]:
    """The same lifter with outliers moved into weights, and the range of each quantisable layer's input.

    Args:
        graph: A lifter in evaluation mode; it is left alone.
        views: Keypoints, confidences and intrinsics of people like those it will lift.
    """
    graph = copy.deepcopy(graph)
    layers = quantisable_layers(graph)
    with _recorded(layers) as inputs:
        graph(*views)
    ranges = {}
    for index, block in enumerate(_blocks(graph)):
        name = f"network.trunk.blocks.{index}.first"
        if name not in inputs:
            continue
        factor = _migration(inputs[name], block.first.weight)
        block.norm.weight.div_(factor)
        block.norm.bias.div_(factor)
        block.first.weight.mul_(factor)
        inputs[name] = inputs[name] / factor
    for name, features in inputs.items():
        ranges[name] = _best_range(features)
    return graph, ranges


def _blocks(graph: LiftingGraph) -> list[LayerNormBlock]:
    blocks = [block for block in getattr(graph.network.trunk, "blocks", []) if isinstance(block, LayerNormBlock)]
    if not blocks:
        raise ExportError(
            f"int8: expected a trunk with blocks of LayerNorm (trunk = 'layer_norm'), got "
            f"{graph.network.config.trunk!r} with {graph.network.config.num_blocks} blocks; export without --int8"
        )
    return blocks


@contextmanager
def _recorded(layers: dict[str, nn.Linear]) -> Iterator[dict[str, Tensor]]:
    """While open, fills a dictionary with the inputs of the layers."""
    inputs: dict[str, Tensor] = {}

    def record(name: str, layer: nn.Linear) -> torch.utils.hooks.RemovableHandle:
        def keep(_: nn.Module, args: tuple[Tensor, ...]) -> None:
            inputs[name] = args[0].clone()

        return layer.register_forward_pre_hook(keep)

    handles = [record(name, layer) for name, layer in layers.items()]
    try:
        yield inputs
    finally:
        for handle in handles:
            handle.remove()


def _migration(features: Tensor, weight: Tensor) -> Tensor:
    """Factors (features,) with geometric mean 1."""
    largest_feature = features.abs().amax(dim=0).clamp(min=_SMALLEST)
    largest_weight = weight.abs().amax(dim=0).clamp(min=_SMALLEST)
    log_factor = _MIGRATION * largest_feature.log() - (1.0 - _MIGRATION) * largest_weight.log()
    return (log_factor - log_factor.mean()).exp()


def _best_range(features: Tensor) -> FeatureRange:
    """The range, of full and clipped ones, with the least squared rounding error."""
    low, high = float(features.min().clamp(max=0.0)), float(features.max().clamp(min=_SMALLEST))
    candidates = [_feature_range(low, high * float(part)) for part in _CLIPPED_TO]
    candidates += [_feature_range(low * float(part), high * float(part)) for part in _CLIPPED_TO]
    return min(candidates, key=lambda candidate: _squared_error(features, candidate))


def _feature_range(low: float, high: float) -> FeatureRange:
    scale = (high - low) / _STEPS
    return FeatureRange(scale=scale, zero_point=min(max(round(-low / scale), 0), _STEPS))


def _squared_error(features: Tensor, candidate: FeatureRange) -> float:
    steps = (features / candidate.scale).round().add(candidate.zero_point).clamp(0, _STEPS) - candidate.zero_point
    return float((steps * candidate.scale - features).square().mean())
