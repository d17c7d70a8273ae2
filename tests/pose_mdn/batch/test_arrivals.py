"""Half-written files are left alone; whole ones are handed out once."""

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.batch.arrivals import Arrivals, ends_properly
from pose_mdn.batch.job import Job


def job(path: Path) -> Job:
    return Job(source=str(path), target=f"{path}.out.npz")


def whole_files(folder: Path) -> list[Path]:
    (folder / "a.json").write_text(json.dumps([{"image_id": 1}]) + "\n")
    np.savez(folder / "b.npz", keypoints=np.zeros((2, 17, 2)))
    pq.write_table(pa.table({"x": [1.0]}), folder / "c.parquet")
    (folder / "d").mkdir()
    (folder / "d" / "000.json").write_text('{"people": []}')
    return sorted(folder.iterdir())


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_file_that_lacks_its_end_does_not_end_properly(tmp_path: Path, share: float) -> None:
    for path in whole_files(tmp_path):
        assert ends_properly(path)
        file = path / "000.json" if path.is_dir() else path
        content = file.read_bytes().rstrip()
        file.write_bytes(content[: int(share * len(content))])
        assert not ends_properly(path), path


def test_kinds_without_an_end_of_their_own_pass_and_what_is_gone_does_not(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("frame,x")
    assert ends_properly(tmp_path / "a.csv")
    assert not ends_properly(tmp_path / "gone.json")
    (tmp_path / "empty").mkdir()
    assert ends_properly(tmp_path / "empty")


def test_a_file_is_handed_out_once_when_it_has_settled(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[]")
    arrivals = Arrivals(settle_s=2.0)
    assert arrivals.look([job(path)], 0.0) == []
    assert arrivals.waiting == 1
    assert arrivals.look([job(path)], 1.9) == []
    assert arrivals.look([job(path)], 2.0) == [job(path)]
    assert arrivals.look([job(path)], 9.0) == []
    assert arrivals.waiting == 0


def test_a_file_that_still_grows_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    arrivals = Arrivals(settle_s=2.0)
    for second in range(10):
        path.write_text("x\n" * (second + 1))
        assert arrivals.look([job(path)], float(second)) == []
    assert arrivals.look([job(path)], 11.0) == [job(path)]


def test_a_changed_file_is_handed_out_again(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x")
    arrivals = Arrivals(settle_s=1.0)
    arrivals.look([job(path)], 0.0)
    assert arrivals.look([job(path)], 1.0) == [job(path)]
    path.write_text("other")
    assert arrivals.look([job(path)], 2.0) == []
    assert arrivals.look([job(path)], 3.0) == [job(path)]


def test_a_file_without_its_end_is_handed_out_at_last(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"image_id": 1')
    arrivals = Arrivals(settle_s=1.0, patience_s=30.0)
    arrivals.look([job(path)], 0.0)
    assert arrivals.look([job(path)], 29.0) == []
    assert arrivals.look([job(path)], 30.0) == [job(path)]


def test_a_frame_that_is_added_makes_a_recording_wait(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    (folder / "0.json").write_text('{"people": []}')
    arrivals = Arrivals(settle_s=1.0)
    arrivals.look([job(folder)], 0.0)
    (folder / "1.json").write_text('{"people": []}')
    os.utime(folder / "0.json", ns=(0, 0))
    assert arrivals.look([job(folder)], 1.0) == []
    assert arrivals.look([job(folder)], 2.0) == [job(folder)]


@given(looks=st.lists(st.tuples(st.floats(0.1, 3.0), st.sampled_from(["rest", "write", "remove"])), max_size=20))
def test_only_what_has_not_changed_for_long_enough_is_handed_out(tmp_path_factory, looks) -> None:
    path = tmp_path_factory.mktemp("arrivals") / "a.csv"
    arrivals, now_s, changed_s, writes, handed = Arrivals(settle_s=2.0), 0.0, None, 0, set()
    for wait_s, event in looks:
        now_s += wait_s
        if event == "write":
            writes += 1
            path.write_text("x" * writes)
            changed_s = now_s
        elif event == "remove":
            path.unlink(missing_ok=True)
            changed_s = None
        ready = arrivals.look([job(path)], now_s)
        if ready:
            assert changed_s is not None
            assert now_s - changed_s >= 2.0
            assert writes not in handed
            handed.add(writes)


def test_what_could_not_be_read_is_tried_again_until_it_was_waited_for_long_enough(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x")
    arrivals = Arrivals(settle_s=1.0, patience_s=5.0)
    arrivals.look([job(path)], 0.0)
    assert arrivals.look([job(path)], 1.0) == [job(path)]
    assert arrivals.wait_longer(job(path), 1.5)
    assert arrivals.look([job(path)], 2.0) == [job(path)]
    assert not arrivals.wait_longer(job(path), 5.0)
    assert arrivals.look([job(path)], 6.0) == []
