"""What makes a clip worth a second look, in a few numbers."""

from typing import TYPE_CHECKING

from pose_mdn.batch.result import Quality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pose_mdn.poses.hypotheses import HypothesisSequence


def measure(hypotheses: "HypothesisSequence", *, scored: bool) -> Quality:
    """The quality of a result; `scored` says whether the model gives out-of-distribution scores."""
    import numpy as np  # noqa: PLC0415

    lifted = hypotheses.lifted
    if not lifted.any():
        return Quality(
            lifted=0.0,
            joints_missing=None,
            reprojection_px=None,
            reprojection_relative=None,
            out_of_distribution=None,
            spread_m=None,
        )
    rows = hypotheses if lifted.all() else hypotheses.take(lifted)
    error_px = rows.reprojection_error_px[np.arange(len(rows)), rows.most_probable]
    return Quality(
        lifted=round(float(lifted.mean()), 4),
        joints_missing=round(float((rows.confidence <= 0).mean()), 4),
        reprojection_px=round(float(np.median(error_px)), 3),
        reprojection_relative=round(float(np.median(error_px / _diagonals_px(rows))), 5),
        out_of_distribution=round(float(rows.out_of_distribution.mean()), 4) if scored else None,
        spread_m=round(float(np.median(_spread_m(rows))), 4),
    )


def _diagonals_px(rows: "HypothesisSequence") -> "NDArray[np.floating]":
    """(N,) diagonal of the box around each person's joints."""
    import numpy as np  # noqa: PLC0415

    # Joints that were not seen are NaN, which these two leave out.
    extent_px = np.fmax.reduce(rows.keypoints_px, axis=1) - np.fmin.reduce(rows.keypoints_px, axis=1)
    return np.asarray(np.fmax(np.hypot(*extent_px.T), 1.0))


def _spread_m(rows: "HypothesisSequence") -> "NDArray[np.floating]":
    """(N,) mean distance of the hypotheses' joints from the mixture's mean, weighted by the mixing coefficients."""
    import numpy as np  # noqa: PLC0415

    weights = rows.mixing_coefficients
    mean_m = (weights[:, None] @ rows.means_m.reshape(*weights.shape, -1)).reshape(len(rows), 1, -1, 3)
    away_m = rows.means_m - mean_m
    distance_m = np.sqrt(np.einsum("nmjd,nmjd->nmj", away_m, away_m)).mean(axis=-1)
    return np.asarray((weights * distance_m).sum(axis=1))
