"""The one graph: from pixels to hypotheses in the camera frame, with everything that lies between."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pose_mdn.config import ModelConfig
from pose_mdn.distributions.dirichlet import debias_mixing_coefficients
from pose_mdn.geometry.canonical_view import canonical_view
from pose_mdn.geometry.pinhole import camera_to_slopes, pixels_to_slopes, slopes_to_pixels
from pose_mdn.geometry.root_translation import solve_root_translation
from pose_mdn.models.calibration import Calibration, relative_misfit
from pose_mdn.models.mdn import MixtureDensityNetwork

_SMALLEST_PROBABILITY = 1e-6


class View(NamedTuple):
    """What the network is given of each person, the same unscaled, and the way back to the camera."""

    slopes: Tensor
    points: Tensor
    log_radius: Tensor
    rotation: Tensor


class PlacedHypotheses(NamedTuple):
    """Hypotheses in the camera frame and what they look like in the picture; as in `LiftedPoses`."""

    means_m: Tensor
    root_translation_m: Tensor
    reprojection_error_px: Tensor


class LiftedPoses(NamedTuple):
    """Outputs of the graph, in the order and under the names of the ONNX signature; the last one only if it is told."""

    means_m: Tensor
    std_m: Tensor
    view_rotation: Tensor
    mixing_coefficients: Tensor
    root_translation_m: Tensor
    reprojection_error_px: Tensor
    ood_score: Tensor | None = None


class LiftingGraph(nn.Module):
    """Undistorted pixels, confidences and intrinsics in; weighted Gaussian hypotheses in the camera frame out."""

    def __init__(self, network: MixtureDensityNetwork, concentration: tuple[float, ...]) -> None:
        super().__init__()
        self.network = network
        self.concentration = concentration
        self.calibration = Calibration()

    def forward(self, keypoints_px: Tensor, confidence: Tensor, intrinsics: Tensor) -> LiftedPoses:
        """Lift a batch.

        Args:
            keypoints_px: (B, 17, 2) undistorted pixels; anything, NaN too, where missing.
            confidence: (B, 17) in [0, 1]; 0 means missing.
            intrinsics: (B, 3, 3) pinhole matrices.

        Returns:
            The outputs of the ONNX signature: metres in the camera frame, pixels for the reprojection error.
        """
        pixels, confidence, slopes = read_keypoints(keypoints_px, confidence, intrinsics)
        view = self.view(slopes, confidence)
        mixture = self.network(view.points, confidence, view.log_radius)
        placed = place_hypotheses(mixture.means_m, view, pixels, confidence, intrinsics)
        misfit = relative_misfit(placed.reprojection_error_px, pixels, confidence)
        return LiftedPoses(
            means_m=placed.means_m,
            std_m=self.calibration.correct(mixture.std_m, confidence, misfit),
            view_rotation=view.rotation,
            mixing_coefficients=self.probabilities(mixture.log_mixing_coefficients),
            root_translation_m=placed.root_translation_m,
            reprojection_error_px=placed.reprojection_error_px,
            ood_score=None if mixture.ood_logit is None else mixture.ood_logit.sigmoid(),
        )

    def view(self, slopes: Tensor, confidence: Tensor) -> View:
        """What the network sees of (B, 17, 2) slopes with (B, 17) confidences."""
        return network_view(self.network.config, slopes, confidence)

    def probabilities(self, log_mixing_coefficients: Tensor) -> Tensor:
        """(B, M) calibrated probabilities: the prior's pull removed, then the fitted temperature."""
        return self.temper(log_mixing_coefficients.exp(), self.calibration.mixing_temperature)

    def temper(self, mixing_coefficients: Tensor, temperature: Tensor) -> Tensor:
        """(B, M) probabilities at a temperature: 1 keeps them, above 1 draws them together."""
        debiased = debias_mixing_coefficients(mixing_coefficients, self.concentration)
        tempered = (debiased + _SMALLEST_PROBABILITY) ** (1.0 / temperature)
        return tempered / tempered.sum(dim=-1, keepdim=True)


def read_keypoints(keypoints_px: Tensor, confidence: Tensor, intrinsics: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels, confidences and slopes, as of `LiftingGraph.forward`, all finite and 0 where joints are missing."""
    seen = (confidence > 0) & torch.isfinite(keypoints_px).all(dim=-1)
    confidence = torch.where(seen, confidence, 0.0)
    pixels = torch.where(seen[..., None], keypoints_px, 0.0)
    slopes = torch.where(seen[..., None], pixels_to_slopes(pixels, intrinsics), 0.0)
    return pixels, confidence, slopes


def network_view(config: ModelConfig, slopes: Tensor, confidence: Tensor) -> View:
    """What a network sees of (B, 17, 2) slopes with (B, 17) confidences."""
    canonical = canonical_view(slopes, confidence)
    if config.view == "canonical":
        return View(canonical.slopes, canonical.points, canonical.log_radius, canonical.rotation)
    identity = torch.eye(3, dtype=slopes.dtype).expand(slopes.shape[0], 3, 3)
    return View(slopes, slopes, canonical.log_radius, identity)


def place_hypotheses(
    in_view_m: Tensor, view: View, pixels: Tensor, confidence: Tensor, intrinsics: Tensor
) -> PlacedHypotheses:
    """Put (B, M, 17, 3) root-relative poses of the view's frame where they explain the picture best."""
    means_m = in_view_m @ view.rotation.mT[:, None]
    # Solved in the line-of-sight frame, where slopes are small and the system is well conditioned.
    root_m = solve_root_translation(in_view_m, view.slopes[:, None], confidence[:, None]) @ view.rotation.mT
    projected = slopes_to_pixels(camera_to_slopes(means_m + root_m[..., None, :]), intrinsics[:, None])
    error_px = _weighted_rms(projected - pixels[:, None], confidence[:, None])
    return PlacedHypotheses(means_m=means_m, root_translation_m=root_m, reprojection_error_px=error_px)


def _weighted_rms(difference_px: Tensor, weight: Tensor) -> Tensor:
    mean_square = (weight * difference_px.square().sum(-1)).sum(-1) / weight.sum(-1).clamp(min=1e-9)
    return mean_square.clamp(min=1e-12).sqrt()
