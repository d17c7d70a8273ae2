"""Laws of the model in the package; how well it lifts is measured by `pose-mdn evaluate`, not here."""

from pathlib import Path

import numpy as np
import pytest

import pose_mdn
from pose_mdn.formats import read_keypoints
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.inference.bundle import BUNDLED_REPOSITORY
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import HUMAN36M17

CLIP = Path(pose_mdn.__file__).parent / "samples" / "walking_clip.npz"

pytestmark = pytest.mark.skipif(
    not (BUNDLED_REPOSITORY / "mdn_lifter").is_dir(), reason="the package was built without its model"
)


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return load_lifter(threads=1)


@pytest.fixture(scope="module")
def clip() -> KeypointSequence:
    return read_keypoints(CLIP)


@pytest.fixture(scope="module")
def hypotheses(lifter: Lifter, clip: KeypointSequence) -> HypothesisSequence:
    return lifter.lift(clip)


def test_rows_of_the_clip_are_lifted_unless_nobody_is_there(
    clip: KeypointSequence, hypotheses: HypothesisSequence
) -> None:
    assert len(hypotheses) == len(clip) == 160
    np.testing.assert_array_equal(hypotheses.lifted, clip.person >= 0)
    assert {"lifted", "lifted_joints_missing", "lifted_cut_by_frame", "no_person"} == set(hypotheses.status)


def test_hypotheses_are_a_distribution_over_root_relative_poses(hypotheses: HypothesisSequence) -> None:
    lifted = hypotheses.lifted
    np.testing.assert_allclose(hypotheses.mixing_coefficients[lifted].sum(axis=1), 1, atol=1e-5)
    pelvis = HUMAN36M17.index("pelvis")
    np.testing.assert_allclose(hypotheses.means_m[lifted][:, :, pelvis], 0, atol=1e-5)
    others = np.arange(HUMAN36M17.num_joints) != pelvis
    assert (hypotheses.std_m[lifted][:, :, others] > 0).all()
    rotation = hypotheses.view_rotation[lifted]
    np.testing.assert_allclose(
        rotation @ rotation.swapaxes(1, 2), np.broadcast_to(np.eye(3), rotation.shape), atol=1e-5
    )


def test_the_woman_of_the_clip_stands_upright_in_front_of_the_camera(hypotheses: HypothesisSequence) -> None:
    rows, best = np.flatnonzero(hypotheses.lifted), hypotheses.most_probable
    pose = hypotheses.means_m[rows, best[rows]]
    ankles = pose[:, [HUMAN36M17.index("l_ankle"), HUMAN36M17.index("r_ankle")], 1]
    # y points down: ankles lie well below the pelvis, the thorax above it.
    assert (np.median(ankles, axis=0) > 0.5).all()
    assert np.median(pose[:, HUMAN36M17.index("thorax"), 1]) < -0.3
    assert 3 < np.median(hypotheses.root_translation_m[rows, best[rows], 2]) < 15


def test_an_answer_does_not_depend_on_the_company(
    lifter: Lifter, clip: KeypointSequence, hypotheses: HypothesisSequence
) -> None:
    for index in (20, 60, 155):
        alone = lifter.lift_arrays(
            clip.keypoints_px[index], clip.confidence[index], skeleton=clip.skeleton, image_size=clip.image_size
        )
        np.testing.assert_allclose(alone.means_m[0], hypotheses.means_m[index], atol=1e-5)
        np.testing.assert_allclose(alone.mixing_coefficients[0], hypotheses.mixing_coefficients[index], atol=1e-5)
