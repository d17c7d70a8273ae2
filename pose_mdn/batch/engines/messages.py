"""What a worker process and its parent say to each other: tuples that begin with a word.

To a worker: `("job", number, job)`, `("cancel",)` and `("end",)`; a pipe that closes means that the parent is gone.
From it: `("ready",)` once the model is loaded, or `("fatal", error)`; for each job `("began", number)`, then
`("rows", number, done, total)` any number of times, then one of `("done", number, result)`,
`("failed", number, error)` and `("dropped", number)`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pose_mdn.batch.events import Advanced, Done, Failed, JobEvent, Started
from pose_mdn.batch.job import Job

Message = tuple[Any, ...]

LAST_WORDS = frozenset({"done", "failed", "dropped"})
"""After these nothing more is heard of a job."""


def job_events(jobs: Sequence[Job], message: Message) -> Iterator[JobEvent]:
    """What a worker's message means to those who watch a batch; most say nothing to them."""
    match message:
        case ("rows", number, 0, total):
            yield Started(job=jobs[number], rows=total)
        case ("rows", number, done, _):
            yield Advanced(job=jobs[number], rows=done)
        case ("done", _, result):
            yield Done(result=result)
        case ("failed", number, error):
            yield Failed(job=jobs[number], error=error)
