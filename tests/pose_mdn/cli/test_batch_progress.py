import io

import pytest
from rich.console import Console

from pose_mdn.batch.events import Advanced, Event, Failed, Planned, Started
from pose_mdn.batch.job import Job
from pose_mdn.cli import batch_progress
from pose_mdn.cli.batch_progress import BatchProgress

JOBS = [Job(source=f"{name}.npz", target=name) for name in "abcd"]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_progress, "PATIENCE_S", -1.0)


def drawn(events: list[Event]) -> str:
    """The last picture that a terminal would show."""
    picture = Console(file=io.StringIO(), width=200)
    with BatchProgress(Console(file=io.StringIO(), force_terminal=True, width=200)) as progress:
        for event in events:
            progress.show(event)
        picture.print(progress._progress.get_renderable())
    assert isinstance(picture.file, io.StringIO)
    return picture.file.getvalue()


@pytest.mark.usefixtures("impatient")
def test_the_whole_and_the_files_under_way_are_shown() -> None:
    picture = drawn(
        [
            Planned(jobs=5, skipped=1, engine="local", model="m/1"),
            Started(job=JOBS[0], rows=1024),
            Started(job=JOBS[1], rows=2048),
            Advanced(job=JOBS[0], rows=512),
            Advanced(job=JOBS[1], rows=512),
            Failed(job=JOBS[2], error="unreadable"),
        ]
    )
    assert "1/4 files" in picture
    assert "a.npz" in picture
    assert "512/1024 rows" in picture
    assert "512/2048 rows" in picture
    assert "c.npz" not in picture


@pytest.mark.usefixtures("impatient")
def test_a_file_that_is_begun_again_is_counted_from_the_start() -> None:
    events: list[Event] = [Planned(jobs=2, skipped=0, engine="local", model="m/1")]
    for _ in range(2):
        events += [Started(job=JOBS[0], rows=1024), Advanced(job=JOBS[0], rows=512)]
    assert "512/1024 rows" in drawn(events)


@pytest.mark.usefixtures("impatient")
def test_a_file_that_is_over_is_not_shown() -> None:
    events: list[Event] = [
        Planned(jobs=2, skipped=0, engine="local", model="m/1"),
        Started(job=JOBS[0], rows=1024),
        Advanced(job=JOBS[0], rows=512),
        Failed(job=JOBS[0], error="damaged"),
    ]
    picture = drawn(events)
    assert "a.npz" not in picture
    assert "1/2 files" in picture


def test_what_is_over_at_once_needs_no_bar() -> None:
    console = Console(file=io.StringIO(), force_terminal=True)
    with BatchProgress(console) as progress:
        progress.show(Planned(jobs=2, skipped=0, engine="local", model="m/1"))
        progress.show(Started(job=JOBS[0], rows=1024))
        progress.show(Failed(job=JOBS[0], error="damaged"))
        assert not progress._progress.live.is_started
