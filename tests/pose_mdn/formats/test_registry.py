"""Finding out what a path holds."""

from dataclasses import replace

import pytest

from pose_mdn.errors import FormatError, InputError
from pose_mdn.formats import keypoint_formats, read_keypoints
from pose_mdn.formats.keypoints import registry
from pose_mdn.formats.keypoints.registry import detect_format, is_recording, keypoint_suffixes


def test_every_documented_format_is_found() -> None:
    assert set(keypoint_formats()) >= {
        *("npz", "openpose_json", "coco_json", "coco_gt_json", "alphapose_json", "mmpose_json", "ultralytics_json"),
    }
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
    with pytest.raises(FormatError, match=r"coco_json, .*npz, .*openpose_json") as caught:
        read_keypoints(tmp_path / "movie.mp4")
    assert "\n" not in str(caught.value)


def test_a_misspelt_format_suggests_the_nearest(tmp_path) -> None:
    with pytest.raises(InputError, match="did you mean 'openpose_json'"):
        read_keypoints(tmp_path, format="openpose")


BEGINNINGS = {
    "openpose_json": '{"version":1.3,"people":[]}',
    "coco_json": '[{"image_id": 1, "keypoints": []}]',
    "coco_gt_json": '{"info": {}, "images": [{"file_name": "a.jpg"}], "annotations": []}',
    "alphapose_json": '[{"image_id": "1.jpg", "keypoints": [], "box": []}]',
    "mmpose_json": '[{"keypoints": [[1, 2]], "keypoint_scores": [1]}]',
    "ultralytics_json": '[{"name": "person", "keypoints": {"x": [], "y": []}}]',
}


@pytest.mark.parametrize("ending", [".json", ".txt", ""])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(("name", "text"), BEGINNINGS.items(), ids=BEGINNINGS)
def test_each_is_recognised_by_its_content_whatever_its_name(tmp_path, name, text, encoding, ending) -> None:
    (tmp_path / f"file{ending}").write_text(text, encoding=encoding)
    detected = detect_format(tmp_path / f"file{ending}")
    assert detected.format.name == name
    assert 0.5 < detected.recognition.confidence <= 1
    assert detected.recognition.reason in detected.statement


def test_rivals_are_named(tmp_path) -> None:
    (tmp_path / "a.json").write_text('[{"image_id": "1.jpg", "keypoints": [1]}]')
    detected = detect_format(tmp_path / "a.json")
    assert detected.format.name == "alphapose_json"
    assert [entry.name for entry, _ in detected.rivals] == ["coco_json"]
    assert "it could also be coco_json" in detected.statement
    with pytest.raises(FormatError, match="could also be coco_json: format="):
        read_keypoints(tmp_path / "a.json")


def test_formats_that_are_equally_sure_are_both_named(tmp_path, monkeypatch) -> None:
    twin = replace(keypoint_formats()["openpose_json"], name="twin")
    monkeypatch.setattr(registry, "keypoint_formats", lambda: {**keypoint_formats(), "twin": twin})
    (tmp_path / "a.json").write_text('{"people": []}')
    with pytest.raises(FormatError, match=r"as much like openpose_json as like twin; say which with format="):
        detect_format(tmp_path / "a.json")


def test_a_folder_of_frames_is_a_recording_and_one_of_recordings_is_not(tmp_path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.json").write_text('{"people": []}')
    (tmp_path / "settings.json").write_text('{"net_resolution": "-1x368"}')
    assert is_recording(tmp_path)
    results = tmp_path / "results"
    results.mkdir()
    assert not is_recording(results)
    for number in range(3):
        (results / f"{number}.json").write_text(BEGINNINGS["alphapose_json"])
    assert not is_recording(results)
    with pytest.raises(FormatError, match=r"not frames of one recording; pass the files one by one"):
        read_keypoints(results)
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for number, text in enumerate(BEGINNINGS.values()):
        (mixed / f"{number}.json").write_text(text)
    assert not is_recording(mixed)
    assert not is_recording(mixed / "0.json")


def test_endings_worth_a_look() -> None:
    assert {".json", ".npz"} <= set(keypoint_suffixes())
