from dataclasses import fields, replace

import numpy as np
import pytest

from pose_mdn.errors import InputError
from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.status import Status
from pose_mdn.refinement import RefinementSettings, refine_hypotheses
from pose_mdn.refinement.settings import fitted_numbers

CHANGING = ("means_m", "std_m", "root_translation_m", "mixing_coefficients", "reprojection_error_px")
MATRIX = np.array([[1100.0, 0.0, 640.0], [0.0, 1100.0, 360.0], [0.0, 0.0, 1.0]])
QUARTER_TURN = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def _assert_same(one: HypothesisSequence, other: HypothesisSequence, atol: float = 0.0) -> None:
    for name in CHANGING:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=0, atol=atol, err_msg=name)


def _rms_px(hypotheses: HypothesisSequence, camera: Camera) -> np.ndarray:
    joints = hypotheses.means_m.astype(np.float64) + hypotheses.root_translation_m[:, :, None]
    apart = camera.project(joints) - hypotheses.keypoints_px[:, None]
    return np.sqrt(np.square(apart).sum(axis=-1).mean(axis=-1))


def test_without_evidence_nothing_changes(lifted) -> None:
    hypotheses = lifted(noise_px=3.0)
    refined = refine_hypotheses(hypotheses, RefinementSettings(evidence_weight=0.0))
    _assert_same(refined, hypotheses)
    faint = refine_hypotheses(hypotheses, RefinementSettings(evidence_weight=1e-9, shrink=1.0))
    np.testing.assert_allclose(faint.means_m, hypotheses.means_m, atol=1e-6)
    np.testing.assert_allclose(faint.std_m, hypotheses.std_m, rtol=1e-4)


def test_only_what_was_asked_for_changes(lifted) -> None:
    hypotheses = lifted(noise_px=3.0)
    both = refine_hypotheses(hypotheses)
    moved = refine_hypotheses(hypotheses, RefinementSettings(reweight=False))
    weighed = refine_hypotheses(hypotheses, RefinementSettings(move=False))
    np.testing.assert_array_equal(moved.mixing_coefficients, hypotheses.mixing_coefficients)
    np.testing.assert_array_equal(weighed.means_m, hypotheses.means_m)
    np.testing.assert_array_equal(moved.means_m, both.means_m)
    np.testing.assert_array_equal(weighed.mixing_coefficients, both.mixing_coefficients)
    np.testing.assert_array_equal(both.std_m, hypotheses.std_m)
    for field in fields(hypotheses):
        if field.name not in {*CHANGING, "model"}:
            np.testing.assert_array_equal(getattr(both, field.name), getattr(hypotheses, field.name))


def test_hypotheses_come_nearer_to_picture_and_truth(lifted) -> None:
    truth, hypotheses = lifted(rows=40, spread=0.0), lifted(rows=40)
    loose = replace(fitted_numbers(), bone_share=10.0)  # these bodies were shaken joint by joint
    refined = refine_hypotheses(hypotheses, RefinementSettings(noise=0.002, fitted=loose))
    camera = Camera(intrinsics=MATRIX)
    assert (_rms_px(refined, camera) < 0.5 * _rms_px(hypotheses, camera)).mean() > 0.95
    errors = [np.linalg.norm(x.means_m - truth.means_m, axis=-1).mean() for x in (hypotheses, refined)]
    assert errors[1] < 0.85 * errors[0]


@pytest.mark.parametrize("lens", [{}, {"distortion": np.array([-0.2, 0.06, 1e-3, -8e-4, 0.0])}])
def test_the_stated_reprojection_error_is_that_of_the_camera(lifted, lens) -> None:
    camera = Camera(intrinsics=MATRIX, **lens)
    refined = refine_hypotheses(lifted(camera=camera, noise_px=2.0))
    # Stated as an ideal lens would draw it, which differs a little from the lens that is there.
    np.testing.assert_allclose(refined.reprojection_error_px, _rms_px(refined, camera), rtol=0.15 if lens else 1e-4)


