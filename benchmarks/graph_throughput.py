"""Throughput of the whole lifting graph beside that of the bare network of Li and Lee (2019), in ONNX Runtime.

python benchmarks/graph_throughput.py [--model mdn_lifter] [--model other/bundle ...] (needs the export extra)

The paper's network is measured as kindly as can be: 32 standardised numbers in, raw mixture parameters out, batch
normalisation and weight limits folded into its matrices. The graph of a lifter starts at pixels and ends at metres in
the camera frame, with root translations and reprojection errors. Sessions take turns in one process, on one thread;
times are processor times, which other programs disturb less, and medians over rounds.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn import functional
from torch.nn.utils.fusion import fuse_linear_bn_eval

from pose_mdn.config import load_preset
from pose_mdn.inference import find_bundle
from pose_mdn.inference.session import open_session
from pose_mdn.models.mdn import FreeMeans
from pose_mdn.models.trunk import MartinezBlock, MaxNormLinear
from pose_mdn.training.checkpoint import build_graph
from pose_mdn_export.example_views import example_views
from pose_mdn_export.signature import OPSET

ROWS_PER_TURN = 2048
CALLS_PER_TURN = 100
PAPER = "li_lee_2019, bare network"


class BareNetwork(nn.Module):
    """The network of the paper without anything before or after it; its weights do not matter for its speed."""

    def __init__(self) -> None:
        super().__init__()
        network = build_graph(load_preset("li_lee_2019")).eval().network
        self.in_features = 2 * (len(network.standardization.points_mean) - 1)
        self.blocks = nn.ModuleList(_folded(block) for block in network.trunk.blocks)
        self.is_residual = [block.is_residual for block in network.trunk.blocks]
        assert isinstance(network.means, FreeMeans)
        self.means, self.std, self.mixing = (
            _plain(layer) for layer in (network.means.coordinates, network.std, network.mixing)
        )

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 32) standardised points to raw mixing logits, means and standard deviations."""
        for block, is_residual in zip(self.blocks, self.is_residual, strict=True):
            features = features + block(features) if is_residual else block(features)
        return self.mixing(features), self.means(features), functional.elu(self.std(features)) + 1.0


def _folded(block: MartinezBlock) -> nn.Sequential:
    layers: list[nn.Module] = []
    for layer, following in zip(block.layers, [*block.layers[1:], None], strict=True):
        if isinstance(layer, MaxNormLinear):
            assert isinstance(following, nn.BatchNorm1d)
            layers.append(fuse_linear_bn_eval(_plain(layer), following))
        elif isinstance(layer, nn.ReLU):
            layers.append(layer)
    return nn.Sequential(*layers)


def _plain(layer: nn.Linear) -> nn.Linear:
    """A layer with its weight limit applied."""
    plain = nn.Linear(layer.in_features, layer.out_features).eval()
    limit = getattr(layer, "max_norm", None) or float("inf")
    plain.weight.data = layer.weight.detach() * min(1.0, limit / float(layer.weight.norm()))
    plain.bias.data = layer.bias.detach().clone()
    return plain


def paper_session(folder: Path) -> tuple[onnxruntime.InferenceSession, int]:
    """The bare network in ONNX Runtime, and the number of its inputs."""
    network = BareNetwork().eval()
    path = folder / "bare.onnx"
    torch.onnx.export(
        network,
        (torch.zeros(2, network.in_features),),
        path,
        dynamo=True,
        dynamic_shapes={"features": {0: Dim("batch", min=1, max=65_536)}},
        opset_version=OPSET,
        external_data=False,
        verbose=False,
    )
    return open_session(path), network.in_features


def turn(session: onnxruntime.InferenceSession, feed: dict[str, np.ndarray], batch: int) -> Callable[[], float]:
    """A function that runs a session over some rows and returns microseconds of processor time per row."""
    calls = min(max(1, ROWS_PER_TURN // batch), CALLS_PER_TURN)

    def run() -> float:
        began = time.process_time()
        for _ in range(calls):
            session.run(None, feed)
        return 1e6 * (time.process_time() - began) / (calls * batch)

    return run


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="Throughput of lifting graphs beside the paper's bare network.")
    parser.add_argument("--model", action="append", help="Bundle, by name or folder; may be repeated.")
    parser.add_argument("--batch", type=int, action="append", help="Rows per call; may be repeated.")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()

    bundles = [find_bundle(model) for model in options.model or ["mdn_lifter"]]
    with tempfile.TemporaryDirectory() as folder:
        paper, in_features = paper_session(Path(folder))
    sessions = {f"{bundle.name}/{bundle.version}": open_session(bundle.graph_path) for bundle in bundles}
    print(f"{'graph':32s}{'batch':>8s}{'poses/s':>12s}{'µs/pose':>10s}{'x paper':>10s}")
    for batch in options.batch or [1, 64, 512]:
        features = np.random.default_rng(0).normal(size=(batch, in_features)).astype(np.float32)
        turns = {PAPER: turn(paper, {paper.get_inputs()[0].name: features}, batch)}
        turns |= {name: turn(session, example_views(batch=batch, seed=0), batch) for name, session in sessions.items()}
        # The first round warms up and does not count.
        rounds = [{name: run() for name, run in turns.items()} for _ in range(options.rounds + 1)][1:]
        for name in turns:
            micros = statistics.median(times[name] for times in rounds)
            ratio = statistics.median(times[PAPER] / times[name] for times in rounds)
            print(f"{name:32s}{batch:8d}{1e6 / micros:12,.0f}{micros:10.1f}{ratio:10.2f}")


if __name__ == "__main__":
    main()
