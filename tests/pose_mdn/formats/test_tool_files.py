"""Files that other tools and their libraries wrote."""

import json
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.errors import FormatError, MissingExtraError
from pose_mdn.formats import keypoint_formats, read_keypoints
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.formats.keypoints.registry import detect_format
from pose_mdn.skeletons import BLAZEPOSE33

FILES = Path(__file__).with_name("keypoints")
SIZE = (1768, 994)
LIMBS = [f"{side}_{part}" for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in "lr"]


def limbs(sequence) -> np.ndarray:
    """(N, 12, 3) x, y, confidence of the joints that all of these files have."""
    places = [sequence.skeleton.index(name) for name in LIMBS]
    return np.concatenate([sequence.keypoints_px[:, places], sequence.confidence[:, places, None]], axis=-1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mediapipe_pose.json", "mediapipe_json"),
        ("deeplabcut_single.csv", "deeplabcut_csv"),
        ("deeplabcut_several.csv", "deeplabcut_csv"),
        ("deeplabcut_single_fixed.h5", "deeplabcut_h5"),
        ("deeplabcut_several_table.h5", "deeplabcut_h5"),
        ("sleap_matlab.h5", "sleap_h5"),
        ("sleap_standard.h5", "sleap_h5"),
        ("sports2d_px.trc", "trc"),
    ],
)
def test_each_file_is_recognised_with_a_reason(name, expected) -> None:
    detected = detect_format(FILES / name)
    assert detected.format.name == expected
    assert detected.recognition.confidence >= 0.8
    assert detected.recognition.reason
    assert Path(name).suffix in detected.format.suffixes


def test_mediapipes_fractions_become_pixels() -> None:
    frames = json.loads((FILES / "mediapipe_pose.json").read_text())
    sequence = read_keypoints(FILES / "mediapipe_pose.json", image_size=SIZE)
    assert sequence.skeleton is BLAZEPOSE33
    assert sequence.image_size == SIZE
    assert sequence.frame.tolist() == list(range(len(frames)))
    assert sequence.person.tolist() == [0 if frame else -1 for frame in frames]
    for row, frame in enumerate(frames):
        for joint, landmark in enumerate(frame):
            expected = [landmark["x"] * SIZE[0], landmark["y"] * SIZE[1]]
            np.testing.assert_allclose(sequence.keypoints_px[row, joint], expected, rtol=1e-5)
            assert sequence.confidence[row, joint] == pytest.approx(landmark["visibility"])


def test_fractions_need_the_size_of_the_picture() -> None:
    with pytest.raises(FormatError, match=r"fractions of it, got none in the file; pass image_size=\(width, height\)"):
        read_keypoints(FILES / "mediapipe_pose.json")


@pytest.mark.parametrize("people", ["single", "several"])
def test_deeplabcuts_table_is_the_same_in_every_file(people, assert_same) -> None:
    table = read_keypoints(FILES / f"deeplabcut_{people}.csv")
    kinds = ["fixed", "table"] if people == "several" else ["fixed"]
    for kind in kinds:
        assert_same(read_keypoints(FILES / f"deeplabcut_{people}_{kind}.h5"), table)
    assert table.skeleton.name == "coco17"
    assert 0.8 < table.layout_confidence < 1
    assert table.tracked


def test_a_frame_of_nobody_keeps_a_row_and_a_missing_animal_has_none() -> None:
    sequence = read_keypoints(FILES / "deeplabcut_several.csv")
    assert sequence.frame.tolist() == [0, 0, 1, 1, 2, 3, 3, 4, 5, 5]
    assert sequence.person.tolist() == [0, 1, 0, 1, 0, 0, 1, -1, 0, 1]
    wrist = sequence.skeleton.index("l_wrist")
    assert np.isnan(sequence.keypoints_px[2, wrist]).all()
    assert sequence.confidence[2, wrist] == 0
    assert np.isnan(sequence.keypoints_px[7]).all()


@pytest.mark.parametrize("order", ["matlab", "standard"])
def test_sleaps_tracks_are_those_of_the_table(order) -> None:
    tracks, table = read_keypoints(FILES / f"sleap_{order}.h5"), read_keypoints(FILES / "deeplabcut_several.csv")
    np.testing.assert_array_equal(tracks.frame, table.frame)
    np.testing.assert_array_equal(tracks.person, table.person)
    np.testing.assert_allclose(limbs(tracks), limbs(table), rtol=1e-6)


def test_sports2ds_pixels_are_those_of_the_table() -> None:
    markers, table = read_keypoints(FILES / "sports2d_px.trc"), read_keypoints(FILES / "deeplabcut_single.csv")
    assert (markers.skeleton.name, markers.fps) == ("coco17", 30.0)
    both = np.isfinite(limbs(table)).all(axis=-1)
    assert both.sum() > 50
    np.testing.assert_allclose(limbs(markers)[both][:, :2], limbs(table)[both][:, :2], rtol=1e-6)


def test_joints_are_matched_to_the_layout_that_is_asked_for() -> None:
    asked = read_keypoints(FILES / "deeplabcut_single.csv", skeleton="halpe26")
    assert asked.layout_confidence == 1
    np.testing.assert_array_equal(limbs(asked), limbs(read_keypoints(FILES / "deeplabcut_single.csv")))


