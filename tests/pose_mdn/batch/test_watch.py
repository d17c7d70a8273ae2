"""Files are lifted as they arrive, once, and not before they are whole."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.batch.arrivals import Arrivals
from pose_mdn.batch.engines.local import LocalEngine
from pose_mdn.batch.events import Done, Event, Failed, Finished
from pose_mdn.batch.job import plan_jobs
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.batch.watch import Watch, plan_watched, refuse_results_among_sources
from pose_mdn.errors import InputError
from pose_mdn.formats import read_hypotheses


def people(count: int, seed: int = 0) -> bytes:
    """A COCO results file of that many pictures."""
    points = np.random.default_rng(seed).uniform(100, 900, (count, 17, 2))
    entries = [
        {
            "image_id": number,
            "category_id": 1,
            "score": 1.0,
            "keypoints": np.insert(pose, 2, 0.9, axis=1).ravel().tolist(),
        }
        for number, pose in enumerate(points)
    ]
    return json.dumps(entries).encode()


@pytest.fixture
def watching(tmp_path: Path, tiny_bundle: Path) -> Callable[..., object]:
    """Begins to watch `tmp_path / "in"`; gives what has happened so far, and a way to wait for more."""
    (tmp_path / "in").mkdir()

    @contextmanager
    def begin(**timing: float) -> Iterator[tuple[list[Event], Callable[[int], None]]]:
        seen: list[Event] = []
        watch = Watch(
            plan=lambda: plan_jobs([str(tmp_path / "in")], tmp_path / "out"),
            settings=LiftSettings(model=str(tiny_bundle)),
            open_engine=LocalEngine,
            out=tmp_path / "out",
            arrivals=Arrivals(**{"settle_s": 0.2, "patience_s": 3.0, **timing}),
            interval_s=0.02,
        )
        thread = threading.Thread(target=lambda: seen.extend(watch.events()))
        thread.start()

        def wait_for(count: int, patience_s: float = 30.0) -> None:
            give_up_s = time.monotonic() + patience_s
            while len(ended(seen)) < count:
                assert time.monotonic() < give_up_s, seen
                time.sleep(0.01)

        try:
            yield seen, wait_for
        finally:
            watch.stop()
            thread.join(timeout=30)
            assert not thread.is_alive()

    return begin


def ended(events: list[Event]) -> list[Event]:
    return [event for event in list(events) if isinstance(event, Done | Failed)]


def test_a_file_written_in_two_halves_is_lifted_when_it_is_whole(tmp_path: Path, watching) -> None:
    whole = people(5)
    with watching() as (seen, wait_for):
        (tmp_path / "in" / "before.json").write_bytes(people(2, seed=1))
        wait_for(1)
        late = tmp_path / "in" / "late.json"
        late.write_bytes(whole[: len(whole) // 2])
        time.sleep(0.8)
        assert len(ended(seen)) == 1
        late.write_bytes(whole)
        wait_for(2)
    assert all(isinstance(event, Done) for event in ended(seen))
    assert len(read_hypotheses(tmp_path / "out" / "late.npz")) == 5


def test_a_damaged_file_is_reported_once_and_spoils_nothing(tmp_path: Path, watching) -> None:
    (tmp_path / "in" / "bad.json").write_bytes(people(3)[:-40])
    (tmp_path / "in" / "good.json").write_bytes(people(3))
    with watching(patience_s=0.8) as (seen, wait_for):
        wait_for(2)
        time.sleep(0.5)
    done = [event for event in ended(seen) if isinstance(event, Done)]
    failed = [event for event in ended(seen) if isinstance(event, Failed)]
    assert [Path(event.result.job.source).name for event in done] == ["good.json"]
    assert [Path(event.job.source).name for event in failed] == ["bad.json"]
    assert "bad.json" in failed[0].error
    assert sum(len(event.failed) for event in seen if isinstance(event, Finished)) == 1


def test_a_watch_begun_anew_does_nothing_twice_and_a_new_version_again(tmp_path: Path, watching) -> None:
    clip = tmp_path / "in" / "clip.json"
    clip.write_bytes(people(3))
    with watching() as (_, wait_for):
        wait_for(1)
    with watching() as (seen, wait_for):
        time.sleep(0.6)
        assert ended(seen) == []
        clip.write_bytes(people(7))
        wait_for(1)
    assert len(read_hypotheses(tmp_path / "out" / "clip.npz")) == 7


def test_results_must_not_lie_among_the_sources(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    refuse_results_among_sources([tmp_path / "in"], tmp_path / "out")
    for out in (tmp_path / "in", tmp_path / "in" / "deep" / "out", tmp_path / "out" / ".." / "in"):
        with pytest.raises(InputError, match="expected a folder outside of"):
            refuse_results_among_sources([tmp_path / "in"], out)


def test_the_name_of_a_result_does_not_depend_on_what_else_is_there(tmp_path: Path) -> None:
    deep = tmp_path / "in" / "monday" / "clip.json"
    deep.parent.mkdir(parents=True)
    deep.write_bytes(people(1))
    alone = plan_jobs([f"{tmp_path / 'in'}/"], tmp_path / "out")
    (tmp_path / "in" / "other.json").write_bytes(people(1))
    together = plan_jobs([str(tmp_path / "in")], tmp_path / "out")
    assert [Path(job.target).relative_to(tmp_path).as_posix() for job in alone] == ["out/monday/clip.npz"]
    assert set(alone) < set(together)


def test_an_empty_folder_is_no_input(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "later").mkdir(parents=True)
    plan = lambda: plan_jobs([str(folder)], tmp_path / "out")  # noqa: E731
    assert plan_watched([folder], plan) == []
    (folder / "later" / "clip.json").write_bytes(people(1))
    assert [job.source for job in plan_watched([folder], plan)] == [str(folder / "later" / "clip.json")]
