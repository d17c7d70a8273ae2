"""The lifting graph in the form that is shipped: the same function, laid out for speed.

In the form that is trained, coordinates are the last axis. Runtimes broadcast over axes of two or three numbers slowly:
half of the graph's time went there. Here coordinates are planes, rows and columns of the linear layers are permuted
once to suit, small heads share one product, and softplus is written with functions that runtimes vectorise. No trained
number changes, and the export is refused unless all outputs agree with the trained form.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from pose_mdn.config import ModelConfig
from pose_mdn.geometry.kinematics import bone_classes, chain_matrix
from pose_mdn.models.calibration import misfit_gain
from pose_mdn.models.distances import JOINT_PAIRS, SMALLEST_SQUARED_DISTANCE
from pose_mdn.models.lifting_graph import LiftedPoses, LiftingGraph
from pose_mdn.models.mdn import SMALLEST_SQUARED_LENGTH, STD_UNIT_M, KinematicMeans, MixtureDensityNetwork
from pose_mdn.models.trunk import LayerNormTrunk
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_export.planar_geometry import (
    RootSolver,
    look_along_mean_ray,
    observe,
    relative_misfit,
    to_camera_and_picture,
)

_JOINTS = HUMAN36M17.num_joints
_BONES = len(HUMAN36M17.bones)
_LARGEST_EXPONENT = 80.0
"""exp() of this is still finite in single precision; as a standard deviation it would be eight metres."""


def has_planar_form(config: ModelConfig) -> bool:
    """Whether `PlanarGraph` can express a network; others are exported in the form in which they are trained."""
    return (config.trunk, config.view, config.head, config.covariance) == (
        "layer_norm",
        "canonical",
        "kinematic",
        "line_of_sight",
    ) and config.min_std_m > 0


class PlanarGraph(nn.Module):
    """A `LiftingGraph` whose configuration satisfies `has_planar_form`, with the same inputs and outputs."""

    def __init__(self, graph: LiftingGraph) -> None:
        super().__init__()
        config = graph.network.config
        self.num_hypotheses = config.num_hypotheses
        self.lifter = graph
        self.inlet = _inlet(graph.network)
        self.distances = VisibleDistances() if config.distances else None
        self.heads = PlanarHeads(graph.network)
        self.std = PlanarStd(graph)
        self.root = RootSolver(config.num_hypotheses)

    def forward(self, keypoints_px: Tensor, confidence: Tensor, intrinsics: Tensor) -> LiftedPoses:
        """Lift a batch; shapes and units as of `LiftingGraph`."""
        seen = observe(keypoints_px, confidence, intrinsics)
        view = look_along_mean_ray(seen)
        scale = seen.is_seen.float() / view.radius
        size = self.lifter.network.standardization.limit_log_radius(view.radius.log())
        x, y = view.x * scale, view.y * scale
        distances = [] if self.distances is None else [self.distances(x, y, seen.is_seen)]
        features = torch.cat([x, y, seen.weight, size, *distances], dim=1)
        trunk = self.lifter.network.trunk
        assert isinstance(trunk, LayerNormTrunk)
        hidden = trunk.norm(trunk.blocks(self.inlet(features)))
        joints_m, mixing, ood_logit = self.heads(hidden)
        root_m = self.root(joints_m, view, seen.weight)
        means_m, root_m, error_px = to_camera_and_picture(joints_m, root_m, view, seen)
        temperature = self.lifter.calibration.mixing_temperature
        return LiftedPoses(
            means_m=means_m.permute(0, 2, 3, 1),
            std_m=self.std(hidden, seen.is_seen, relative_misfit(error_px, seen)),
            view_rotation=torch.cat(view.to_camera, dim=1).unflatten(1, (3, 3)),
            mixing_coefficients=self.lifter.temper(mixing.softmax(dim=-1), temperature),
            root_translation_m=root_m.mT,
            reprojection_error_px=error_px,
            ood_score=None if ood_logit is None else ood_logit.sigmoid()[:, 0],
        )


class VisibleDistances(nn.Module):
    """`pose_mdn.models.distances.visible_distances` with picking and subtracting joints as a product."""

    difference: Tensor

    def __init__(self) -> None:
        super().__init__()
        difference = torch.zeros(_JOINTS, len(JOINT_PAIRS))
        for pair, (first, second) in enumerate(JOINT_PAIRS):
            difference[first, pair], difference[second, pair] = 1.0, -1.0
        self.register_buffer("difference", difference)

    def forward(self, x: Tensor, y: Tensor, is_seen: Tensor) -> Tensor:
        """(B, 17) planes of points and of visibility to (B, P) distances, 0 where a joint is missing."""
        x, y = x @ self.difference, y @ self.difference
        num_seen = is_seen.float() @ self.difference.abs()
        return (x * x + y * y + SMALLEST_SQUARED_DISTANCE).sqrt() * (num_seen - 1.0).clamp(min=0.0)


class PlanarHeads(nn.Module):
    """Features to joints in planes, and what is told of the whole person."""

    to_bones: Tensor
    chain: Tensor

    def __init__(self, network: MixtureDensityNetwork) -> None:
        super().__init__()
        means = network.means
        assert isinstance(means, KinematicMeans)
        self.num_hypotheses = network.config.num_hypotheses
        self.directions = _directions(means.directions, self.num_hypotheses)
        heads = [means.log_lengths, network.mixing, *([] if network.ood is None else [network.ood])]
        person = [head for head in heads if isinstance(head, nn.Linear)]
        self.person_sizes = [head.out_features for head in person]
        self.person = _linear(torch.cat([head.weight for head in person]), torch.cat([head.bias for head in person]))
        to_bones = functional.one_hot(torch.tensor(bone_classes(HUMAN36M17)[1])).T * means.mean_lengths_m[:, None]
        self.register_buffer("to_bones", to_bones.repeat(1, self.num_hypotheses))
        self.register_buffer("chain", torch.from_numpy(chain_matrix(HUMAN36M17).T.copy()))

    def forward(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Evaluate the heads.

        Args:
            hidden: (B, width).

        Returns:
            (B, 3, M, 17) joints in metres, (B, M) logits of the mixing coefficients, and (B, 1) log-odds of being out
            of distribution, if the network tells them.
        """
        log_lengths, mixing, *ood = self.person(hidden).split(self.person_sizes, dim=1)
        directions = self.directions(hidden).unflatten(1, (3, self.num_hypotheses * _BONES))
        square = (directions * directions).sum(dim=1, keepdim=True)
        lengths_m = log_lengths.clamp(-2.0, 2.0).exp() @ self.to_bones
        bones_m = directions * (lengths_m[:, None] / square.clamp(min=SMALLEST_SQUARED_LENGTH).sqrt())
        joints_m = bones_m.unflatten(2, (self.num_hypotheses, _BONES)) @ self.chain
        return joints_m, mixing, ood[0] if ood else None


