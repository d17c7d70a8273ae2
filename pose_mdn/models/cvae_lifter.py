r"""A lifter that is a conditional VAE: keypoints and latent noise in, one pose per noise vector out.

.. math:: p(z) = N(0, I), \quad p(x | z, c) = N(\mathrm{decode}(z, c), \mathrm{diag}\,\sigma^2(c)), \quad
    q(z | x, c) = N(\mu(x, c), \mathrm{diag}\,s^2(x, c))

c are features of the view. Sharma et al., "Monocular 3D human pose estimation by generation and ordinal ranking", ICCV
2019. They rank samples by depth relations that a second network reads from the picture; here samples are ranked by what
is at hand without one, the keypoints they reproject to and how likely their noise is:

.. math:: \alpha_k \propto \exp(-\tfrac12 a |z_k|^2)\, e_k^{-b}

with e the reprojection error: nobody knows how noisy a view's keypoints are, and the likelihood of coordinates whose
noise may have any scale is a power of their misfit. a and b are fitted on validation subjects.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from pose_mdn.config import CVAELifterConfig, ModelConfig
from pose_mdn.models.inputs import network_inputs, num_inputs
from pose_mdn.models.latent_networks import LatentDecoder, LatentEncoder, Posterior
from pose_mdn.models.lifting_graph import LiftedPoses, View, network_view, place_hypotheses, read_keypoints
from pose_mdn.models.mdn import STD_UNIT_M, MixtureDensityNetwork
from pose_mdn.models.standardization import Standardization
from pose_mdn.models.trunk import LayerNormTrunk
from pose_mdn.skeletons import HUMAN36M17

_POSITION_UNIT_M = 0.4
_MOVING_JOINTS = HUMAN36M17.num_joints - 1


class ViewEncoder(nn.Module):
    """What is known of a view: the trunk of a mixture density lifter, and whether it shows a person at all."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.standardization = Standardization()
        self.trunk = LayerNormTrunk(num_inputs(config), config)
        self.ood = nn.Linear(config.width, 1)

    def forward(self, view: View, confidence: Tensor) -> Tensor:
        """(B, width) features, float32."""
        rows = network_inputs(self.config, self.standardization, view.points, confidence, view.log_radius)
        return self.trunk(rows).float()

    def take_from(self, network: MixtureDensityNetwork) -> None:
        """Copy standardisation, trunk and the out-of-distribution score of a lifter with the same settings."""
        self.standardization.load_state_dict(network.standardization.state_dict())
        self.trunk.load_state_dict(network.trunk.state_dict())
        if network.ood is not None:
            self.ood.load_state_dict(network.ood.state_dict())


class CVAELifter(nn.Module):
    """View encoder, recognition network, decoder, and the ranking of samples."""

    ranking: Tensor

    def __init__(self, config: CVAELifterConfig) -> None:
        super().__init__()
        self.config = config
        width = config.condition.width
        self.views = ViewEncoder(config.condition)
        self.encoder = LatentEncoder(3 * _MOVING_JOINTS, width, config.model)
        self.decoder = LatentDecoder(width, config.model)
        self.std = nn.Linear(width, 2 * _MOVING_JOINTS)
        self.register_buffer("ranking", torch.tensor([1.0, 1.0]))

    def encode(self, pose_m: Tensor, features: Tensor) -> Posterior:
        """(B, 17, 3) root-relative poses in the view's frame and (B, width) features to (B, Z) posteriors."""
        return self.encoder(pose_m[:, 1:].flatten(1) / _POSITION_UNIT_M, features)

    def decode(self, latent: Tensor, features: Tensor) -> Tensor:
        """(B, K, Z) latents and (B, width) features to (B, K, 17, 3) root-relative poses in the view's frame."""
        return self.decoder(latent, features[:, None])

    def std_m(self, features: Tensor) -> Tensor:
        """(B, 17, 2) standard deviations across and along the line of sight, 0 for the pelvis."""
        raw = self.std(features).reshape(-1, _MOVING_JOINTS, 2)
        return functional.pad(self.config.model.min_std_m + STD_UNIT_M * functional.softplus(raw), (0, 0, 1, 0))

    def forward(self, keypoints_px: Tensor, confidence: Tensor, intrinsics: Tensor, noise: Tensor) -> LiftedPoses:
        """Lift a batch; the same outputs as of `LiftingGraph`, with K samples for M hypotheses.

        Args:
            keypoints_px: (B, 17, 2) undistorted pixels; anything, NaN too, where missing.
            confidence: (B, 17) in [0, 1]; 0 means missing.
            intrinsics: (B, 3, 3) pinhole matrices.
            noise: (B, K, Z) latents, drawn from the standard normal distribution; zeros for the pose that is shown
                first.
        """
        pixels, confidence, slopes = read_keypoints(keypoints_px, confidence, intrinsics)
        view = network_view(self.config.condition, slopes, confidence)
        features = self.views(view, confidence)
        placed = place_hypotheses(self.decode(noise, features), view, pixels, confidence, intrinsics)
        return LiftedPoses(
            means_m=placed.means_m,
            std_m=self.std_m(features)[:, None].expand(-1, noise.shape[1], -1, -1),
            view_rotation=view.rotation,
            mixing_coefficients=(-ranking_energy(noise, placed.reprojection_error_px, self.ranking)).softmax(dim=-1),
            root_translation_m=placed.root_translation_m,
            reprojection_error_px=placed.reprojection_error_px,
            ood_score=self.views.ood(features)[:, 0].sigmoid(),
        )


def ranking_energy(noise: Tensor, reprojection_error: Tensor, ranking: Tensor) -> Tensor:
    """(B, K) energies of (B, K, Z) noise and (B, K) reprojection errors in any unit."""
    return 0.5 * ranking[0] * noise.square().sum(-1) + ranking[1] * reprojection_error.log()
