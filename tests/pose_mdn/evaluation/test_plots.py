import importlib.util

import cv2
import numpy as np
import pytest

from pose_mdn.errors import MissingExtraError
from pose_mdn.evaluation.plots import largest_sets, write_plots
from pose_mdn.evaluation.protocol import evaluate, evaluate_by_action


@pytest.fixture(scope="module")
def rows(random_hypotheses):
    action = np.array(["sit", "walk"] * 30)
    return [
        row
        for seed in range(2)
        for hypotheses in [random_hypotheses(seed, rows=60, num_hypotheses=2)]
        for row in evaluate_by_action(f"views {seed}", hypotheses, hypotheses.means_m[:, 0] + 0.01, action)
    ]


def test_three_pictures_are_written(rows, tmp_path):
    files = write_plots(rows, tmp_path / "new" / "folder", title="model/1")
    assert [file.name for file in files] == ["reliability.png", "error_against_sigma.png", "joint_errors.png"]
    for file in files:
        picture = cv2.imread(str(file))
        assert min(picture.shape[:2]) > 400
        # Not an empty page: lines in the house's blue are on it.
        assert (np.abs(picture.astype(int) - np.array([178, 114, 0])).max(axis=-1) < 40).any() or file.name.startswith(
            "joint"
        )
        assert (picture != 255).mean() > 0.02


def test_the_largest_sets_are_shown_in_the_order_of_the_table(random_hypotheses):
    sizes = (2, 9, 1, 5, 3, 8, 7, 4, 6, 1)
    sets = [random_hypotheses(0, rows=size) for size in sizes]
    rows = [evaluate(str(len(each)), each, each.means_m[:, 0]) for each in sets]
    assert [row.num_lifted for row in largest_sets(rows)] == [2, 9, 5, 3, 8, 7, 4, 6]


def test_a_missing_matplotlib_is_explained(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pose-mdn\[plots\]'"):
        write_plots(rows, tmp_path, title="model/1")
