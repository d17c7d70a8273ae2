"""A judge of conditioned priors: which action real poses show, learned on recordings the prior was not trained on.

Its own accuracy on real poses of further recordings is the mark to compare with: a single pose does not always tell
what somebody is doing.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pose_mdn.data.actions import ACTION_CLASSES
from pose_mdn.data.cameras import mirror
from pose_mdn.geometry.kinematics import bone_directions_and_lengths
from pose_mdn.geometry.upright import turn_to_face
from pose_mdn.inference.pose_prior import PosePrior
from pose_mdn.skeletons import HUMAN36M17

_WIDTH = 128
_STEPS = 600
_BATCH = 512
_LEARNING_RATE = 2e-3
_WEIGHT_DECAY = 0.05
_DROPOUT = 0.3
_JITTER_M = 0.03


@dataclass(frozen=True, kw_only=True)
class ActionAccuracy:
    """How often the judge sees the class that was meant; shares in [0, 1], averaged over classes.

    Attributes:
        real: On real poses of recordings that neither it nor the prior has seen together.
        samples: On samples of the prior.
        chance: Of a guess.
        confusion: (C, C) shares of each meant class (row) that are taken for each class, samples.
        real_confusion: The same of real poses.
    """

    real: float
    samples: float
    chance: float
    confusion: NDArray[np.float64]
    real_confusion: NDArray[np.float64]


class ActionClassifier(nn.Module):
    """Two hidden layers over bone directions: what people do must not be told from their size."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(3 * len(HUMAN36M17.bones), _WIDTH),
            nn.GELU(),
            nn.Dropout(_DROPOUT),
            nn.Linear(_WIDTH, _WIDTH),
            nn.GELU(),
            nn.Dropout(_DROPOUT),
            nn.Linear(_WIDTH, len(ACTION_CLASSES)),
        )

    def forward(self, pose_m: Tensor) -> Tensor:
        """(B, 17, 3) poses that face to (B, C) logits."""
        logits: Tensor = self.layers(bone_directions_and_lengths(pose_m, HUMAN36M17)[0].flatten(1))
        return logits


def fit_classifier(pose_m: NDArray[np.float64], label: NDArray[np.int64], *, seed: int) -> ActionClassifier:
    """Train on (N, 17, 3) poses that face and their (N,) classes, every class equally often, mirrored half the time."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    classifier = ActionClassifier().train()
    poses, labels = torch.from_numpy(pose_m).float(), torch.from_numpy(label)
    share = 1.0 / np.bincount(label, minlength=len(ACTION_CLASSES))[label]
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    for _ in range(_STEPS):
        rows = torch.from_numpy(rng.choice(len(poses), _BATCH, p=share / share.sum()))
        batch = poses[rows]
        batch = torch.where(torch.rand(_BATCH, 1, 1) < 0.5, turn_to_face(mirror(batch)), batch)
        loss = nn.functional.cross_entropy(classifier(batch + _JITTER_M * torch.randn_like(batch)), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return classifier.eval()


@torch.no_grad()
def confusion(
    classifier: ActionClassifier, pose_m: NDArray[np.float64], label: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(C, C) shares of the poses of each class (row) that are taken for each class."""
    told = classifier(torch.from_numpy(pose_m).float()).argmax(dim=1).numpy()
    counts = np.zeros((len(ACTION_CLASSES), len(ACTION_CLASSES)))
    np.add.at(counts, (label, told), 1.0)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0))


def judge_conditioned_prior(
    prior: PosePrior,
    judge_on: tuple[NDArray[np.float64], NDArray[np.int64]],
    compare_with: tuple[NDArray[np.float64], NDArray[np.int64]],
    *,
    per_class: int,
    seed: int = 0,
) -> ActionAccuracy:
    """Train the judge and let it look at samples.

    Args:
        prior: A prior whose classes are `ACTION_CLASSES`.
        judge_on: Real poses with classes on which the judge is trained; the prior must not know them.
        compare_with: Real poses with classes of other recordings.
        per_class: Samples per class.
        seed: Of the judge and of the samples.
    """
    classifier = fit_classifier(*judge_on, seed=seed)
    meant = np.arange(per_class * len(ACTION_CLASSES)) % len(ACTION_CLASSES)
    of_samples = confusion(classifier, prior.sample(len(meant), seed=seed), meant)
    of_real = confusion(classifier, *compare_with)
    return ActionAccuracy(
        real=float(of_real.diagonal().mean()),
        samples=float(of_samples.diagonal().mean()),
        chance=1.0 / len(ACTION_CLASSES),
        confusion=of_samples,
        real_confusion=of_real,
    )
