r"""The pose VAE: a latent normal variable behind root-relative poses that face, alone or given a label c.

.. math:: p(z) = N(0, I), \quad p(x | z, c) = N(\mathrm{decode}(z, c), \mathrm{diag}\,\sigma^2), \quad
    q(z | x, c) = N(\mu(x, c), \mathrm{diag}\,s^2(x, c))

One standard deviation per joint, learned with the weights, is what the decoder cannot explain. Kingma and Welling,
"Auto-encoding variational Bayes", ICLR 2014; with labels Sohn et al., "Learning structured output representation using
deep conditional generative models", NeurIPS 2015.
"""

import math

import torch
from torch import Tensor, nn

from pose_mdn.config import LatentConfig
from pose_mdn.distributions.diagonal_normal import log_density
from pose_mdn.geometry.kinematics import bone_directions_and_lengths
from pose_mdn.geometry.upright import heading_cos_sin, turn
from pose_mdn.models.latent_networks import LatentDecoder, LatentEncoder, Posterior
from pose_mdn.skeletons import HUMAN36M17

_POSITION_UNIT_M = 0.4
_LENGTH_UNIT_M = 0.25
_INITIAL_STD_M = 0.05
_NUM_FEATURES = 7 * (HUMAN36M17.num_joints - 1)


class PoseVAE(nn.Module):
    """Encoder, decoder and the decoder's standard deviations.

    Args:
        config: Sizes of the networks.
        num_labels: How many classes condition it; 0 for none.
    """

    def __init__(self, config: LatentConfig, num_labels: int = 0) -> None:
        super().__init__()
        self.config = config
        self.num_labels = num_labels
        self.encoder = LatentEncoder(_NUM_FEATURES, num_labels, config)
        self.decoder = LatentDecoder(num_labels, config)
        self.log_excess_std = nn.Parameter(torch.full((HUMAN36M17.num_joints - 1,), math.log(_INITIAL_STD_M)))

    @property
    def joint_std_m(self) -> Tensor:
        """(16,) standard deviations of the joints after the pelvis, metres."""
        return self.config.min_std_m + self.log_excess_std.exp()

    def encode(self, pose_m: Tensor, label: Tensor | None = None) -> Posterior:
        """(B, 17, 3) root-relative poses that face, and (B, C) label weights, to posteriors."""
        return self.encoder(_features(pose_m), label)

    def decode(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """(B, Z) latents and (B, C) label weights to (B, 17, 3) root-relative poses that face, metres."""
        return self.decoder(latent, label)

    def log_likelihood(self, pose_m: Tensor, decoded_m: Tensor) -> Tensor:
        """(B,) log-densities, in nats, of (B, 17, 3) poses around decoded ones; the pelvis is not random."""
        log_variance = 2.0 * self.joint_std_m.log()[:, None].expand(-1, 3).reshape(-1)
        return log_density(pose_m[:, 1:].flatten(1), decoded_m[:, 1:].flatten(1), log_variance)


class EncodeGraph(nn.Module):
    """What is exported for encoding: any heading goes in, and comes out beside the posterior."""

    def __init__(self, model: PoseVAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, pose_m: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 17, 3) upright poses to (B, Z) mean, (B, Z) log-variance and (B, 2) cosine and sine of the heading."""
        pose_m = pose_m - pose_m[:, :1]
        cos, sin = heading_cos_sin(pose_m)
        posterior = self.model.encode(turn(pose_m, cos, -sin), label)
        return posterior.mean, posterior.log_variance, torch.stack([cos, sin], dim=-1)


class DecodeGraph(nn.Module):
    """What is exported for decoding: latents, whatever noise they were made of, to poses that face."""

    def __init__(self, model: PoseVAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """(B, Z) to (B, 17, 3) metres."""
        return self.model.decode(latent, label)


def _features(pose_m: Tensor) -> Tensor:
    """(B, F) positions, bone directions and bone lengths in units near 1."""
    directions, lengths = bone_directions_and_lengths(pose_m, HUMAN36M17)
    return torch.cat(
        [pose_m[:, 1:].flatten(1) / _POSITION_UNIT_M, directions.flatten(1), lengths / _LENGTH_UNIT_M], dim=-1
    )
