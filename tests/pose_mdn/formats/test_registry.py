"""Finding out what a path holds."""

import pytest

from pose_mdn.errors import FormatError, InputError
from pose_mdn.formats import keypoint_formats, read_keypoints


def test_every_documented_format_is_found() -> None:
    assert set(keypoint_formats()) == {"npz", "parquet", "openpose_json", "coco_json"}
    assert all(name == entry.name and entry.description for name, entry in keypoint_formats().items())


def test_no_two_formats_claim_one_file(tmp_path) -> None:
    for name, content in {"a.npz": b"PK\x03\x04", "b.json": b'{"people": []}', "c.json": b'[{"image_id": 1}]'}.items():
        (tmp_path / name).write_bytes(content)
        assert sum(entry.recognise(tmp_path / name) is not None for entry in keypoint_formats().values()) == 1
    assert not any(entry.recognise(tmp_path / "absent.npz") for entry in keypoint_formats().values())


def test_a_path_that_does_not_exist_says_so(tmp_path) -> None:
    for format_name in (None, *keypoint_formats()):
        with pytest.raises(FormatError, match="no such file"):
            read_keypoints(tmp_path / "absent.npz", format=format_name)


def test_a_path_with_a_null_byte_is_refused() -> None:
    with pytest.raises(FormatError, match="null"):
        read_keypoints("clip\0.npz")


def test_an_unknown_file_lists_what_can_be_read(tmp_path) -> None:
    (tmp_path / "movie.mp4").write_bytes(b"\0\0\0\x18ftyp")
    with pytest.raises(FormatError, match=r"npz .*openpose_json") as caught:
        read_keypoints(tmp_path / "movie.mp4")
    assert "\n" not in str(caught.value)


def test_a_misspelt_format_suggests_the_nearest(tmp_path) -> None:
    with pytest.raises(InputError, match="did you mean 'openpose_json'"):
        read_keypoints(tmp_path, format="openpose")
