from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pose_mdn.errors import InputError
from pose_mdn.geometry.camera import Camera
from pose_mdn.reprojection import CheckSettings, Fault, check_reprojection
from pose_mdn.skeletons import HUMAN36M17

FLIP = list(HUMAN36M17.flip_indices)


def _camera(hypotheses, focal: float = 1.0, shift_px: float = 0.0) -> Camera:
    intrinsics = np.array(hypotheses.intrinsics[0])
    intrinsics[[0, 1], [0, 1]] *= focal
    intrinsics[0, 2] += shift_px
    return Camera(intrinsics=intrinsics, image_size=hypotheses.image_size)


def _first_only(hypotheses):
    names = ("means_m", "std_m", "root_translation_m", "reprojection_error_px")
    one = {name: getattr(hypotheses, name)[:, :1] for name in names}
    return replace(hypotheses, mixing_coefficients=np.ones((len(hypotheses), 1), np.float32), **one)


def _around(hypotheses, degrees: float) -> Camera:
    """A camera on a circle about the place where people are; at 0 the one that they were lifted with."""
    rotation = Rotation.from_euler("y", degrees, degrees=True).as_matrix()
    middle = np.array([0.0, 0.0, 4.75])
    return Camera(
        intrinsics=hypotheses.intrinsics[0],
        rotation=rotation,
        translation=middle - rotation @ middle,
        image_size=hypotheses.image_size,
    )


def test_the_truth_passes_and_its_errors_are_nothing(seen):
    found = check_reprojection(seen())
    np.testing.assert_allclose(found.agreement.rms_px[:, 0], 0.0, atol=1e-3)
    np.testing.assert_array_equal(found.passes[:, 0], (found.human_bones & found.human_joints)[:, 0])
    assert found.passes[:, 0].any()
    assert found.diagnosis.overall == Fault.NONE
    assert found.reasons(0, 0) == ()


def test_a_wrong_hypothesis_fails_with_its_reasons(seen):
    hypotheses = seen()
    means = hypotheses.means_m.copy()
    means[3, 1] *= 1.4
    means[4, 1, HUMAN36M17.index("l_knee")] *= 1.5
    found = check_reprojection(replace(hypotheses, means_m=means))
    assert not found.passes[3, 1]
    assert any("of the person's size" in reason for reason in found.reasons(3, 1))
    assert "bones of lengths that no person has" in found.reasons(4, 1)


def test_as_many_joints_are_within_their_uncertainty_as_the_level_says(seen):
    hypotheses = seen(rows=128)
    rng = np.random.default_rng(0)
    noise = 0.02 * rng.normal(size=hypotheses.means_m.shape) * (np.arange(17) > 0)[:, None]
    hypotheses = replace(
        hypotheses,
        means_m=(hypotheses.means_m + noise).astype(np.float32),
        std_m=np.full_like(hypotheses.std_m, 0.02),
    )
    for level in (0.5, 0.9, 0.99):
        found = check_reprojection(hypotheses, settings=CheckSettings(level=level, noise=1e-6))
        assert found.agreement.within[:, 0, 1:].mean() == pytest.approx(level, abs=0.03)


def test_errors_in_parts_of_the_size_do_not_depend_on_resolution(seen):
    hypotheses = seen(noise_px=5.0)
    finer = replace(
        hypotheses,
        keypoints_px=3.0 * hypotheses.keypoints_px,
        intrinsics=np.diag([3.0, 3.0, 1.0]) @ hypotheses.intrinsics,
    )
    before, after = check_reprojection(hypotheses).agreement, check_reprojection(finer).agreement
    np.testing.assert_allclose(after.rms_px, 3.0 * before.rms_px, rtol=1e-4)
    np.testing.assert_allclose(after.rms_of_size, before.rms_of_size, rtol=1e-4)


@pytest.mark.parametrize("noise_px", [0.0, 4.0])
def test_exchanged_sides_are_named(seen, noise_px):
    hypotheses = seen(noise_px=noise_px)
    found = check_reprojection(hypotheses, keypoints_px=hypotheses.keypoints_px[:, FLIP])
    assert found.diagnosis.overall == Fault.SIDES


@pytest.mark.parametrize("detector_looked_again", [True, False])
def test_mirrored_pictures_are_named(seen, detector_looked_again):
    hypotheses = seen(noise_px=4.0)
    mirrored = hypotheses.keypoints_px * [-1, 1] + [hypotheses.image_size[0] - 1, 0]
    found = check_reprojection(hypotheses, keypoints_px=mirrored[:, FLIP] if detector_looked_again else mirrored)
    assert found.diagnosis.overall == Fault.MIRRORED


@pytest.mark.parametrize(("focal", "shift_px"), [(1.3, 0.0), (0.75, 0.0), (1.0, 120.0)])
def test_another_camera_is_named(seen, focal, shift_px):
    hypotheses = seen(noise_px=4.0)
    found = check_reprojection(hypotheses, camera=_camera(hypotheses, focal, shift_px))
    assert found.diagnosis.overall == Fault.CAMERA
    assert np.median(found.diagnosis.scale) == pytest.approx(1 / focal, rel=0.05)


def test_a_slightly_longer_lens_shows_in_all_rows_together(seen):
    hypotheses = seen(noise_px=4.0)
    found = check_reprojection(hypotheses, camera=_camera(hypotheses, 1.1))
    assert found.diagnosis.overall == Fault.CAMERA
    assert (found.diagnosis.fault == Fault.NONE).any()


