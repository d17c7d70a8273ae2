import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pose_mdn.batch.job import Job, plan_jobs, stamp
from pose_mdn.errors import InputError

WriteClip = Callable[..., Path]


def relative(jobs: list[Job], out: Path) -> list[str]:
    return [Path(job.target).relative_to(out).as_posix() for job in jobs]


def test_a_folder_is_searched_by_the_endings_of_the_formats(tmp_path: Path, write_clip: WriteClip) -> None:
    for name in ("b.npz", "a.npz", "deep/er/c.npz", ".hidden.npz", ".cache/d.npz"):
        write_clip(tmp_path / "in" / name)
    (tmp_path / "in" / "deep" / "notes.md").write_text("keypoints")
    jobs = plan_jobs([str(tmp_path / "in")], tmp_path / "out")
    assert relative(jobs, tmp_path / "out") == ["a.npz", "b.npz", "deep/er/c.npz"]
    assert [job.source for job in jobs] == [str(tmp_path / "in" / name) for name in ("a.npz", "b.npz", "deep/er/c.npz")]


def test_endings_may_be_in_capitals(tmp_path: Path, write_clip: WriteClip) -> None:
    write_clip(tmp_path / "in" / "a.npz").rename(tmp_path / "in" / "A.NPZ")
    assert relative(plan_jobs([str(tmp_path / "in")], tmp_path / "out"), tmp_path / "out") == ["A.npz"]


def test_a_folder_of_frames_is_one_recording(tmp_path: Path) -> None:
    for recording in ("monday/cam1", "monday/cam2"):
        folder = tmp_path / "in" / recording
        folder.mkdir(parents=True)
        for frame in range(3):
            (folder / f"{frame:012d}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": []}))
    jobs = plan_jobs([str(tmp_path / "in")], tmp_path / "out")
    assert [job.source for job in jobs] == [str(tmp_path / "in" / "monday" / name) for name in ("cam1", "cam2")]
    assert relative(jobs, tmp_path / "out") == ["monday/cam1.npz", "monday/cam2.npz"]


def test_a_result_is_named_after_all_of_its_source_but_the_ending(tmp_path: Path, write_clip: WriteClip) -> None:
    sources = [write_clip(tmp_path / "in" / name) for name in ("walk.v1.npz", "walk.v2.npz")]
    jobs = plan_jobs([str(source) for source in sources], tmp_path / "out", suffix=".parquet")
    assert relative(jobs, tmp_path / "out") == ["walk.v1.parquet", "walk.v2.parquet"]


def test_an_input_named_twice_is_done_once(tmp_path: Path, write_clip: WriteClip) -> None:
    source = str(write_clip(tmp_path / "in" / "a.npz"))
    assert len(plan_jobs([source, source, str(tmp_path / "in" / "*.npz")], tmp_path / "out")) == 1


def test_two_sources_of_one_name_are_refused(tmp_path: Path, write_clip: WriteClip) -> None:
    write_clip(tmp_path / "in" / "a.npz")
    (tmp_path / "in" / "a.json").write_text("[]")
    with pytest.raises(InputError, match="would both be written"):
        plan_jobs([str(tmp_path / "in")], tmp_path / "out")


def test_a_job_is_the_same_after_json(tmp_path: Path) -> None:
    for job in (Job(source="a", target="b"), Job(source="a", target="b", clip="S1", rows=(512, 1024))):
        assert Job.from_document(json.loads(json.dumps(job.to_document()))) == job


def test_a_stamp_changes_with_the_source(tmp_path: Path, write_clip: WriteClip) -> None:
    source = write_clip(tmp_path / "a.npz")
    before = stamp(str(source))
    assert before == stamp(str(source)) != ""
    os.utime(source, ns=(0, 10**18))
    assert stamp(str(source)) != before
    assert stamp(str(tmp_path / "absent")) == stamp("-") == ""


def test_a_stamp_of_a_folder_changes_with_each_frame(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    seen = set()
    for change in (
        lambda: (folder / "0.json").write_text("{}"),
        lambda: (folder / "1.json").write_text("{}"),
        lambda: (folder / "0.json").write_text("{ }"),
        lambda: os.utime(folder / "1.json", ns=(0, 2 * 10**18)),
        (folder / "0.json").unlink,
    ):
        change()
        seen.add(stamp(str(folder)))
    assert len(seen) == 5
