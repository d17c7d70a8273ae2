"""Training poses: varied bodies in the upright frame, turned to face, with a class of actions if one is asked for."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pose_mdn.config import BodyConfig
from pose_mdn.data.bodies import BodySampler
from pose_mdn.data.cameras import mirror
from pose_mdn.data.mocap import MotionData
from pose_mdn.data.pose_density import distinct_pose_weights
from pose_mdn.errors import FormatError
from pose_mdn.geometry.upright import turn_to_face, y_up_to_upright


@dataclass(frozen=True, kw_only=True)
class PoseBatch:
    """Poses.

    Attributes:
        pose_m: (B, 17, 3) root-relative, upright frame, facing, metres.
        label: (B, C) one-hot classes; `None` where there are none.
    """

    pose_m: Tensor
    label: Tensor | None


class PoseSampler:
    """An endless supply of poses, mirrored half of the time; seed and step alone determine a batch.

    Every class of actions fills an equal share of each batch, with bodies varied among its own.

    Args:
        motion: Motion data.
        config: Variation of bodies.
        seed: Seed of the supply.
        action_class: (N,) class of each pose, below 0 for those to leave out; `None` for a supply without classes.
        num_classes: C, if there are classes.

    Raises:
        FormatError: A class has no pose.
    """

    def __init__(
        self,
        motion: MotionData,
        config: BodyConfig,
        *,
        seed: int,
        action_class: NDArray[np.int64] | None = None,
        num_classes: int = 0,
    ) -> None:
        self.seed = seed
        self.num_classes = num_classes
        members = [np.ones(len(motion), bool)]
        if action_class is not None:
            members = [action_class == index for index in range(num_classes)]
        for index, member in enumerate(members):
            if not member.any():
                raise FormatError(f"motion data: expected poses of every class of actions, got none of class {index}")
        self.samplers = [_sampler(motion.pose_m[member], config) for member in members]

    def batch(self, step: int, size: int) -> PoseBatch:
        """The batch of a step."""
        mixed = np.random.SeedSequence([self.seed, step]).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(mixed >> np.uint64(1)))
        counts = [len(part) for part in np.array_split(np.arange(size), len(self.samplers))]
        pose = torch.cat([sampler.draw(n, generator) for sampler, n in zip(self.samplers, counts, strict=True) if n])
        mirrored = torch.rand(size, 1, 1, generator=generator) < 0.5
        pose = turn_to_face(y_up_to_upright(torch.where(mirrored, mirror(pose), pose)))
        label = None
        if self.num_classes:
            classes = torch.repeat_interleave(torch.arange(self.num_classes), torch.tensor(counts))
            label = torch.nn.functional.one_hot(classes, self.num_classes).float()
        return PoseBatch(pose_m=pose, label=label)


def _sampler(pose_m: NDArray[np.float32], config: BodyConfig) -> BodySampler:
    weights = config.distinct_share * distinct_pose_weights(pose_m) + (1.0 - config.distinct_share) / len(pose_m)
    return BodySampler(pose_m, config, weights)