class PlanarStd(nn.Module):
    """Features to calibrated standard deviations.

    Stated ones are unit * softplus + floor, and calibration has factors for seen and for missing joints, between which
    one linear layer over the joints' visibility chooses, and a power of the misfit.
    """

    misfit_exponent: Tensor

    def __init__(self, graph: LiftingGraph) -> None:
        super().__init__()
        config = graph.network.config
        self.num_hypotheses = config.num_hypotheses
        self.floor = config.min_std_m / STD_UNIT_M
        self.head = _std(graph.network.std, config.num_hypotheses)
        factor = STD_UNIT_M * graph.calibration.std_scale
        factor = torch.cat([torch.zeros_like(factor[:, :1]), factor[:, 1:]], dim=1)  # the pelvis is no estimate
        missing, seen = factor
        per_joint = torch.eye(_JOINTS)[:, None, :] * (seen - missing)[..., None]
        self.factor = _linear(per_joint.flatten(0, 1), missing.flatten())
        self.register_buffer("misfit_exponent", graph.calibration.misfit_exponent.clone())

    def forward(self, hidden: Tensor, is_seen: Tensor, misfit: Tensor) -> Tensor:
        """(B, width) features, (B, 17) visibility and (B,) misfits to (B, M, 17, 2) metres."""
        raw = self.head(hidden).unflatten(1, (self.num_hypotheses, _JOINTS, 2))
        softplus = (1.0 + raw.clamp(-_LARGEST_EXPONENT, _LARGEST_EXPONENT).exp()).log()
        factor = self.factor(is_seen.float()).unflatten(1, (1, _JOINTS, 2))
        gain = misfit_gain(misfit, self.misfit_exponent)[:, None, None]
        std_m: Tensor = factor * gain * (softplus + self.floor)
        return std_m


def _inlet(network: MixtureDensityNetwork) -> nn.Linear:
    """Columns from (x, y, confidence) per joint to planes of x, y and confidence; what follows them stays."""
    assert isinstance(network.trunk, LayerNormTrunk)
    inlet = network.trunk.inlet
    planes = torch.arange(3 * _JOINTS).reshape(_JOINTS, 3).T.flatten()
    return _linear(torch.cat([inlet.weight[:, planes], inlet.weight[:, len(planes) :]], dim=1), inlet.bias)


def _directions(head: nn.Module, num_hypotheses: int) -> nn.Linear:
    """Rows from hypothesis, bone, coordinate to coordinate, hypothesis, bone."""
    assert isinstance(head, nn.Linear)
    rows = torch.arange(head.out_features).reshape(num_hypotheses, _BONES, 3).permute(2, 0, 1).flatten()
    return _linear(head.weight[rows], head.bias[rows])


def _std(head: nn.Module, num_hypotheses: int) -> nn.Linear:
    """Rows for the pelvis added in front of every hypothesis, so that nothing has to be padded afterwards."""
    assert isinstance(head, nn.Linear)
    weight = head.weight.unflatten(0, (num_hypotheses, _BONES, 2))
    bias = head.bias.unflatten(0, (num_hypotheses, _BONES, 2))
    return _linear(
        functional.pad(weight, (0, 0, 0, 0, 1, 0)).flatten(0, 2), functional.pad(bias, (0, 0, 1, 0)).flatten()
    )


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data, layer.bias.data = weight.detach().clone(), bias.detach().clone()
    return layer
