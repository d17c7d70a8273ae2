"""The keypoints file: round trips, defaults, and one clear line for each thing that can be wrong."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import FormatError, InputError, UnknownSkeletonError
from pose_mdn.formats import read_keypoints, write_keypoints
from pose_mdn.skeletons import SKELETONS


@pytest.fixture
def good() -> dict[str, np.ndarray]:
    """The arrays of a correct file: three frames of one person."""
    random = np.random.default_rng(0)
    return {
        "keypoints": random.uniform(10, 1000, (3, 17, 2)).astype(np.float32),
        "confidence": random.uniform(0.1, 1, (3, 17)).astype(np.float32),
        "skeleton": np.array("coco17"),
        "frame": np.arange(3),
        "person": np.zeros(3, int),
        "image_size": np.array([1920, 1080]),
        "fps": np.array(25.0),
        "intrinsics": np.array([[1500.0, 0, 960], [0, 1500, 540], [0, 0, 1]]),
        "distortion": np.zeros(5),
    }


SIZES = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "rows": st.integers(0, 5),
        "skeleton": st.sampled_from(sorted(SKELETONS)),
        "camera": st.booleans(),
    }
)


@settings(deadline=None)
@given(sizes=SIZES)
def test_reading_what_was_written_is_the_identity(tmp_path_factory, make_keypoints, assert_same, sizes) -> None:
    path = tmp_path_factory.mktemp("keypoints") / "clip.npz"
    sequence = make_keypoints(**sizes)
    write_keypoints(path, sequence)
    assert_same(read_keypoints(path), sequence)


@pytest.mark.parametrize("compressed", [False, True])
def test_numpys_own_writers_are_read(tmp_path, good, compressed) -> None:
    path = tmp_path / "clip.npz"
    (np.savez_compressed if compressed else np.savez)(path, **good)
    sequence = read_keypoints(path)
    np.testing.assert_array_equal(sequence.keypoints_px, good["keypoints"])
    np.testing.assert_array_equal(sequence.confidence, good["confidence"])
    assert sequence.image_size == (1920, 1080)
    assert sequence.fps == 25.0


def test_a_file_without_the_suffix_is_known_by_its_first_bytes(tmp_path, good) -> None:
    with (tmp_path / "clip").open("wb") as stream:
        np.savez(stream, **good)
    assert len(read_keypoints(tmp_path / "clip")) == 3


def test_other_types_and_orders_are_read(tmp_path, good) -> None:
    good["keypoints"] = np.asfortranarray(good["keypoints"].astype(">f8"))
    good["frame"] = good["frame"].astype(np.float32)
    good["skeleton"] = np.array([b"coco17"])
    np.savez(tmp_path / "clip.npz", **good)
    sequence = read_keypoints(tmp_path / "clip.npz")
    np.testing.assert_array_equal(sequence.keypoints_px, good["keypoints"].astype(np.float32))
    assert sequence.frame.tolist() == [0, 1, 2]


def test_only_keypoints_and_skeleton_are_needed(tmp_path, good) -> None:
    np.savez(tmp_path / "clip.npz", keypoints=good["keypoints"], skeleton="coco17")
    sequence = read_keypoints(tmp_path / "clip.npz")
    assert (sequence.confidence == 1).all()
    assert sequence.frame.tolist() == [0, 1, 2]
    assert sequence.person.tolist() == [0, 0, 0]
    assert (sequence.image_size, sequence.fps, sequence.intrinsics, sequence.distortion) == (None,) * 4


def test_people_are_counted_within_their_frame_when_not_named(tmp_path, good) -> None:
    np.savez(
        tmp_path / "clip.npz", keypoints=np.repeat(good["keypoints"], 2, 0), skeleton="coco17", frame=[5, 3, 5, 4, 3, 5]
    )
    assert read_keypoints(tmp_path / "clip.npz").person.tolist() == [0, 0, 1, 0, 1, 2]


def test_whether_people_have_identities_is_known(tmp_path, good) -> None:
    few = {key: array for key, array in good.items() if key in {"keypoints", "skeleton"}}
    for extra, tracked in (
        ({}, False),
        ({"person": [4, 4, 4]}, True),
        ({"person": [0, 1, 2], "tracked": False}, False),
    ):
        np.savez(tmp_path / "clip.npz", **few, **extra)
        sequence = read_keypoints(tmp_path / "clip.npz")
        assert sequence.tracked is tracked
        write_keypoints(tmp_path / "again.npz", sequence)
        assert read_keypoints(tmp_path / "again.npz").tracked is tracked


def test_missing_joints_take_one_form_and_confidences_are_clipped(tmp_path, good) -> None:
    good["keypoints"][0, 0] = np.nan
    good["keypoints"][0, 1, 1] = np.inf
    good["confidence"][0, 2:6] = [0, -0.5, np.nan, 7]
    np.savez(tmp_path / "clip.npz", **good)
    sequence = read_keypoints(tmp_path / "clip.npz")
    assert np.isnan(sequence.keypoints_px[0, :5]).all()
    assert sequence.confidence[0, :6].tolist() == [0, 0, 0, 0, 0, 1]
    assert np.isfinite(sequence.keypoints_px[0, 5:]).all()


def test_skeleton_argument_overrides_and_replaces_the_key(tmp_path, good) -> None:
    np.savez(tmp_path / "clip.npz", **good)
    assert read_keypoints(tmp_path / "clip.npz", skeleton="human36m17").skeleton.name == "human36m17"
    del good["skeleton"]
    np.savez(tmp_path / "bare.npz", **good)
    assert read_keypoints(tmp_path / "bare.npz", skeleton="coco17").skeleton.name == "coco17"
    with pytest.raises(UnknownSkeletonError):
        read_keypoints(tmp_path / "bare.npz", skeleton="coco")


def test_unknown_keys_are_left_alone(tmp_path, good) -> None:
    np.savez(tmp_path / "clip.npz", **good, keypoints_3d=np.zeros(3), note=np.array([object()], object))
    assert len(read_keypoints(tmp_path / "clip.npz")) == 3


WRONG = {
    "percentages": ({"confidence": np.full((3, 17), 90.0)}, "divide percentages by 100"),
    "no keypoints": ({"keypoints": None}, "the key 'keypoints'"),
    "no skeleton": ({"skeleton": None}, "the key 'skeleton'"),
    "unknown skeleton": ({"skeleton": np.array("coco18")}, "did you mean 'coco17'"),
    "skeleton is a number": ({"skeleton": np.array(17)}, "one text in 'skeleton'"),
    "keypoints are flat": ({"keypoints": np.ones((3, 34))}, r"'keypoints' of shape \(N, 17, 2\), got \(3, 34\)"),
    "keypoints of another layout": ({"keypoints": np.ones((3, 25, 2))}, r"\(N, 17, 2\), got \(3, 25, 2\)"),
    "keypoints are text": ({"keypoints": np.full((3, 17, 2), "1.0")}, "numbers in 'keypoints', got dtype <U3"),
    "keypoints are complex": ({"keypoints": np.ones((3, 17, 2), complex)}, "numbers or text in 'keypoints'"),
    "keypoints are objects": ({"keypoints": np.array([None])}, "would need pickle"),
    "keypoints are normalised": ({"keypoints": np.random.default_rng(0).random((3, 17, 2))}, "as if normalised"),
    "confidence of other rows": ({"confidence": np.ones((2, 17))}, r"'confidence' of shape \(3, 17\), got \(2, 17\)"),
    "frame is too short": ({"frame": np.arange(2)}, r"'frame' of shape \(3,\), got \(2,\)"),
    "frame is a fraction": ({"frame": np.array([0, 0.5, 1])}, "whole numbers in 'frame'"),
    "person is NaN": ({"person": np.array([0, np.nan, 1])}, "whole numbers in 'person'"),
    "image size is empty": ({"image_size": np.array([0, 1080])}, "above 0 in 'image_size'"),
    "image size has depth": ({"image_size": np.array([1920, 1080, 3])}, r"'image_size' of shape \(2,\)"),
    "fps is NaN": ({"fps": np.array(np.nan)}, "one number above 0 in 'fps'"),
    "fps is text": ({"fps": np.array("25")}, "one number above 0 in 'fps'"),
    "intrinsics have NaN": ({"intrinsics": np.full((3, 3), np.nan)}, "finite 'intrinsics'"),
    "intrinsics are flat": ({"intrinsics": np.ones(3)}, r"'intrinsics' of shape \(3, 3, 3\), got \(3,\)"),
    "focal length is negative": ({"intrinsics": np.diag([-1.0, 1, 1])}, "focal lengths above 0"),
    "distortion has 3 numbers": ({"distortion": np.zeros(3)}, "4, 5, 8, 12 or 14"),
    "fisheye has 5 numbers": ({"distortion": np.zeros(5), "lens_model": np.array("fisheye")}, "expected 4 finite"),
    "lens model is unknown": ({"lens_model": np.array("fish")}, "'brown' or 'fisheye' in 'lens_model', got 'fish'"),
    "tracked is a number": ({"tracked": np.array(2)}, "true or false in 'tracked', got 2"),
    "confidence is misspelt": ({"confidence": None, "confidences": np.ones((3, 17))}, "rename it to 'confidence'"),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_each_mistake_gives_one_line_that_names_the_file(tmp_path, good, change, message) -> None:
    arrays = {key: value for key, value in {**good, **change}.items() if value is not None}
    path = tmp_path / "clip.npz"
    np.savez(path, **arrays)
    with pytest.raises(FormatError, match=message) as caught:
        read_keypoints(path)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert "\n" not in str(caught.value)
    assert "; " in str(caught.value)


def save_raw(path: Path, members: dict[str, bytes], *, compressed: bool = True) -> None:
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def header(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return stream.getvalue()


def test_a_gigabyte_claimed_by_a_header_is_refused_before_it_is_allocated(tmp_path, good) -> None:
    rows = 2**30 // (17 * 2 * 4) + 1
    np.savez(tmp_path / "clip.npz", **good)
    with zipfile.ZipFile(tmp_path / "clip.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["keypoints.npy"] = header((rows, 17, 2))
    save_raw(tmp_path / "claim.npz", members)
    with pytest.raises(FormatError, match=rf"of shape \({rows}, 17, 2\), got 0"):
        read_keypoints(tmp_path / "claim.npz")


def test_a_gigabyte_of_zeros_in_a_small_archive_is_refused_before_it_is_unpacked(tmp_path) -> None:
    rows = 2**27 // (17 * 2 * 4)  # 128 MiB stand for the gigabyte, to be written faster
    save_raw(tmp_path / "bomb.npz", {"keypoints.npy": header((rows, 17, 2)) + bytes(rows * 17 * 2 * 4)})
    assert (tmp_path / "bomb.npz").stat().st_size < 2**18
    with pytest.raises(FormatError, match="to unpack to at most 67108864 bytes, got a claim of 134"):
        read_keypoints(tmp_path / "bomb.npz")


def test_an_impossible_shape_is_refused(tmp_path) -> None:
    for shape in [(2**62, 17, 2), (-1, 17, 2)]:
        save_raw(tmp_path / "claim.npz", {"keypoints.npy": header(shape)})
        with pytest.raises(FormatError):
            read_keypoints(tmp_path / "claim.npz")


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip" * 100, b"\x93NUMPY\x01\x00" * 9])
def test_a_file_that_is_no_archive_says_so(tmp_path, content) -> None:
    (tmp_path / "clip.npz").write_bytes(content)
    with pytest.raises(FormatError, match=r"expected a whole \.npz archive"):
        read_keypoints(tmp_path / "clip.npz")


def test_text_outside_unicode_is_refused(tmp_path, good) -> None:
    stream = io.BytesIO()
    np.save(stream, np.array("coco17"))
    np.savez(tmp_path / "clip.npz", keypoints=good["keypoints"])
    with zipfile.ZipFile(tmp_path / "clip.npz", "a") as archive:
        archive.writestr("skeleton.npy", stream.getvalue()[:-4] + b"\xff\xff\xff\xff")
    with pytest.raises(FormatError, match="not text"):
        read_keypoints(tmp_path / "clip.npz")


def test_writing_to_another_suffix_is_refused(tmp_path, make_keypoints) -> None:
    with pytest.raises(InputError, match=r"ends in \.npz"):
        write_keypoints(tmp_path / "clip.json", make_keypoints())
