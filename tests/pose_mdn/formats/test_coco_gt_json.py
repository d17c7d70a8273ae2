"""COCO ground truth."""

import json

import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats import read_keypoints
from pose_mdn.formats.keypoints.registry import detect_format
from pose_mdn.skeletons import COCO17, HALPE26

COCO_NAMES = [name.replace("l_", "left_", 1).replace("r_", "right_", 1) for name in COCO17.joint_names]


def truth(people: np.ndarray, *, names: list[str] | None = None, size=(640, 480)) -> dict:
    """Three pictures; two people in picture 7, nobody in 8, one in 3."""
    images = [{"id": i, "file_name": f"{i:012d}.jpg", "width": size[0], "height": size[1]} for i in (7, 8, 3)]
    annotations = [
        {
            "id": 10 + place,
            "image_id": image,
            "category_id": 1,
            "keypoints": person.ravel().tolist(),
            "num_keypoints": int((person[:, 2] > 0).sum()),
            "bbox": [0, 0, 10, 10],
            "area": 100.0,
            "iscrowd": 0,
        }
        for place, (image, person) in enumerate(zip((7, 7, 3), people, strict=True))
    ]
    category = {"id": 1, "name": "person", "supercategory": "person", "skeleton": []}
    categories = [category | ({"keypoints": names} if names else {})]
    return {"info": {}, "licenses": [], "images": images, "annotations": annotations, "categories": categories}


@pytest.fixture
def labelled(people) -> np.ndarray:
    """(3, 17, 3) with visibilities 0, 1 and 2."""
    crowd = people(COCO17, seed=0, count=3)
    crowd[..., 2] = np.arange(crowd[..., 2].size).reshape(crowd.shape[:2]) % 3
    crowd[crowd[..., 2] == 0] = 0
    return crowd


def test_pictures_become_frames_with_nobodys_kept(tmp_path, labelled) -> None:
    (tmp_path / "truth.json").write_text(json.dumps(truth(labelled, names=COCO_NAMES)))
    sequence = read_keypoints(tmp_path / "truth.json")
    assert detect_format(tmp_path / "truth.json").format.name == "coco_gt_json"
    assert sequence.frame.tolist() == [3, 7, 7, 8]
    assert sequence.person.tolist() == [0, 0, 1, -1]
    assert sequence.image_size == (640, 480)
    assert (sequence.skeleton, sequence.layout_confidence) == (COCO17, 1.0)
    np.testing.assert_array_equal(sequence.confidence[:3], labelled[[2, 0, 1], :, 2].clip(0, 1))
    seen = sequence.confidence > 0
    np.testing.assert_allclose(sequence.keypoints_px[seen], labelled[[2, 0, 1], :, :2][seen[:3]], rtol=1e-6)


def test_what_pycocotools_loads_and_writes_again_is_the_same(tmp_path, labelled, assert_same, capsys) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    path, results = tmp_path / "truth.json", tmp_path / "results.json"
    path.write_text(json.dumps(truth(labelled, names=COCO_NAMES)))
    library = coco.COCO(str(path))
    (tmp_path / "again.json").write_text(json.dumps(library.dataset))
    assert_same(read_keypoints(tmp_path / "again.json"), read_keypoints(path))
    # And results, as the evaluation takes them.
    people = [{key: a[key] for key in ("image_id", "category_id", "keypoints")} for a in library.dataset["annotations"]]
    results.write_text(json.dumps([person | {"score": 0.9} for person in people]))
    evaluated = library.loadRes(str(results))
    sequence = read_keypoints(results)
    assert detect_format(results).format.name == "coco_json"
    assert sequence.frame.tolist() == sorted(entry["image_id"] for entry in evaluated.dataset["annotations"])
    np.testing.assert_array_equal(sequence.keypoints_px, read_keypoints(path).keypoints_px[:3])


def test_pictures_of_different_sizes_have_none_in_common(tmp_path, labelled) -> None:
    document = truth(labelled, names=COCO_NAMES)
    document["images"][0]["width"] = 100
    (tmp_path / "truth.json").write_text(json.dumps(document))
    assert read_keypoints(tmp_path / "truth.json").image_size is None
    assert read_keypoints(tmp_path / "truth.json", image_size=(50, 60), fps=12.5).image_size == (50, 60)


def test_halpes_136_joints_give_its_body(tmp_path, people) -> None:
    crowd = people(HALPE26, seed=0, count=3)
    whole = np.concatenate([crowd, np.full((3, 110, 3), 5.0)], axis=1)
    (tmp_path / "halpe.json").write_text(json.dumps(truth(whole)))
    sequence = read_keypoints(tmp_path / "halpe.json")
    assert sequence.skeleton is HALPE26
    assert sequence.layout_confidence == 0.97
    assert "26 of 136 joints are used" in sequence.layout_source
    np.testing.assert_allclose(sequence.keypoints_px[:3], crowd[[2, 0, 1], :, :2], rtol=1e-6)


def test_objects_without_joints_are_passed_over(tmp_path, labelled) -> None:
    document = truth(labelled)
    document["annotations"].append({"id": 99, "image_id": 8, "category_id": 62, "bbox": [1, 2, 3, 4]})
    (tmp_path / "truth.json").write_text(json.dumps(document))
    assert len(read_keypoints(tmp_path / "truth.json")) == 4
    document["annotations"] = document["annotations"][-1:]
    (tmp_path / "truth.json").write_text(json.dumps(document))
    with pytest.raises(FormatError, match="annotations with 'keypoints', got none"):
        read_keypoints(tmp_path / "truth.json")


def test_names_of_another_number_of_joints_are_refused(tmp_path, labelled) -> None:
    (tmp_path / "truth.json").write_text(json.dumps(truth(labelled[:, :16], names=COCO_NAMES)))
    with pytest.raises(FormatError, match="expected 17 joints as the file names, got 16"):
        read_keypoints(tmp_path / "truth.json")


def test_names_that_are_no_body_ask_for_the_skeleton(tmp_path, labelled) -> None:
    paws = [f"paw-{place}" for place in range(17)]
    (tmp_path / "truth.json").write_text(json.dumps(truth(labelled, names=paws)))
    with pytest.raises(FormatError, match=r"names of a person's joints.*skeleton="):
        read_keypoints(tmp_path / "truth.json")
    assert read_keypoints(tmp_path / "truth.json", skeleton="coco17").skeleton is COCO17
