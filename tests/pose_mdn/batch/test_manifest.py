import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pose_mdn.batch.backend import ModelIdentity, identify_model
from pose_mdn.batch.events import Failed
from pose_mdn.batch.job import Job
from pose_mdn.batch.manifest import MANIFEST_FILE, Manifest
from pose_mdn.batch.result import JobResult
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.batch.work import JobWorker
from pose_mdn.errors import FormatError, InputError

WriteClip = Callable[..., Path]


@pytest.fixture
def settings(tiny_bundle: Path) -> LiftSettings:
    return LiftSettings(model=str(tiny_bundle))


@pytest.fixture
def result(tmp_path: Path, write_clip: WriteClip, settings: LiftSettings) -> JobResult:
    source = write_clip(tmp_path / "in" / "a.npz")
    with JobWorker(settings) as worker:
        return worker.run(Job(source=str(source), target=str(tmp_path / "out" / "deep" / "a.npz")))


def test_what_is_recorded_is_read_again(tmp_path: Path, result: JobResult, settings: LiftSettings) -> None:
    bad = Job(source="bad.npz", target=str(tmp_path / "out" / "bad.npz"), clip="S1", rows=(0, 512))
    with Manifest.open(tmp_path / "out") as manifest:
        manifest.begin(settings, identify_model(settings), resume=False)
        manifest.record_done(result)
        manifest.record_failed(Failed(job=bad, error="expected keypoints"))
    with Manifest.open(tmp_path / "out") as manifest:
        assert list(manifest.results()) == [result]
        assert list(manifest.failures()) == [Failed(job=bad, error="expected keypoints")]
        assert manifest.is_done(result.job)
        assert not manifest.is_done(bad)


def test_a_folder_that_was_moved_is_still_done(tmp_path: Path, result: JobResult) -> None:
    with Manifest.open(tmp_path / "out") as manifest:
        manifest.record_done(result)
    (tmp_path / "out").rename(tmp_path / "elsewhere")
    moved = replace(result.job, target=str(tmp_path / "elsewhere" / "deep" / "a.npz"))
    with Manifest.open(tmp_path / "elsewhere") as manifest:
        assert manifest.is_done(moved)
        assert [output.path for output in next(manifest.results()).outputs] == [moved.target]


def change_source(result: JobResult) -> None:
    os.utime(result.job.source, ns=(0, 10**18))


def remove_source(result: JobResult) -> None:
    os.unlink(result.job.source)


def remove_output(result: JobResult) -> None:
    os.unlink(result.outputs[0].path)


def cut_output(result: JobResult) -> None:
    os.truncate(result.outputs[0].path, 10)


@pytest.mark.parametrize("change", [change_source, remove_source, remove_output, cut_output])
def test_whatever_changed_is_done_again(tmp_path: Path, result: JobResult, change: Callable[[JobResult], None]) -> None:
    with Manifest.open(tmp_path / "out") as manifest:
        manifest.record_done(result)
        assert manifest.is_done(result.job)
        change(result)
        assert not manifest.is_done(result.job)


@pytest.mark.parametrize("change", [{"clip": "S1"}, {"rows": (0, 512)}, {"source": "other.npz"}])
def test_another_job_of_the_same_target_is_not_done(
    tmp_path: Path, result: JobResult, change: dict[str, object]
) -> None:
    with Manifest.open(tmp_path / "out") as manifest:
        manifest.record_done(result)
        assert not manifest.is_done(replace(result.job, **change))


def test_a_source_is_the_same_from_another_folder(
    tmp_path: Path, result: JobResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Manifest.open(tmp_path / "out") as manifest:
        manifest.record_done(result)
        monkeypatch.chdir(tmp_path / "in")
        assert manifest.is_done(replace(result.job, source="a.npz"))


def test_other_settings_are_named_and_refused(tmp_path: Path, settings: LiftSettings) -> None:
    model = identify_model(settings)
    with Manifest.open(tmp_path / "out") as manifest:
        manifest.begin(settings, model, resume=True)
        manifest.begin(settings, model, resume=True)
        with pytest.raises(InputError, match="seed was 0, is 3"):
            manifest.begin(replace(settings, seed=3), model, resume=True)
        with pytest.raises(InputError, match="model was tiny/3, is tiny/4"):
            manifest.begin(settings, replace(model, version="4"), resume=True)
        with pytest.raises(InputError, match="model tiny/3 has other contents"):
            manifest.begin(settings, replace(model, checksum="0"), resume=True)


def test_a_new_run_with_other_settings_forgets_the_old_results(
    tmp_path: Path, result: JobResult, settings: LiftSettings
) -> None:
    model = identify_model(settings)
    with Manifest.open(tmp_path / "out") as manifest:
        manifest.begin(settings, model, resume=False)
        manifest.record_done(result)
        manifest.begin(settings, model, resume=False)
        assert manifest.is_done(result.job)
        manifest.begin(replace(settings, seed=3), model, resume=False)
        assert not manifest.is_done(result.job)


def test_what_is_no_manifest_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "out" / ".pose-mdn"
    folder.mkdir(parents=True)
    (folder / MANIFEST_FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(FormatError, match="expected the manifest"):
        Manifest.open(tmp_path / "out")


def test_what_was_not_committed_is_lost_and_nothing_else(tmp_path: Path, result: JobResult) -> None:
    first = Manifest.open(tmp_path / "out")
    first.record_done(result)
    # As another process sees it, and as it is after the power was cut.
    with Manifest.open(tmp_path / "out") as second:
        assert list(second.results()) == []
        first.commit()
        assert list(second.results()) == [result]
    first.close()


def test_the_checksum_is_of_the_graph_not_of_the_card(
    tmp_path: Path, write_tiny_bundle: Callable[..., Path], reseal: Callable[[Path], Path]
) -> None:
    def identity(bundle: Path) -> ModelIdentity:
        return identify_model(LiftSettings(model=str(bundle)))

    bundle = write_tiny_bundle(tmp_path / "one")
    before = identity(bundle)
    (bundle / "README.md").write_text("# other words\n")
    assert identity(reseal(bundle)) == before
    assert identity(write_tiny_bundle(tmp_path / "two", ood_score=True)) != before
