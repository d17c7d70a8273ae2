"""One job: read, lift, write, at once or piece by piece."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.batch import work as work_module
from pose_mdn.batch.job import Job
from pose_mdn.batch.parts import file_name, split_jobs
from pose_mdn.batch.result import JobResult
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.batch.work import JobWorker
from pose_mdn.errors import FormatError, InputError
from pose_mdn.formats import read_hypotheses, read_keypoints, write_keypoints
from pose_mdn.inference import load_lifter

WriteClip = Callable[..., Path]


@pytest.fixture
def settings(tiny_bundle: Path) -> LiftSettings:
    return LiftSettings(model=str(tiny_bundle))


def run(source: Path, target: Path, settings: LiftSettings, threads: int = 1, **job: object) -> JobResult:
    with JobWorker(settings, threads=threads) as worker:
        return worker.run(Job(source=str(source), target=str(target), **job))


def test_a_job_equals_what_the_library_gives(tmp_path: Path, write_clip: WriteClip, settings: LiftSettings) -> None:
    source = write_clip(tmp_path / "a.npz", 700)
    result = run(source, tmp_path / "out" / "a.npz", settings, threads=3)
    expected = load_lifter(settings.model, threads=1).lift(read_keypoints(source))
    found = read_hypotheses(tmp_path / "out" / "a.npz")
    np.testing.assert_array_equal(found.means_m, expected.means_m)
    assert (result.rows, result.status, result.model) == (700, {"lifted": 700}, "tiny/3")
    assert (result.recognised.format, result.recognised.skeleton) == ("npz", "coco17")
    assert JobResult.from_document(json.loads(json.dumps(result.to_document()))) == result


def test_rows_are_told_as_they_are_lifted(tmp_path: Path, write_clip: WriteClip, settings: LiftSettings) -> None:
    source = write_clip(tmp_path / "a.npz", 1100)
    told: list[tuple[int, int]] = []
    with JobWorker(settings, threads=2) as worker:
        worker.run(Job(source=str(source), target=str(tmp_path / "o.npz")), lambda *rows: told.append(rows))
    assert told == [(0, 1100), (512, 1100), (512, 1100), (76, 1100)]


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_a_job_that_is_ended_on_the_way_writes_nothing(
    tmp_path: Path, write_clip: WriteClip, settings: LiftSettings, suffix: str
) -> None:
    source = tmp_path / f"a{suffix}"
    write_keypoints(source, read_keypoints(write_clip(tmp_path / "clip.npz", 1100)))

    def on_rows(done: int, _total: int) -> None:
        if done:
            raise KeyboardInterrupt

    (tmp_path / "out").mkdir()
    chosen = replace(settings, outputs=(suffix[1:],))
    with JobWorker(chosen) as worker, pytest.raises(KeyboardInterrupt):
        worker.run(Job(source=str(source), target=str(tmp_path / "out" / f"a{suffix}")), on_rows)
    assert list((tmp_path / "out").iterdir()) == []


def test_piece_by_piece_gives_the_same_bytes_and_the_same_account(
    tmp_path: Path, write_clip: WriteClip, settings: LiftSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_keypoints(tmp_path / "a.parquet", read_keypoints(write_clip(tmp_path / "a.npz", 1300)))
    chosen = replace(settings, outputs=("parquet",))
    streamed = run(tmp_path / "a.parquet", tmp_path / "streamed" / "a.parquet", chosen, threads=2)
    part = run(tmp_path / "a.parquet", tmp_path / "streamed" / "b.parquet", chosen, rows=(512, 1100))
    monkeypatch.setattr(work_module.JobWorker, "_streamed", lambda *_: None)
    at_once = run(tmp_path / "a.parquet", tmp_path / "at_once" / "a.parquet", chosen)
    part_at_once = run(tmp_path / "a.parquet", tmp_path / "at_once" / "b.parquet", chosen, rows=(512, 1100))
    for name in ("a.parquet", "b.parquet"):
        assert (tmp_path / "streamed" / name).read_bytes() == (tmp_path / "at_once" / name).read_bytes()
    for one, other in ((streamed, at_once), (part, part_at_once)):
        same = {"job": other.job, "outputs": other.outputs, "seconds": other.seconds}
        assert replace(one, **same) == other
    assert part.rows == 588


def test_large_tables_are_cut_into_parts(tmp_path: Path, write_clip: WriteClip, settings: LiftSettings) -> None:
    sequence = read_keypoints(write_clip(tmp_path / "clip.npz", 1300))
    write_keypoints(tmp_path / "a.parquet", sequence)
    whole = Job(source=str(tmp_path / "a.parquet"), target=str(tmp_path / "out" / "a.parquet"))
    small = Job(source=str(tmp_path / "clip.npz"), target=str(tmp_path / "out" / "clip.parquet"))
    parts = split_jobs([whole, small], settings, rows_per_part=512)
    assert [job.rows for job in parts] == [(0, 512), (512, 1024), (1024, 1300), None]
    assert [Path(job.target).relative_to(tmp_path).as_posix() for job in parts[:3]] == [
        f"out/a/part-{number:05}.parquet" for number in range(3)
    ]
    assert split_jobs([whole], settings, rows_per_part=2048) == [whole]
    chosen = replace(settings, outputs=("parquet",))
    with JobWorker(chosen) as worker:
        found = [read_hypotheses(worker.run(job).job.target).means_m for job in parts[:3]]
    expected = load_lifter(settings.model, threads=1).lift(sequence).means_m
    np.testing.assert_array_equal(np.concatenate(found), expected)


def test_parts_begin_where_slices_do(settings: LiftSettings) -> None:
    with pytest.raises(InputError, match="multiple of 512"):
        split_jobs([], settings, rows_per_part=1000)


@pytest.mark.parametrize(
    ("clip", "name"),
    [("S1 Walking.cam1", "S1 Walking.cam1"), ("a/b\\c:d", "a_b_c_d"), ("../..", "_"), (" . ", "clip"), ("\n", "_")],
)
def test_names_of_recordings_are_names_of_files(clip: str, name: str) -> None:
    assert file_name(clip) == name


def test_a_mapping_is_recorded(tmp_path: Path, write_clip: WriteClip, settings: LiftSettings) -> None:
    run(write_clip(tmp_path / "a.npz"), tmp_path / "o.npz", replace(settings, mapping="mmpose"))
    assert read_hypotheses(tmp_path / "o.npz").mapping == "mmpose"


def test_what_cannot_be_read_is_said_in_one_line(tmp_path: Path, settings: LiftSettings) -> None:
    (tmp_path / "a.json").write_text("[{")
    with pytest.raises(FormatError, match=r"a\.json") as raised:
        run(tmp_path / "a.json", tmp_path / "o.npz", settings)
    assert "\n" not in str(raised.value)


def test_a_film_of_nobody_lacks_what_cannot_be_without_a_pose(
    tmp_path: Path, write_clip: WriteClip, settings: LiftSettings
) -> None:
    film = read_keypoints(write_clip(tmp_path / "a.npz", 5))
    nobody = replace(film, confidence=np.zeros_like(film.confidence))
    write_keypoints(tmp_path / "nobody.npz", nobody)
    both = replace(settings, outputs=("npz", "trc", "csv"))
    result = run(tmp_path / "nobody.npz", tmp_path / "out" / "nobody.npz", both)
    assert [Path(output.path).name for output in result.outputs] == ["nobody.npz", "nobody.csv"]
    assert result.status == {"no_person": 5}
    with pytest.raises(InputError, match="pose"):
        run(tmp_path / "nobody.npz", tmp_path / "out" / "nobody.trc", replace(settings, outputs=("trc", "npz")))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["nobody.csv", "nobody.npz"]
