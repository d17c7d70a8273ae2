"""COCO results JSON."""

import json

import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats import read_keypoints
from pose_mdn.skeletons import COCO17, SKELETONS


def write_results(path, images, joints, **extra) -> None:
    entries = [
        {"image_id": image, "category_id": 1, "keypoints": person.ravel().tolist(), "score": 0.9}
        | {key: values[i] for key, values in extra.items()}
        for i, (image, person) in enumerate(zip(images, joints, strict=True))
    ]
    path.write_text(json.dumps(entries))


@pytest.mark.parametrize(
    ("images", "frames"),
    [
        ([7, 7, 3], [3, 7, 7]),
        (["7.jpg", "7.jpg", "3.jpg"], [3, 7, 7]),
        (["b/img_0007.png", "b/img_0007.png", "a/img_0003.png"], [3, 7, 7]),
        (["left.jpg", "left.jpg", "right.jpg"], [0, 0, 1]),
        (["cam1_5.jpg", "cam1_5.jpg", "cam2_5.jpg"], [0, 0, 1]),
        ([7.0, 7.0, 3.0], [3, 7, 7]),
    ],
)
def test_frames_follow_from_image_ids(tmp_path, people, images, frames) -> None:
    crowd = people(COCO17, seed=0, count=3)
    write_results(tmp_path / "results.json", images, crowd)
    sequence = read_keypoints(tmp_path / "results.json")
    assert sequence.skeleton is COCO17
    assert sequence.frame.tolist() == frames
    assert sorted(zip(sequence.frame.tolist(), sequence.person.tolist(), strict=True)) == list(
        zip(sequence.frame.tolist(), sequence.person.tolist(), strict=True)
    )
    order = [2, 0, 1] if frames[0] == 3 else [0, 1, 2]
    np.testing.assert_allclose(sequence.keypoints_px, crowd[order, :, :2], rtol=1e-6)


@pytest.mark.parametrize("name", ["coco17", "body25", "body25b", "halpe26", "blazepose33", "mpii16"])
def test_layout_follows_from_the_joints(tmp_path, people, name) -> None:
    write_results(tmp_path / "results.json", [1], people(SKELETONS[name], seed=0))
    assert read_keypoints(tmp_path / "results.json").skeleton.name == name


@pytest.mark.parametrize(
    ("tracks", "expected"), [([[4.0], [2]], [2, 4]), ([5, 1], [1, 5]), ([[0.0], [0.0]], [0, 1]), ([None, -1], [0, 1])]
)
def test_tracks_become_identities(tmp_path, people, tracks, expected) -> None:
    write_results(tmp_path / "results.json", ["1.jpg", "1.jpg"], people(COCO17, seed=0, count=2), idx=tracks)
    sequence = read_keypoints(tmp_path / "results.json")
    assert sequence.person.tolist() == expected
    assert sequence.tracked == (expected != [0, 1])


def test_old_scores_above_one_are_clipped(tmp_path, people) -> None:
    crowd = people(COCO17, seed=0)
    crowd[..., 2] *= 6
    write_results(tmp_path / "results.json", [1], crowd)
    confidence = read_keypoints(tmp_path / "results.json").confidence
    np.testing.assert_allclose(confidence, crowd[..., 2].clip(0, 1), rtol=1e-6)
    assert confidence.max() == 1


def test_percentages_are_refused(tmp_path, people) -> None:
    crowd = people(COCO17, seed=0)
    crowd[..., 2] *= 100
    write_results(tmp_path / "results.json", [1], crowd)
    with pytest.raises(FormatError, match=r"results\.json: expected confidences from 0 to 1.*by 100"):
        read_keypoints(tmp_path / "results.json")


def test_an_empty_list_is_nobody(tmp_path) -> None:
    (tmp_path / "results.json").write_text(" [ ]\n")
    sequence = read_keypoints(tmp_path / "results.json")
    assert len(sequence) == 0
    assert sequence.skeleton is COCO17


WRONG = {
    "an object": ('{"image_id": 1}', "expected one of: "),
    "other lists": ("[[1, 2, 3]]", "expected one of: "),
    "truncated": ('[{"image_id": 1, "keypo', "expected whole JSON"),
    "no keypoints": ('[{"image_id": 1}]', "a list 'keypoints'"),
    "no image": ('[{"image_id": null, "keypoints": []}]', "'image_id'"),
    "image number too long": ('[{"image_id": ' + "9" * 30 + ', "keypoints": []}]', "'image_id'"),
    "five numbers": ('[{"image_id": 1, "keypoints": [1,2,3,4,5]}]', "for each joint, got 5 numbers"),
    "two joints": ('[{"image_id": 1, "keypoints": [1,2,3,4,5,6]}]', "got 2; "),
}


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG)
def test_each_mistake_gives_one_line_that_names_the_file(tmp_path, content, message) -> None:
    path = tmp_path / "results.json"
    path.write_text(content)
    with pytest.raises(FormatError, match=message) as caught:
        read_keypoints(path)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert "\n" not in str(caught.value)
