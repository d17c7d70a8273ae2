"""C3D, written with ezc3d itself: marker sets, units, missing markers."""

import ezc3d
import numpy as np
import pytest

from pose_mdn.errors import FormatError, MissingExtraError
from pose_mdn.formats.motions.c3d import read_c3d
from pose_mdn.formats.motions.conversion import ConversionOptions, convert_motion
from pose_mdn.formats.motions.hip_centres import with_hip_centres
from pose_mdn.formats.motions.joint_selection import read_joint_map
from pose_mdn.skeletons import HUMAN36M17

LIMB_M = {
    "SHO": (0.18, 0.0, 1.42), "ELB": (0.25, 0.0, 1.14), "WRA": (0.28, 0.03, 0.92), "WRB": (0.28, -0.03, 0.92),
    "KNE": (0.14, 0.02, 0.5), "ANK": (0.13, -0.02, 0.09), "FHD": (0.07, 0.08, 1.68), "BHD": (0.07, -0.08, 1.68),
}  # fmt: skip
TRUNK_M = {"C7": (0, -0.07, 1.48), "CLAV": (0, 0.07, 1.42), "T10": (0, -0.08, 1.2), "STRN": (0, 0.1, 1.25)}
PELVIS_M = {
    "Plug-in Gait": {"ASI": (0.12, 0.1, 1.0), "PSI": (0.05, -0.1, 1.0)},
    "CMU": {"FWT": (0.12, 0.1, 1.0), "BWT": (0.05, -0.1, 1.0)},
}
"""Markers of somebody who stands and looks along y, left side towards -x, Z up, metres."""


def markers(pelvis: str = "Plug-in Gait") -> dict[str, np.ndarray]:
    found = {name: np.array(place, float) for name, place in TRUNK_M.items()}
    for name, place in {**LIMB_M, **PELVIS_M[pelvis]}.items():
        found[f"R{name}"] = np.array(place)
        found[f"L{name}"] = np.array(place) * [-1, 1, 1]
    return found


def write_c3d(
    path, named: dict[str, np.ndarray], *, unit="mm", scale=1000.0, frames=8, fps=100.0, prefix=""
) -> np.ndarray:
    """Write markers that all drift along x; returns (T, J, 3) metres."""
    drift = 0.01 * np.arange(frames)[:, None, None] * np.array([1.0, 0, 0])
    places = np.stack(list(named.values()))[None] + drift
    recording = ezc3d.c3d()
    recording["parameters"]["POINT"]["RATE"]["value"] = [fps]
    recording["parameters"]["POINT"]["UNITS"]["value"] = [unit]
    recording["parameters"]["POINT"]["LABELS"]["value"] = [prefix + name for name in named]
    points = np.ones((4, len(named), frames))
    points[:3] = scale * places.transpose(2, 1, 0)
    recording["data"]["points"] = points
    recording.write(str(path))
    return places


@pytest.mark.parametrize(
    ("unit", "scale", "pelvis", "prefix"),
    [
        ("mm", 1000.0, "Plug-in Gait", ""),
        ("m", 1.0, "CMU", "Anna:"),
        ("", 100.0, "CMU", "anna_"),
        ("mm", 1.0, "Plug-in Gait", "Anna:"),
    ],
)
def test_marker_sets_become_joints_whatever_the_unit(tmp_path, *, unit, scale, pelvis, prefix) -> None:
    """The last unit is wrong in the file, and mended by stature."""
    named = markers(pelvis)
    write_c3d(tmp_path / "a.c3d", named, unit=unit, scale=scale, prefix=prefix)
    (motion,) = read_c3d(tmp_path / "a.c3d")
    found = convert_motion(tmp_path / "a.c3d", motion, ConversionOptions(fps=100.0))
    assert found.naming == "markers of Plug-in Gait and CMU"
    assert found.up == "z"
    at = dict(zip(HUMAN36M17.joint_names, found.pose_m[0], strict=True))

    def turned(*names: str) -> np.ndarray:
        x, y, z = np.mean([named[name] for name in names], axis=0)
        return np.array([x, z, -y])

    wanted = {
        "l_shoulder": turned("LSHO"), "r_elbow": turned("RELB"), "l_wrist": turned("LWRA", "LWRB"),
        "r_knee": turned("RKNE"), "l_ankle": turned("LANK"), "thorax": turned("C7", "CLAV"),
        "spine": turned("T10", "STRN"), "head_top": turned("LFHD", "RFHD", "LBHD", "RBHD"),
        "neck_nose": turned("C7", "CLAV", "LFHD", "RFHD"),
    }  # fmt: skip
    for joint, place in wanted.items():
        np.testing.assert_allclose(at[joint], place, atol=1e-4, err_msg=joint)
    np.testing.assert_allclose(at["pelvis"], (at["l_hip"] + at["r_hip"]) / 2, atol=1e-6)
    assert 1.5 < found.stature_m < 1.9
    assert [text for text in found.warnings if "unit" not in text] == []


