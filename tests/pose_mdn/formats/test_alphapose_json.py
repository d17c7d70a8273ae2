"""AlphaPose's files, in all the forms that it and its trackers write."""

import json

import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats import read_keypoints
from pose_mdn.formats.keypoints.registry import detect_format
from pose_mdn.skeletons import COCO17, HALPE26, Skeleton


def person(image: str, joints: np.ndarray, **more: object) -> dict:
    """As `alphapose/utils/pPose_nms.py:write_json` writes it."""
    flat = joints.ravel().tolist()
    return {"image_id": image, "category_id": 1, "keypoints": flat, "score": 2.9, "box": [1.0, 2.0, 30.0, 40.0]} | more


def openpose_order(joints: np.ndarray) -> list[float]:
    """The 18 joints that AlphaPose makes of 17 for its formats "cmu" and "open"; the neck is between the shoulders."""
    with_neck = np.concatenate([joints, joints[5:7].mean(axis=0, keepdims=True)])
    return with_neck[[0, 17, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]].ravel().tolist()


def test_a_tracked_list(tmp_path, people) -> None:
    crowd = people(COCO17, seed=0, count=3)
    entries = [
        person("10.jpg", crowd[0], idx=4),
        person("9.jpg", crowd[1], idx=4),
        person("9.jpg", crowd[2], idx=[2.0]),
    ]
    (tmp_path / "alphapose-results.json").write_text(json.dumps(entries))
    sequence = read_keypoints(tmp_path / "alphapose-results.json")
    assert detect_format(tmp_path / "alphapose-results.json").format.name == "alphapose_json"
    assert sequence.frame.tolist() == [9, 9, 10]
    assert sequence.person.tolist() == [2, 4, 4]
    assert sequence.tracked
    np.testing.assert_allclose(sequence.keypoints_px, crowd[[2, 1, 0], :, :2], rtol=1e-6)


@pytest.mark.parametrize(("count", "skeleton"), [(17, COCO17), (26, HALPE26), (133, COCO17), (136, HALPE26)])
def test_each_size_gives_its_body(tmp_path, people, count, skeleton: Skeleton) -> None:
    crowd = people(skeleton, seed=0, count=2)
    rest = np.full((2, count - skeleton.num_joints, 3), 7.0)
    entries = [person("0.jpg", joints) for joints in np.concatenate([crowd, rest], axis=1)]
    (tmp_path / "a.json").write_text(json.dumps(entries))
    sequence = read_keypoints(tmp_path / "a.json")
    assert sequence.skeleton is skeleton
    assert 0.9 < sequence.layout_confidence < 1
    assert str(count) in sequence.layout_source
    np.testing.assert_allclose(sequence.keypoints_px, crowd[..., :2], rtol=1e-6)
    assert read_keypoints(tmp_path / "a.json", skeleton=skeleton).layout_confidence == 1


def test_old_scores_reach_six(tmp_path, people) -> None:
    crowd = people(COCO17, seed=0)
    crowd[..., 2] = np.linspace(0.1, 6, 17)
    (tmp_path / "a.json").write_text(json.dumps([person("0.jpg", crowd[0])]))
    np.testing.assert_allclose(read_keypoints(tmp_path / "a.json").confidence[0], crowd[0, :, 2].clip(0, 1), rtol=1e-6)


@pytest.mark.parametrize(("group", "key"), [("people", "pose_keypoints_2d"), ("bodies", "joints")])
def test_the_formats_open_and_cmu(tmp_path, people, group, key) -> None:
    crowd = people(COCO17, seed=0, count=3)
    flat = [{key: openpose_order(joints)} for joints in crowd]
    document = {
        "4.jpg": {"version": "AlphaPose v0.3", group: flat[:2]},
        "5.jpg": {"version": "AlphaPose v0.3", group: []},
        "2.jpg": {"version": "AlphaPose v0.3", group: flat[2:]},
    }
    (tmp_path / "a.json").write_text(json.dumps(document))
    assert detect_format(tmp_path / "a.json").format.name == "alphapose_json"
    sequence = read_keypoints(tmp_path / "a.json")
    assert sequence.frame.tolist() == [2, 4, 4, 5]
    assert sequence.person.tolist() == [0, 0, 1, -1]
    # The neck, which AlphaPose puts between the shoulders, is left out.
    assert sequence.skeleton is COCO17
    np.testing.assert_allclose(sequence.keypoints_px[:3], crowd[[2, 0, 1], :, :2], rtol=1e-6)
    # One picture by itself is a frame as OpenPose writes it.
    (tmp_path / "sep-json").mkdir()
    for image, entry in document.items():
        (tmp_path / "sep-json" / image.replace("jpg", "json")).write_text(json.dumps(entry))
    frames = read_keypoints(tmp_path / "sep-json")
    np.testing.assert_array_equal(frames.keypoints_px, sequence.keypoints_px)


def test_lists_by_picture_as_poseflow_tracks_them(tmp_path, people) -> None:
    crowd = people(COCO17, seed=0, count=2)
    document = {
        f"{i}.png": [{"keypoints": joints.ravel().tolist(), "scores": 2.5, "idx": 8}] for i, joints in enumerate(crowd)
    }
    (tmp_path / "a.json").write_text(json.dumps(document))
    sequence = read_keypoints(tmp_path / "a.json")
    assert sequence.frame.tolist() == [0, 1]
    assert sequence.person.tolist() == [8, 8]
    np.testing.assert_allclose(sequence.keypoints_px, crowd[..., :2], rtol=1e-6)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"1.jpg": 3}, "a list of people for picture '1.jpg', got 3"),
        ({"1.jpg": [{"box": []}]}, "'pose_keypoints_2d' for each person"),
        ({"1.jpg": [{"keypoints": [1, 2]}]}, "got 2 numbers"),
    ],
)
def test_mistakes_name_the_file(tmp_path, document, message) -> None:
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(FormatError, match=message) as caught:
        read_keypoints(tmp_path / "a.json", format="alphapose_json")
    assert str(caught.value).startswith(f"{tmp_path / 'a.json'}: expected ")
