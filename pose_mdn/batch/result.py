"""What became of one job."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from pose_mdn.batch.job import Job


@dataclass(frozen=True, kw_only=True)
class OutputFile:
    """A file that was written.

    Attributes:
        path: Where it is: a path or an address.
        size: Bytes.
    """

    path: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """How the source was read.

    Attributes:
        format: Name of the keypoints format.
        confidence: How sure that is, in [0, 1]; 1 if the user said so.
        reason: What spoke for it.
        skeleton: Layout of the joints.
        skeleton_confidence: How sure that is.
    """

    format: str
    confidence: float
    reason: str
    skeleton: str
    skeleton_confidence: float


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """A job that is done: its files are in place.

    Attributes:
        job: Which.
        outputs: Files written; the first is the job's target.
        rows: N.
        status: How many rows have each status.
        out_of_distribution: How many rows look like no person; `None` if the model gives no score.
        intrinsics: Where the camera came from.
        size: Where the people's size came from.
        model: Name and version of the lifter, "mdn_lifter/1".
        recognised: How the source was read.
        source_stamp: `stamp` of the source as it was before it was read.
        seconds: Spent on this job by the worker.
    """

    job: Job
    outputs: tuple[OutputFile, ...]
    rows: int
    status: dict[str, int]
    out_of_distribution: int | None
    intrinsics: str
    size: str
    model: str
    recognised: Recognised
    source_stamp: str
    seconds: float

    def to_document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """The inverse of `to_document`, also of what came back from JSON text."""
        rest = {
            "job": Job.from_document(document["job"]),
            "outputs": tuple(OutputFile(**output) for output in document["outputs"]),
            "recognised": Recognised(**document["recognised"]),
        }
        return cls(**{**document, **rest})
