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
class Quality:
    """What makes a clip worth a second look. Medians and shares are over the rows that were lifted; `None` if none was.

    Attributes:
        lifted: Share of all rows that hold hypotheses.
        joints_missing: Mean share of the 17 joints that were not seen.
        reprojection_px: Median reprojection error of the most probable hypothesis.
        reprojection_relative: The same as a share of the diagonal of the box around the person's joints.
        out_of_distribution: Share that looks like no person as the model knows people; `None` without a score.
        spread_m: Median over rows of the mean distance of the hypotheses' joints from the mixture's mean.
    """

    lifted: float
    joints_missing: float | None
    reprojection_px: float | None
    reprojection_relative: float | None
    out_of_distribution: float | None
    spread_m: float | None


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
        quality: What makes the clip worth a second look.
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
    quality: Quality
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
            "quality": Quality(**document["quality"]),
        }
        return cls(**{**document, **rest})