@pytest.mark.parametrize("angle", [35.0, 90.0, -150.0])
def test_another_camera_of_a_rig_is_named(seen, angle):
    hypotheses = _first_only(seen(noise_px=4.0))
    here, there, elsewhere = (_around(hypotheses, turn) for turn in (0.0, 50.0, 50.0 + angle))
    world = here.camera_to_world(hypotheses.means_m[:, 0] + hypotheses.root_translation_m[:, :1].astype(np.float64))
    points = there.project(world)
    right = check_reprojection(hypotheses, keypoints_px=points, camera=there, lifted_with=here)
    assert right.diagnosis.overall == Fault.NONE
    wrong = check_reprojection(hypotheses, keypoints_px=points, camera=elsewhere, lifted_with=here)
    assert wrong.diagnosis.overall == Fault.TURNED
    assert np.rad2deg(np.nanmedian(wrong.diagnosis.turn_rad)) == pytest.approx(abs(angle), abs=10)


def test_nonsense_is_no_camera(seen):
    hypotheses = seen()
    nonsense = np.random.default_rng(0).uniform([400, 100], [800, 700], (len(hypotheses), 17, 2))
    found = check_reprojection(hypotheses, keypoints_px=nonsense, settings=CheckSettings(estimate_root=True))
    assert found.diagnosis.overall == Fault.UNKNOWN


def test_the_tolerance_decides_what_needs_explaining(seen):
    hypotheses = seen(noise_px=4.0)
    camera = _camera(hypotheses, 1.0, 20.0)
    verdicts = [
        check_reprojection(hypotheses, camera=camera, settings=CheckSettings(tolerance=tolerance)).diagnosis.overall
        for tolerance in (0.02, 0.2)
    ]
    assert verdicts == [Fault.CAMERA, Fault.NONE]


def test_slices_do_not_show(seen):
    hypotheses = seen(rows=24, noise_px=5.0)
    many = hypotheses.take(np.arange(24 * 60) % 24)
    once, often = check_reprojection(hypotheses), check_reprojection(many)
    np.testing.assert_allclose(often.agreement.rms_px, np.tile(once.agreement.rms_px, (60, 1)), rtol=1e-9)
    np.testing.assert_array_equal(often.passes, np.tile(once.passes, (60, 1)))
    np.testing.assert_allclose(often.projection.covariance_px2[-24:], once.projection.covariance_px2, rtol=1e-9)
    nobody = check_reprojection(hypotheses.take(slice(0, 0)))
    assert nobody.passes.shape == (0, 3)
    assert nobody.diagnosis.overall is None


def test_an_estimated_root_makes_up_for_a_focal_length(seen):
    hypotheses = seen()
    camera = _camera(hypotheses, 1.3)
    settings = CheckSettings(estimate_root=True)
    found = check_reprojection(hypotheses, camera=camera, settings=settings)
    assert found.diagnosis.overall == Fault.NONE
    ratio = found.root_m[:, 0, 2] / hypotheses.root_translation_m[:, 0, 2]
    assert np.median(ratio) == pytest.approx(1.3, rel=0.05)


def test_people_behind_the_camera_are_told(seen):
    hypotheses = seen()
    root = hypotheses.root_translation_m.copy()
    root[0, 0, 2] *= -1
    found = check_reprojection(replace(hypotheses, root_translation_m=root))
    assert not found.in_front[0, 0]
    assert not found.passes[0, 0]
    assert "joints behind the camera" in found.reasons(0, 0)
    assert found.in_front[1:].all()


def test_rows_that_were_not_lifted_say_nothing_and_spoil_nothing(seen):
    hypotheses = seen()
    means, status = hypotheses.means_m.copy(), hypotheses.status.astype("<U32")
    means[2], status[2] = np.nan, "too_few_joints"
    found = check_reprojection(replace(hypotheses, means_m=means, status=status))
    whole = check_reprojection(hypotheses)
    rest = np.arange(len(hypotheses)) != 2
    np.testing.assert_array_equal(found.agreement.rms_px[rest], whole.agreement.rms_px[rest])
    assert not found.passes[2].any()
    assert found.diagnosis.fault[2] == ""
    assert found.reasons(2, 0) == ()


def test_missing_joints_do_not_count(seen):
    hypotheses = seen()
    points, confidence = hypotheses.keypoints_px.copy(), hypotheses.confidence.copy()
    points[:, 5], confidence[:, 5] = 1e5, 0.0
    found = check_reprojection(replace(hypotheses, keypoints_px=points, confidence=confidence))
    assert np.isnan(found.agreement.error_px[:, :, 5]).all()
    np.testing.assert_allclose(found.agreement.rms_px[:, 0], 0.0, atol=1e-3)


def test_shapes_that_do_not_fit_are_refused(seen):
    hypotheses = seen()
    with pytest.raises(InputError, match=r"keypoints: expected shape \(24, 17, 2\).*got \(23, 17, 2\)"):
        check_reprojection(hypotheses, keypoints_px=hypotheses.keypoints_px[1:])
    with pytest.raises(InputError, match="camera: expected the camera to look through"):
        check_reprojection(hypotheses, lifted_with=_camera(hypotheses))
    with pytest.raises(InputError, match="level: expected a number between 0 and 1, got 95"):
        CheckSettings(level=95)