@pytest.mark.parametrize(
    "lens",
    [
        {"distortion": np.array([-0.12, 0.03, 1e-3, -8e-4, 0.01])},
        {"distortion": np.array([0.05, -0.01, 0.003, 0.0]), "lens_model": "fisheye"},
    ],
)
def test_a_lens_is_seen_through(lifted, lens) -> None:
    # A lens stretches the person's size and so what noise means: limbs that are nearly straight may settle elsewhere.
    settings = RefinementSettings(noise=0.002, steps=20)
    through = refine_hypotheses(lifted(camera=Camera(intrinsics=MATRIX, **lens), spread=0.3), settings)
    ideal = refine_hypotheses(lifted(spread=0.3), settings)
    apart = np.linalg.norm(through.means_m - ideal.means_m, axis=-1)
    assert np.quantile(apart, 0.98) < 1e-3
    np.testing.assert_allclose(through.mixing_coefficients, ideal.mixing_coefficients, atol=0.03)


def test_turning_the_picture_turns_the_answer(lifted) -> None:
    hypotheses = lifted(noise_px=4.0)
    centre = MATRIX[:2, 2]
    turned = replace(
        hypotheses,
        means_m=hypotheses.means_m @ QUARTER_TURN.T.astype(np.float32),
        root_translation_m=hypotheses.root_translation_m @ QUARTER_TURN.T.astype(np.float32),
        view_rotation=(QUARTER_TURN @ hypotheses.view_rotation).astype(np.float32),
        keypoints_px=((hypotheses.keypoints_px - centre) @ QUARTER_TURN[:2, :2].T + centre).astype(np.float32),
    )
    settings = RefinementSettings(shrink=0.5)
    one, other = refine_hypotheses(hypotheses, settings), refine_hypotheses(turned, settings)
    np.testing.assert_allclose(other.means_m, one.means_m @ QUARTER_TURN.T, atol=1e-4)
    np.testing.assert_allclose(other.mixing_coefficients, one.mixing_coefficients, atol=1e-4)
    np.testing.assert_allclose(other.std_m, one.std_m, rtol=1e-4)


def test_the_unit_of_the_picture_does_not_matter(lifted) -> None:
    hypotheses = lifted(noise_px=4.0)
    larger = replace(
        hypotheses,
        keypoints_px=2 * hypotheses.keypoints_px,
        intrinsics=np.diag([2.0, 2.0, 1.0]) @ hypotheses.intrinsics,
    )
    one, other = refine_hypotheses(hypotheses), refine_hypotheses(larger)
    np.testing.assert_allclose(other.means_m, one.means_m, atol=1e-4)
    np.testing.assert_allclose(other.reprojection_error_px, 2 * one.reprojection_error_px, rtol=1e-3)


def test_order_of_rows_and_hypotheses_does_not_matter(lifted) -> None:
    hypotheses = lifted(rows=9, noise_px=4.0)
    rows, turn = np.random.default_rng(0).permutation(9), [2, 0, 1]
    other = hypotheses.take(rows)
    other = replace(other, **{name: getattr(other, name)[:, turn] for name in CHANGING})
    refined = refine_hypotheses(hypotheses).take(rows)
    refined = replace(refined, **{name: getattr(refined, name)[:, turn] for name in CHANGING})
    _assert_same(refine_hypotheses(other), refined, atol=1e-6)


def test_slices_do_not_show(lifted) -> None:
    hypotheses = lifted(rows=128, noise_px=4.0)
    many = hypotheses.take(np.arange(500) % 128)
    done: list[int] = []
    refined = refine_hypotheses(many, on_progress=done.append)
    _assert_same(refined.take(slice(0, 128)), refine_hypotheses(hypotheses), atol=1e-6)
    assert sum(done) == 500
    assert len(done) > 1


