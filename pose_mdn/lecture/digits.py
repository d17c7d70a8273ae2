"""The handwritten digits that scikit-learn ships: 1797 pictures of 8 x 8 pixels.

A pixel counts the dark dots in a field of 4 x 4 of a scan, so it is a number from 0 to 16. E. Alpaydin and C. Kaynak,
"Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998 (CC BY 4.0).
"""

import importlib.util
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pose_mdn.errors import MissingExtraError

SIDE = 8
DOTS = 16
"""Dots that a pixel counts at most."""
NUM_LABELS = 10
_TEST_SHARE = 0.2


@dataclass(frozen=True, kw_only=True)
class Digits:
    """Pictures and what they show, in two parts.

    Attributes:
        train: (N, 64) counts from 0 to 16, float32.
        train_labels: (N,) 0 to 9.
        test: (K, 64), label after label in turn.
        test_labels: (K,).
    """

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor


def load_digits(*, seed: int, limit: int | None = None) -> Digits:
    """Shuffle the digits and keep a fifth for testing.

    Args:
        seed: Of the shuffle.
        limit: Use only so many in all, or all if absent.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise MissingExtraError(
            "this example needs the digits of scikit-learn, which is not installed; "
            "install it with: pip install 'pose-mdn[lecture]'"
        )
    from sklearn.datasets import load_digits as load_bundled  # noqa: PLC0415  (an extra, and slow to import)

    bundled = load_bundled()
    order = np.random.default_rng(seed).permutation(len(bundled.data))[:limit]
    images = torch.from_numpy(bundled.data[order].astype(np.float32))
    labels = torch.from_numpy(bundled.target[order].astype(np.int64))
    held_out = int(_TEST_SHARE * len(images))
    turn = _in_turn(labels[:held_out])
    return Digits(train=images[held_out:], train_labels=labels[held_out:], test=images[turn], test_labels=labels[turn])


def _in_turn(labels: Tensor) -> Tensor:
    """An order that goes through the labels again and again, so that the first ten digits are different ones."""
    same = labels[:, None] == labels[None, :]
    seen_before = torch.tril(same, diagonal=-1).sum(dim=1)
    return torch.argsort(seen_before * NUM_LABELS + labels)
