"""Figures that tell during training whether a lifter gets better."""

import torch

from pose_mdn.data.views import ViewBatch
from pose_mdn.models.lifting_graph import LiftingGraph

_MM = 1000.0


@torch.no_grad()
def validate(graph: LiftingGraph, batch: ViewBatch) -> dict[str, float]:
    """Errors in millimetres and negative log-likelihood in nats per coordinate on held-out views."""
    view = graph.view(batch.slopes, batch.confidence)
    prediction = graph.network(view.points, batch.confidence, view.log_radius)
    target = batch.pose_m @ view.rotation
    mixture = prediction.distribution()
    nll = -mixture.log_prob(target[:, 1:].flatten(1)) / (target.shape[1] - 1) / 3
    error = (prediction.means_m - target[:, None]).norm(dim=-1).mean(dim=-1) * _MM
    probabilities = graph.probabilities(prediction.log_mixing_coefficients)
    top = probabilities.argmax(dim=1, keepdim=True)
    entropy = -(probabilities * probabilities.clamp(min=1e-12).log()).sum(dim=1)
    return {
        "best_of_m_mm": round(float(error.amin(dim=1).mean()), 2),
        "top_1_mm": round(float(error.gather(1, top).mean()), 2),
        "nll": round(float(nll.mean()), 4),
        "effective_hypotheses": round(float(entropy.exp().mean()), 3),
    }
