from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pose_mdn.batch.quality import measure
from pose_mdn.poses.hypotheses import HypothesisSequence


@pytest.fixture
def hypotheses(random_hypotheses: Callable[..., HypothesisSequence]) -> HypothesisSequence:
    rng = np.random.default_rng(1)
    made = random_hypotheses(0, rows=9, num_hypotheses=3)
    keypoints, confidence = rng.uniform(0, 500, (9, 17, 2)).astype(np.float32), np.ones((9, 17), np.float32)
    keypoints[2, :5], confidence[2, :5] = np.nan, 0
    status = made.status.astype("U32")
    status[4] = "no_person"
    made.means_m[4] = np.nan
    error = rng.uniform(1, 20, (9, 3)).astype(np.float32)
    ood = np.where(np.arange(9) < 2, 0.9, 0.1).astype(np.float32)
    return replace(
        made, keypoints_px=keypoints, confidence=confidence, status=status, reprojection_error_px=error, ood_score=ood
    )


def test_figures_equal_those_of_loops(hypotheses: HypothesisSequence) -> None:
    errors, relative, spreads = [], [], []
    for row in (row for row in range(9) if row != 4):
        weights, means = hypotheses.mixing_coefficients[row], hypotheses.means_m[row].astype(np.float64)
        seen = hypotheses.keypoints_px[row][hypotheses.confidence[row] > 0]
        errors.append(hypotheses.reprojection_error_px[row, weights.argmax()])
        relative.append(errors[-1] / np.linalg.norm(seen.max(axis=0) - seen.min(axis=0)))
        centre = sum(weight * mean for weight, mean in zip(weights, means, strict=True))
        spreads.append(sum(w * np.linalg.norm(m - centre, axis=1).mean() for w, m in zip(weights, means, strict=True)))
    found = measure(hypotheses, scored=True)
    assert found.lifted == pytest.approx(8 / 9, abs=1e-4)
    assert found.joints_missing == pytest.approx(5 / (8 * 17), abs=1e-4)
    assert found.out_of_distribution == 0.25
    assert found.reprojection_px == pytest.approx(np.median(errors), abs=1e-3)
    assert found.reprojection_relative == pytest.approx(np.median(relative), abs=1e-4)
    assert found.spread_m == pytest.approx(np.median(spreads), abs=1e-4)
    assert measure(hypotheses, scored=False).out_of_distribution is None


def test_nobody_has_no_figures(hypotheses: HypothesisSequence) -> None:
    nobody = hypotheses.take(hypotheses.status == "no_person")
    assert measure(nobody, scored=True).lifted == 0
    assert measure(nobody.take(slice(0)), scored=True).reprojection_px is None
