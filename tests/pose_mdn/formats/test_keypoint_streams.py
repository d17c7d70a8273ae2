"""Long lists of people read piece by piece: the same rows as at once, in little memory."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats import keypoint_formats, read_keypoints
from pose_mdn.formats.keypoints import detections
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import BODY25B


@pytest.fixture
def results(tmp_path, people):
    crowd = people(BODY25B, seed=0, count=50, missing=0.2)
    random = np.random.default_rng(0)
    entries = [
        {"image_id": f"{random.integers(9)}.jpg", "keypoints": joints.ravel().tolist(), "idx": i}
        for i, joints in enumerate(crowd)
    ]
    entries[7]["keypoints"] = []
    path = tmp_path / "a.json"
    path.write_text(json.dumps(entries))
    return path


def joined(parts: list[KeypointSequence], name: str) -> np.ndarray:
    return np.concatenate([getattr(part, name) for part in parts])


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("flush", [1, 7, 4096])
def test_chunks_are_the_rows_in_order(results, monkeypatch, on_disk, flush) -> None:
    whole = read_keypoints(results)
    monkeypatch.setattr(detections, "FLUSH_PEOPLE", flush)
    monkeypatch.setattr(detections, "_IN_MEMORY_BYTES", 0 if on_disk else 1 << 30)
    stream = keypoint_formats()["alphapose_json"].stream(results, ReadOptions())
    assert stream.num_rows == len(whole) == 50
    for rows, start, stop in [(8, 0, None), (50, 0, None), (3, 10, 21), (64, 40, 90)]:
        parts = list(stream.chunks(rows, start=start, stop=stop))
        assert all(len(part) == rows for part in parts[:-1])
        assert all(part.skeleton is BODY25B and part.tracked for part in parts)
        for name in ("keypoints_px", "confidence", "frame", "person"):
            np.testing.assert_array_equal(joined(parts, name), getattr(whole, name)[start:stop])


def test_mmposes_films_are_streams_too(monkeypatch, assert_same) -> None:
    path = Path(__file__).parent / "keypoints" / "mmpose_inferencer_video.json"
    monkeypatch.setattr(detections, "_IN_MEMORY_BYTES", 0)
    (part,) = keypoint_formats()["mmpose_json"].stream(path, ReadOptions()).chunks(512)
    assert_same(part, read_keypoints(path))


def test_a_stream_refuses_what_reading_refuses(results) -> None:
    entries = json.loads(results.read_text())
    for entry in entries:
        entry["keypoints"][2::3] = [90.0] * (len(entry["keypoints"]) // 3)
    results.write_text(json.dumps(entries))
    for read in (keypoint_formats()["alphapose_json"].stream, keypoint_formats()["alphapose_json"].read):
        with pytest.raises(FormatError, match="confidences from 0 to 1"):
            read(results, ReadOptions())


MEASURE = """
import sys
from pathlib import Path
from pose_mdn.formats.keypoints.coco_json import FORMAT
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
peak = lambda: int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
before = peak()
rows = sum(len(part) for part in FORMAT.stream(Path(sys.argv[1]), ReadOptions()).chunks(512))
print(rows, peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="has no /proc")
def test_memory_stays_far_below_the_size_of_the_file(tmp_path) -> None:
    flat = ",".join(["123.456789012,234.567890123,0.901234567"] * 17)
    entry = '{"image_id":%d,"category_id":1,"keypoints":[' + flat + '],"score":0.9}'
    path = tmp_path / "a.json"
    path.write_text("[" + ",".join(entry % i for i in range(120_000)) + "]")
    assert path.stat().st_size > 80 << 20
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    rows, kilobytes = map(int, done.stdout.split())
    assert rows == 120_000
    # Parsed as a whole, it takes 300 MB and more; here the joints are on disk, and pictures' numbers are in memory.
    assert kilobytes < 100_000