def test_rows_without_hypotheses_and_broken_ones_keep_their_place_and_spoil_nobody(lifted) -> None:
    hypotheses = lifted(rows=8, noise_px=4.0)
    means, keypoints, status = (
        hypotheses.means_m.copy(),
        hypotheses.keypoints_px.copy(),
        hypotheses.status.astype("U32"),
    )
    confidence = hypotheses.confidence.copy()
    means[1, 0, 4] = np.nan
    means[2], status[2] = np.nan, Status.TOO_FEW_JOINTS
    keypoints[3], confidence[3] = np.nan, 0.0
    keypoints[5] = 1e12
    broken = replace(hypotheses, means_m=means, keypoints_px=keypoints, status=status, confidence=confidence)
    refined, whole = refine_hypotheses(broken), refine_hypotheses(hypotheses)
    sound = np.array([0, 4, 6, 7])
    _assert_same(refined.take(sound), whole.take(sound), atol=1e-6)
    _assert_same(refined.take(np.array([1, 2, 3])), broken.take(np.array([1, 2, 3])))
    assert np.isfinite(refined.means_m[5]).all()
    assert np.isfinite(refined.mixing_coefficients[5]).all()


def test_missing_joints_follow_the_body_and_no_pixel(lifted) -> None:
    hypotheses = lifted(noise_px=2.0)
    confidence = hypotheses.confidence.copy()
    confidence[:, [3, 13]] = 0.0
    hidden = replace(hypotheses, confidence=confidence)
    elsewhere = hypotheses.keypoints_px.copy()
    elsewhere[:, [3, 13]] = np.nan
    _assert_same(refine_hypotheses(hidden), refine_hypotheses(replace(hidden, keypoints_px=elsewhere)))
    shrunk = refine_hypotheses(hidden, RefinementSettings(noise=0.002, shrink=1.0))
    ratio = shrunk.std_m[:, :, 1:, 0] / hypotheses.std_m[:, :, 1:, 0]
    assert (ratio <= 1.0 + 1e-6).all()
    assert ratio[:, :, [2, 12]].mean() > ratio[:, :, [1, 11]].mean()


def test_one_wild_keypoint_is_forgiven(lifted) -> None:
    hypotheses = lifted(noise_px=1.0)
    keypoints = hypotheses.keypoints_px.copy()
    keypoints[:, 16] += 60.0
    settings = RefinementSettings(noise=0.005)
    wild = refine_hypotheses(replace(hypotheses, keypoints_px=keypoints), settings)
    trusting = replace(fitted_numbers(), degrees_of_freedom=1e6)
    gaussian = refine_hypotheses(replace(hypotheses, keypoints_px=keypoints), replace(settings, fitted=trusting))
    moved = [np.linalg.norm(x.means_m - hypotheses.means_m, axis=-1)[:, :, 16].mean() for x in (wild, gaussian)]
    assert moved[0] < 0.6 * moved[1]


def test_what_was_refined_is_not_refined_again(lifted) -> None:
    refined = refine_hypotheses(lifted())
    assert refined.model == "test/1+refined"
    with pytest.raises(InputError, match=r"refined before; refine the file that"):
        refine_hypotheses(refined)


def test_no_rows_are_no_trouble(lifted) -> None:
    assert len(refine_hypotheses(lifted().take(slice(0, 0)))) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("noise", 0.0), ("noise", 1.2), ("noise", float("nan")), ("prior_weight", -1.0), ("evidence_weight", np.inf),
     ("shrink", -0.1), ("steps", 0)],
)  # fmt: skip
def test_settings_that_mean_nothing_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{name}: expected"):
        RefinementSettings(**{name: value})


def test_better_keypoints_are_more_of_a_news() -> None:
    weights = [RefinementSettings(noise=noise).news_weight for noise in (1e-4, 0.005, 0.012, 0.05)]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] == pytest.approx(1.0, abs=1e-3)
    expected = fitted_numbers().expected_noise
    assert RefinementSettings(noise=expected).news_weight == pytest.approx(0.5)
