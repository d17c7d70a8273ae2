"""Many samples of many poses, quickly."""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.hypotheses import HypothesisSequence

_AXES = [0, 0, 1]


def draw_samples(hypotheses: HypothesisSequence, num_samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw poses from the distribution that each row states, as `PoseMixture.sample` does.

    In single precision and by picking components instead of summing over them, which is three times as fast and what
    hundreds of samples of thousands of poses need.

    Args:
        hypotheses: N lifted rows.
        num_samples: S, poses per row.
        rng: Source of randomness.

    Returns:
        (N, S, 17, 3) independent root-relative poses, metres, camera frame.
    """
    rows = len(hypotheses)
    cumulative = np.cumsum(hypotheses.mixing_coefficients, axis=1, dtype=np.float64)[:, None, :-1]
    component = (rng.random((rows, num_samples, 1)) > cumulative).sum(axis=-1)
    row = np.arange(rows)[:, None]
    noise = rng.standard_normal((rows, num_samples, *hypotheses.means_m.shape[2:]), dtype=np.float32)
    noise *= hypotheses.std_m[row, component][..., _AXES]
    to_camera = np.swapaxes(hypotheses.view_rotation, -1, -2).astype(np.float32)
    samples: NDArray[np.float32] = hypotheses.means_m[row, component] + noise @ to_camera[:, None]
    return samples
