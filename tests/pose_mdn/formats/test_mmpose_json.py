"""MMPose's files; those in `keypoints/` were written by its own code (with mmengine 0.10 and json_tricks)."""

import json
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats import read_keypoints
from pose_mdn.formats.keypoints.registry import detect_format
from pose_mdn.skeletons import COCO17, HALPE26

MADE = Path(__file__).parent / "keypoints"


def instance(joints: np.ndarray, **more: object) -> dict:
    x1, y1, x2, y2 = 1.0, 2.0, 3.0, 4.0
    return {
        "keypoints": joints[:, :2].tolist(),
        "keypoint_scores": joints[:, 2].tolist(),
        "bbox": [[x1, y1, x2, y2]],
        "bbox_score": 0.9,
    } | more


def test_an_inferencers_picture() -> None:
    path = MADE / "mmpose_inferencer_image_000007.json"
    sequence = read_keypoints(path)
    instances = json.loads(path.read_text())
    assert detect_format(path).format.name == "mmpose_json"
    assert (sequence.skeleton, sequence.layout_confidence) == (HALPE26, 0.95)
    assert sequence.frame.tolist() == [7, 7]
    assert sequence.person.tolist() == [0, 1]
    assert not sequence.tracked
    np.testing.assert_allclose(sequence.keypoints_px, [each["keypoints"] for each in instances], rtol=1e-6)
    np.testing.assert_allclose(sequence.confidence, [each["keypoint_scores"] for each in instances], rtol=1e-6)


def test_an_inferencers_film_with_a_frame_of_nobody() -> None:
    path = MADE / "mmpose_inferencer_video.json"
    sequence = read_keypoints(path, fps=25.0)
    assert sequence.skeleton is COCO17
    assert sequence.frame.tolist() == [0, 1, 2, 2]
    assert sequence.person.tolist() == [0, -1, 0, 1]
    assert sequence.fps == 25.0
    first = json.loads(path.read_text())[0]["instances"][0]
    np.testing.assert_allclose(sequence.keypoints_px[0], first["keypoints"], rtol=1e-6)


def test_a_demos_film_names_its_joints() -> None:
    path = MADE / "mmpose_demo_video.json"
    sequence = read_keypoints(path)
    assert (sequence.skeleton, sequence.layout_confidence) == (COCO17, 1.0)
    assert "17 of 133 joints are used" in sequence.layout_source
    assert sequence.frame.tolist() == [1]
    body = json.loads(path.read_text())["instance_info"][0]["instances"][0]["keypoints"][:17]
    np.testing.assert_allclose(sequence.keypoints_px[0], body, rtol=1e-6)


def test_a_demos_picture_lists_instances(tmp_path, people) -> None:
    crowd = people(COCO17, seed=0, count=2)
    (tmp_path / "a.json").write_text(json.dumps({"meta_info": {}, "instance_info": list(map(instance, crowd))}))
    sequence = read_keypoints(tmp_path / "a.json")
    assert sequence.frame.tolist() == [0, 0]
    np.testing.assert_allclose(sequence.keypoints_px, crowd[..., :2], rtol=1e-6)


def test_names_put_joints_into_their_places(tmp_path, people) -> None:
    crowd = people(COCO17, seed=0, count=1)
    order = np.random.default_rng(0).permutation(17)
    names = {str(i): COCO17.joint_names[place].replace("l_", "left_") for i, place in enumerate(order)}
    document = {"meta_info": {"keypoint_id2name": names}, "instance_info": [instance(crowd[0, order])]}
    (tmp_path / "a.json").write_text(json.dumps(document))
    np.testing.assert_allclose(read_keypoints(tmp_path / "a.json").keypoints_px[0], crowd[0, :, :2], rtol=1e-6)


def test_a_folder_of_pictures_is_one_recording(tmp_path, people) -> None:
    crowd = people(COCO17, seed=0, count=3)
    for name, members in {"img_2": crowd[:2], "img_10": crowd[2:], "img_3": []}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(list(map(instance, members))))
    assert detect_format(tmp_path).format.name == "mmpose_json"
    sequence = read_keypoints(tmp_path)
    assert sequence.frame.tolist() == [2, 2, 3, 10]
    assert sequence.person.tolist() == [0, 1, -1, 0]
    (tmp_path / "img_3.json").write_text(json.dumps([instance(crowd[0]) | {"keypoint_scores": [1.0]}]))
    with pytest.raises(FormatError, match=r"img_3\.json: expected 17 "):
        read_keypoints(tmp_path)


def test_tracks_are_kept(tmp_path, people) -> None:
    crowd = people(COCO17, seed=0, count=2)
    frames = [{"frame_id": 5, "instances": [instance(crowd[0], track_id=9), instance(crowd[1], track_id=3)]}]
    (tmp_path / "a.json").write_text(json.dumps(frames))
    sequence = read_keypoints(tmp_path / "a.json")
    assert sequence.person.tolist() == [3, 9]
    assert sequence.tracked


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([{"keypoints": [[1.0, 2.0, 3.0]] * 17, "keypoint_scores": [1.0] * 17}], "write 2D keypoints"),
        ([{"keypoints": [[1.0, 2.0]] * 17, "keypoint_scores": [1.0] * 16}], "17 scores, one per joint, got 16"),
        ([{"keypoints": [[1.0, 2.0]] * 17, "keypoint_scores": ["high"] * 17}], "17 scores per person"),
        ([{"frame_id": 1, "instances": 3}], "a list of instances in frame 1, got 3"),
        ([{"frame_id": "one", "instances": []}], "a whole number 'frame_id'"),
        ([{"frame_id": 1, "instances": []}, {"keypoints": []}], "a list of frames throughout"),
        ({"meta_info": {}}, "an object with a list 'instance_info'"),
    ],
)
def test_mistakes_name_the_file(tmp_path, document, message) -> None:
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(FormatError, match=message) as caught:
        read_keypoints(tmp_path / "a.json")
    assert str(caught.value).startswith(f"{tmp_path / 'a.json'}: expected ")