def test_hip_centres_follow_the_published_regression() -> None:
    """Inter-marker distance 0.24 m: 36 % to the side, 30 % down, 19 % back from the middle of the front markers."""
    named = markers()
    names, positions = with_hip_centres(tuple(named), np.stack(list(named.values()))[None])
    assert names[-2:] == ("l_hip_centre", "r_hip_centre")
    expected = np.array([0.36 * 0.24, 0.1 - 0.19 * 0.24, 1.0 - 0.30 * 0.24])
    np.testing.assert_allclose(positions[0, -1], expected, atol=1e-12)
    np.testing.assert_allclose(positions[0, -2], expected * [-1, 1, 1], atol=1e-12)


def test_hip_centres_turn_with_the_pelvis(write) -> None:
    rotation = write.perform(frames=1, seed=4, wildness=2.0).rotations[3].as_matrix()[0]
    named = markers()
    places = np.stack(list(named.values()))[None]
    upright = with_hip_centres(tuple(named), places)[1]
    turned = with_hip_centres(tuple(named), places @ rotation.T)[1]
    np.testing.assert_allclose(turned, upright @ rotation.T, atol=1e-12)


def test_a_missing_marker_makes_its_frames_invalid(tmp_path) -> None:
    named = markers()
    write_c3d(tmp_path / "a.c3d", named)
    recording = ezc3d.c3d(str(tmp_path / "a.c3d"))
    points = recording["data"]["points"]
    points[:3, list(named).index("LKNE"), 2] = np.nan
    points[:3, list(named).index("RASI"), 5] = np.nan
    residuals = recording["data"]["meta_points"]["residuals"]
    residuals[0, list(named).index("LKNE"), 2] = residuals[0, list(named).index("RASI"), 5] = -1
    recording["data"]["points"] = points
    recording.write(str(tmp_path / "b.c3d"))
    (motion,) = read_c3d(tmp_path / "b.c3d")
    found = convert_motion(tmp_path / "b.c3d", motion, ConversionOptions(fps=100.0))
    assert np.flatnonzero(~found.valid).tolist() == [2, 5]


def test_unknown_labels_are_listed_with_the_fix(tmp_path) -> None:
    write_c3d(tmp_path / "a.c3d", {f"M{place:02}": np.array([0, 0, place]) for place in range(20)})
    (motion,) = read_c3d(tmp_path / "a.c3d")
    with pytest.raises(FormatError, match=r"M00, M01, .*M19; write a TOML file .* --joint-map FILE"):
        convert_motion(tmp_path / "a.c3d", motion, ConversionOptions())


def test_unknown_labels_are_imported_with_a_joint_map(tmp_path) -> None:
    rng = np.random.default_rng(0)
    named = {f"joint{place}": rng.normal(size=3) for place in range(17)}
    (tmp_path / "map.toml").write_text(
        "\n".join(f'{joint} = "joint{place}"' for place, joint in enumerate(HUMAN36M17.joint_names))
    )
    places = write_c3d(tmp_path / "a.c3d", named, unit="m", scale=1.0)
    options = ConversionOptions(joint_map=read_joint_map(tmp_path / "map.toml"), up="y", unit="m", fps=100)
    (motion,) = read_c3d(tmp_path / "a.c3d")
    found = convert_motion(tmp_path / "a.c3d", motion, options)
    assert found.naming == "joint map"
    np.testing.assert_allclose(motion.positions, places, atol=1e-6)


@pytest.mark.parametrize("keep", [0, 100, 600, -2000])
def test_a_truncated_file_is_refused(tmp_path, keep) -> None:
    write_c3d(tmp_path / "a.c3d", markers(), frames=50)
    content = (tmp_path / "a.c3d").read_bytes()
    (tmp_path / "b.c3d").write_bytes(content[:keep])
    with pytest.raises(FormatError, match=r"b\.c3d: expected"):
        read_c3d(tmp_path / "b.c3d")


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch) -> None:
    write_c3d(tmp_path / "a.c3d", markers())
    monkeypatch.setattr("pose_mdn.formats.motions.c3d.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pose-mdn\[c3d\]'"):
        read_c3d(tmp_path / "a.c3d")


def test_a_file_that_crashes_the_library_is_only_refused(tmp_path) -> None:
    """Bytes of the parameters changed at random: some of these take the library's process down."""
    write_c3d(tmp_path / "a.c3d", markers(), frames=2)
    content = (tmp_path / "a.c3d").read_bytes()
    rng = np.random.default_rng(0)
    outcomes = []
    for _ in range(6):
        damaged = bytearray(content)
        for place in rng.integers(512, 2560, 6):
            damaged[place] = rng.integers(256)
        (tmp_path / "b.c3d").write_bytes(damaged)
        try:
            read_c3d(tmp_path / "b.c3d")
            outcomes.append("read")
        except FormatError as error:
            outcomes.append(str(error))
    assert any("a whole C3D file" in outcome for outcome in outcomes)