@pytest.mark.parametrize("name", ["deeplabcut_single.csv", "deeplabcut_several.csv", "sports2d_px.trc"])
def test_a_file_without_frames_has_no_rows(tmp_path, name) -> None:
    header_lines = {"deeplabcut_single.csv": 3, "deeplabcut_several.csv": 4, "sports2d_px.trc": 5}[name]
    lines = (FILES / name).read_text().splitlines(keepends=True)
    (tmp_path / name).write_text("".join(lines[:header_lines]))
    assert len(read_keypoints(tmp_path / name)) == 0


def test_names_that_are_no_body_are_listed(tmp_path) -> None:
    text = (FILES / "deeplabcut_single.csv").read_text()
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        text = text.replace(part, f"{part}_of_a_mouse")
    (tmp_path / "mouse.csv").write_text(text)
    with pytest.raises(FormatError, match=r"at least 6 joints .* got nose among the names nose, left_shoulder_of_a_m"):
        read_keypoints(tmp_path / "mouse.csv")


def test_without_h5py_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setattr("pose_mdn.formats.hdf5_file.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pose-mdn\[h5\]"):
        read_keypoints(FILES / "sleap_matlab.h5")


def videopose3d(path: Path, people) -> dict[str, np.ndarray]:
    """An archive such as VideoPose3D's `prepare_data_2d_custom.py` writes: two films."""
    films = {name: people(BLAZEPOSE33, seed, 4)[:, :17, :2].astype(np.float32) for seed, name in enumerate("ab")}
    metadata = {
        "layout_name": "coco",
        "num_joints": 17,
        "keypoints_symmetry": [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]],
        "video_metadata": {"a": {"w": 1920, "h": 1080}, "b": {"w": 640, "h": 480}},
    }
    positions = {name: {"custom": [film]} for name, film in films.items()}
    np.savez_compressed(path, positions_2d=np.array(positions, object), metadata=np.array(metadata, object))
    return films


def test_videopose3ds_films_are_read_one_by_one_if_pickles_are_trusted(tmp_path, people) -> None:
    path = tmp_path / "data_2d_custom_mine.npz"
    films = videopose3d(path, people)
    with pytest.raises(FormatError, match="pickled dictionaries"):
        read_keypoints(path)
    entry = keypoint_formats()["videopose3d_npz"]
    assert entry.clips is not None
    assert entry.clips(path, ReadOptions(trust_pickle=True)) == ("a", "b")
    with pytest.raises(FormatError, match="2 films; pass clip= one of: a, b"):
        read_keypoints(path, trust_pickle=True)
    for name, size in (("a", (1920, 1080)), ("b", (640, 480))):
        sequence = read_keypoints(path, trust_pickle=True, clip=name)
        np.testing.assert_array_equal(sequence.keypoints_px, films[name])
        assert (sequence.skeleton.name, sequence.layout_confidence, sequence.image_size) == ("coco17", 1.0, size)
    with pytest.raises(FormatError, match="got 'c'; pass clip="):
        read_keypoints(path, trust_pickle=True, clip="c")


def test_human36ms_cameras_are_clips(tmp_path, people) -> None:
    path = tmp_path / "data_2d_h36m_gt.npz"
    cameras = [people(BLAZEPOSE33, seed, 3)[:, :17, :2] for seed in range(4)]
    positions = {"S1": {"Walking 1": cameras}}
    metadata = {"layout_name": "h36m", "num_joints": 17, "keypoints_symmetry": [[4, 5, 6], [1, 2, 3]]}
    np.savez(path, positions_2d=np.array(positions, object), metadata=np.array(metadata, object))
    sequence = read_keypoints(path, trust_pickle=True, clip="S1-Walking 1-2")
    assert sequence.skeleton.name == "human36m17"
    np.testing.assert_allclose(sequence.keypoints_px, cameras[2].astype(np.float32))


class Harmful:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("harm"),))


def test_even_trusted_pickles_run_nothing(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("data_2d_custom_bad.npz", positions_2d=np.array({"a": {"custom": [Harmful()]}}, object))
    with pytest.raises(FormatError, match="could run code"):
        read_keypoints("data_2d_custom_bad.npz", trust_pickle=True)
    assert not Path("harm").exists()


TRC = """PathFileType\t4\t(X/Y/Z)\tclip.trc
DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames
30\t30\t1\t6\t{unit}\t30\t1\t1
Frame#\tTime\tLHip\t\t\tRHip\t\t\tLKnee\t\t\tRKnee\t\t\tLAnkle\t\t\tRAnkle\t\t\t
\t\tX1\tY1\tZ1\tX2\tY2\tZ2\tX3\tY3\tZ3\tX4\tY4\tZ4\tX5\tY5\tZ5\tX6\tY6\tZ6

1\t0.0\t{cells}
"""


@pytest.mark.parametrize(
    ("unit", "scale", "depth", "message"),
    [
        ("px", 100, 0, ""),
        ("mm", 100, 0, "Units px, got 'mm'"),
        ("m", 0.1, 0, "got markers in metres"),
        ("px", 100, 5, "got markers in space"),
    ],
)
def test_markers_in_space_are_refused(tmp_path, unit, scale, depth, message) -> None:
    cells = "\t".join(f"{place * scale}\t{(7 - place) * scale}\t{depth}" for place in range(1, 7))
    (tmp_path / "clip.trc").write_text(TRC.format(unit=unit, cells=cells))
    if message:
        with pytest.raises(FormatError, match=message):
            read_keypoints(tmp_path / "clip.trc")
        return
    sequence = read_keypoints(tmp_path / "clip.trc")
    assert sequence.frame.tolist() == [1]
    assert sequence.keypoints_px[0, sequence.skeleton.index("r_ankle")].tolist() == [600, 100]
