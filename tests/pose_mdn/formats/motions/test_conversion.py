"""The same person in any axes, unit, frame rate and naming gives the same poses."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose_mdn.errors import FormatError, InputError
from pose_mdn.formats.motions.bvh import read_bvh
from pose_mdn.formats.motions.conversion import ConversionOptions, convert_motion
from pose_mdn.formats.motions.registry import motion_formats, read_motions
from pose_mdn.formats.motions.world_frame import UNITS_M, UP_AXES, turn_to_y_up
from pose_mdn.skeletons import HUMAN36M17

UNREAL_TRUNK = {"Hips": "pelvis", "Spine": "spine_01", "Spine1": "spine_02", "Neck": "neck_01", "Head": "head"}
UNREAL_LIMBS = {
    "Shoulder": "clavicle", "Arm": "upperarm", "ForeArm": "lowerarm", "Hand": "hand",
    "UpLeg": "thigh", "Leg": "calf", "Foot": "foot",
}  # fmt: skip
NAMINGS = {
    "mixamorig": lambda name: f"mixamorig:{name}",
    "subject": lambda name: f"anna_{name}",
    "upper case": str.upper,
    "Biped": lambda name: {
        "Hips": "Bip01", "Spine": "Bip01 Spine", "Spine1": "Bip01 Spine1", "Neck": "Bip01 Neck", "Head": "Bip01 Head",
    }.get(name, "Bip01 " + name.replace("Left", "L ").replace("Right", "R ").replace("ForeArm", "Forearm")
        .replace("Shoulder", "Clavicle").replace("UpLeg", "Thigh").replace("Leg", "Calf")
        .replace(" Arm", " UpperArm")),
    "Unreal": lambda name: UNREAL_TRUNK.get(name) or UNREAL_LIMBS[name.replace("Left", "").replace("Right", "")]
        + ("_l" if "Left" in name else "_r"),
    "Biovision": lambda name: {"Spine1": "Chest2", "Spine": "Chest"}.get(name, name.replace("Shoulder", "Collar")
        .replace("ForeArm", "Elbow").replace("Arm", "Shoulder").replace("Hand", "Wrist").replace("UpLeg", "Hip")
        .replace("Leg", "Knee").replace("Foot", "Ankle")),
    "Rokoko": lambda name: {"Spine": "Spine1", "Spine1": "Spine2"}.get(name, name.replace("UpLeg", "Thigh")
        .replace("Leg", "Shin")),
}  # fmt: skip


def imported(path, **options):
    (motion,) = read_motions(path)
    return convert_motion(path, motion, ConversionOptions(**options))


@pytest.mark.parametrize("naming", NAMINGS)
def test_any_naming_gives_the_same_poses(tmp_path, write, naming) -> None:
    performance = write.perform()
    rename = {name: NAMINGS[naming](name) for name in write.rig if not name.endswith("_end")}
    write.bvh(tmp_path / "a.bvh", performance, rename=rename)
    found = imported(tmp_path / "a.bvh")
    np.testing.assert_allclose(found.pose_m, performance.pose17(), atol=1e-5)
    assert found.valid.all()
    assert found.warnings == ()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 1000),
    room=st.tuples(st.sampled_from(list(UNITS_M)), st.sampled_from(UP_AXES)),
    heading=st.floats(0, 6),
)
def test_any_axes_and_unit_give_the_same_poses(tmp_path, write, seed, room, heading) -> None:
    unit, up = room
    performance = write.perform(seed=seed, frames=5).turned(Rotation.from_euler("y", heading))
    to_y_up = Rotation.from_matrix(turn_to_y_up(np.eye(3), up).T)
    write.bvh(tmp_path / "a.bvh", performance.turned(to_y_up.inv(), 1 / UNITS_M[unit]))
    found = imported(tmp_path / "a.bvh")
    assert (found.up, found.metres_per_unit) == (up, UNITS_M[unit])
    np.testing.assert_allclose(found.pose_m, performance.pose17(), atol=1e-5)


@pytest.mark.parametrize("up", UP_AXES)
def test_turning_upright_does_not_mirror(up) -> None:
    turn = turn_to_y_up(np.eye(3), up).T
    assert np.linalg.det(turn) == pytest.approx(1)
    axis = np.eye(3)["xyz".index(up[-1])] * (-1 if up[0] == "-" else 1)
    np.testing.assert_allclose(turn_to_y_up(axis, up), [0, 1, 0])


def test_what_the_user_says_is_believed(tmp_path, write) -> None:
    performance = write.perform()
    write.bvh(tmp_path / "a.bvh", performance)
    found = imported(tmp_path / "a.bvh", unit="cm", up="z", fps=15)
    np.testing.assert_allclose(found.pose_m, turn_to_y_up(performance.pose17()[::2] * 0.01, "z"), atol=1e-5)
    assert found.fps == pytest.approx(15)
    assert any("stature of 0.02 m" in warning for warning in found.warnings)


def test_acclaim_poses_are_metres(tmp_path, write) -> None:
    ends = write.acclaim(tmp_path, "07", frames=8)
    found = imported(tmp_path / "07_01.amc")
    names = list(write.asf_names)
    np.testing.assert_allclose(
        found.pose_m[1, HUMAN36M17.index("l_knee")], ends[4, names.index("lfemur_end")], atol=1e-5
    )
    hips = ends[:, [names.index("lhipjoint_end"), names.index("rhipjoint_end")]].mean(axis=1)
    np.testing.assert_allclose(found.pose_m[:, HUMAN36M17.index("pelvis")], hips[::4], atol=1e-5)
    assert len(found.valid) == 2


def test_a_body_that_fits_no_unit_needs_the_unit(tmp_path, write) -> None:
    write.bvh(tmp_path / "a.bvh", write.perform().turned(Rotation.identity(), 1.7))
    with pytest.raises(FormatError, match="name the unit with --unit"):
        imported(tmp_path / "a.bvh")


def test_frames_that_cannot_be_are_invalid_and_zero(tmp_path, write) -> None:
    performance = write.perform()
    write.bvh(tmp_path / "a.bvh", performance)
    (motion,) = read_bvh(tmp_path / "a.bvh")
    positions = motion.positions.copy()
    positions[3, motion.joint_names.index("LeftHand")] += 0.5
    positions[5, motion.joint_names.index("Head")] = np.nan
    broken = type(motion)(**{**vars(motion), "positions": positions})
    found = convert_motion(tmp_path / "a.bvh", broken, ConversionOptions())
    assert np.flatnonzero(~found.valid).tolist() == [3, 5]
    assert (found.pose_m[[3, 5]] == 0).all()
    assert np.isfinite(found.pose_m).all()
    assert any("2 of 12 frames" in warning for warning in found.warnings)


def test_exchanged_sides_are_suspected(tmp_path, write) -> None:
    sides = {name: name.replace("Left", "@").replace("Right", "Left").replace("@", "Right") for name in write.rig}
    write.bvh(tmp_path / "a.bvh", write.perform(), rename=sides)
    assert any("left and right" in warning for warning in imported(tmp_path / "a.bvh").warnings)


def test_feet_above_the_head_are_suspected(tmp_path, write) -> None:
    write.bvh(tmp_path / "a.bvh", write.perform())
    assert any("feet above the head" in warning for warning in imported(tmp_path / "a.bvh", up="-y").warnings)


@pytest.mark.parametrize("options", [{"unit": "yard"}, {"up": "w"}, {"fps": 0}])
def test_impossible_options_are_refused(options) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        ConversionOptions(**options)


def test_every_format_is_found_and_described(tmp_path) -> None:
    assert motion_formats().keys() == {"asf_amc", "bvh", "c3d", "human36m"}
    (tmp_path / "a.fbx").write_bytes(b"")
    with pytest.raises(FormatError, match=r"bvh \(.*\.bvh"):
        read_motions(tmp_path / "a.fbx")
    with pytest.raises(InputError, match="did you mean 'bvh'"):
        read_motions(tmp_path / "a.fbx", format="bhv")
