"""Doing one job: read, lift, write. Every engine does its jobs by this, so that all of them write the same bytes."""

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pose_mdn.batch import storage
from pose_mdn.batch.backend import Backend, LocalBackend, open_backend
from pose_mdn.batch.job import STDIN, Job, stamp
from pose_mdn.batch.result import JobResult, OutputFile, Recognised
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.errors import InputError

if TYPE_CHECKING:
    from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
    from pose_mdn.formats.keypoints.registry import Detected
    from pose_mdn.poses.hypotheses import HypothesisSequence
    from pose_mdn.poses.keypoints import KeypointSequence

OnRows = Callable[[int, int], None]
"""Told of progress: rows lifted since the last call, and rows in all (with an
estimated focal length each counts several times). First called with 0 once the source was read. An
exception that it raises ends the job and is passed on; nothing is written then."""

_ZIP_MAGIC = b"PK"


@dataclass(frozen=True, kw_only=True)
class ReadJob:
    """A job whose source was read."""

    job: Job
    sequence: "KeypointSequence"
    recognised: Recognised
    source_stamp: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class LiftedJob:
    """A job whose rows were lifted."""

    read: ReadJob
    hypotheses: "HypothesisSequence"
    seconds: float


def ignore_rows(_done: int, _total: int) -> None:
    """An `OnRows` for those who do not want to know."""


class JobWorker:
    """Does jobs by one model with one set of settings.

    `run` does a whole job. An engine that overlaps reading, lifting and writing of different jobs calls the three
    stages itself, each from whichever thread it likes.
    """

    def __init__(self, settings: LiftSettings, *, threads: int = 1, backend: Backend | None = None) -> None:
        """Load the model.

        Args:
            settings: How to read, lift and write.
            threads: How many slices of one job are lifted at a time; results do not depend on it.
            backend: What lifts; `open_backend(settings)` if left out.

        Raises:
            PoseMDNError: The model cannot be loaded.
        """
        self.settings = settings
        self.backend = open_backend(settings, threads=threads) if backend is None else backend
        _import_formats(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what the model holds."""
        self.backend.close()

    def run(self, job: Job, on_rows: OnRows = ignore_rows) -> JobResult:
        """Do a job: its files are in place when this returns, and none of them is if it raises.

        Args:
            job: Which.
            on_rows: Told of progress.

        Raises:
            PoseMDNError: The source cannot be read or lifted, or the results not written; one line says why.
        """
        streamed = self._streamed(job, on_rows)
        return self.write(self.lift(self.read(job), on_rows)) if streamed is None else streamed

    def _streamed(self, job: Job, on_rows: OnRows) -> JobResult | None:
        """The job done piece by piece, with the same bytes; `None` if its format or the settings do not allow that."""
        if self.settings.outputs != ("parquet",) or not isinstance(self.backend, LocalBackend):
            return None
        from pose_mdn.batch.streamed_job import run_streamed  # noqa: PLC0415

        return run_streamed(job, self.settings, self.backend, on_rows)

    def read(self, job: Job) -> ReadJob:
        """The first stage; raises `FormatError` and its like."""
        began_s = time.monotonic()
        source_stamp = stamp(job.source)
        with opened(job.source) as path:
            sequence, recognised = read_source(path, job, self.settings)
        return ReadJob(
            job=job,
            sequence=self.settings.camera.apply(sequence),
            recognised=recognised,
            source_stamp=source_stamp,
            seconds=time.monotonic() - began_s,
        )

    def lift(self, read: ReadJob, on_rows: OnRows = ignore_rows) -> LiftedJob:
        """The second stage; raises `InputError` and `GeometryError`."""
        began_s = time.monotonic()
        hypotheses = self.settings.size.apply(self._lifted(read.sequence, on_rows))
        return LiftedJob(read=read, hypotheses=hypotheses, seconds=time.monotonic() - began_s)

    def write(self, lifted: LiftedJob) -> JobResult:
        """The last stage; raises `InputError`."""
        began_s = time.monotonic()
        read, hypotheses = lifted.read, lifted.hypotheses
        outputs = write_outputs(read.job, hypotheses, self.settings)
        scored = self.backend.gives_ood_score
        return JobResult(
            job=read.job,
            outputs=outputs,
            rows=len(hypotheses),
            status=dict(sorted(Counter(map(str, hypotheses.status)).items())),
            out_of_distribution=int(hypotheses.out_of_distribution.sum()) if scored else None,
            intrinsics=hypotheses.intrinsics_source,
            size=hypotheses.size_source,
            model=hypotheses.model,
            recognised=read.recognised,
            source_stamp=read.source_stamp,
            seconds=round(read.seconds + lifted.seconds + time.monotonic() - began_s, 6),
        )

    def _lifted(self, sequence: "KeypointSequence", on_rows: OnRows) -> "HypothesisSequence":
        from pose_mdn.inference.focal_length import EXTRA_LIFTS, lift_with_unknown_focal_length  # noqa: PLC0415

        settings = self.settings
        rows = len(sequence) * (1 + EXTRA_LIFTS if settings.camera.estimate_focal else 1)
        on_rows(0, rows)

        def advance(done: int) -> None:
            on_rows(done, rows)

        if not settings.camera.estimate_focal:
            return self.backend.lift(sequence, min_confidence=settings.min_confidence, on_progress=advance)
        hypotheses, _ = lift_with_unknown_focal_length(
            self.backend, sequence, min_confidence=settings.min_confidence, on_progress=advance
        )
        return hypotheses


def _import_formats(settings: LiftSettings) -> None:
    """Import what jobs will need: threads that import packages at the same time see modules that are half done."""
    from pose_mdn.formats import keypoint_formats  # noqa: PLC0415
    from pose_mdn.formats.results.registry import result_format  # noqa: PLC0415

    keypoint_formats()
    if any(result_format(name).holds_one_pose for name in settings.outputs):
        import pose_mdn.results  # noqa: PLC0415, F401


@contextmanager
def opened(source: str) -> Iterator[Path]:
    """A path to read a source from; what comes by stdin is kept in a temporary file meanwhile.

    Raises:
        InputError: "-" is asked for, and nothing is piped in.
    """
    if source != STDIN:
        with storage.fetched(source) as path:
            yield path
        return
    if sys.stdin.isatty():
        raise InputError("'-' reads a keypoints .npz or JSON from stdin, and nothing is piped into it", field="inputs")
    content = sys.stdin.buffer.read()
    with tempfile.TemporaryDirectory(prefix="pose-mdn-") as folder:
        path = Path(folder) / ("stdin.npz" if content.startswith(_ZIP_MAGIC) else "stdin.json")
        path.write_bytes(content)
        yield path


def read_source(path: Path, job: Job, settings: LiftSettings) -> "tuple[KeypointSequence, Recognised]":
    """The keypoints of a job's source, and how they were read.

    Args:
        path: Where the source is on this machine.
        job: Which clip and rows of it.
        settings: How to read.

    Raises:
        FormatError: The file cannot be read as its format.
        InputError: No format or skeleton has the name that the settings give.
    """
    found, options = source_format(path, settings), read_options(job, settings)
    sequence = found.format.read(path, options)
    if job.rows is not None:
        sequence = sequence.take(slice(*job.rows))
    sequence = replace(sequence, mapping=settings.mapping)
    recognised = Recognised(
        format=found.format.name,
        confidence=found.recognition.confidence,
        reason=found.recognition.reason,
        skeleton=sequence.skeleton.name,
        skeleton_confidence=sequence.layout_confidence,
    )
    return sequence, recognised


def source_format(path: Path, settings: LiftSettings) -> "Detected":
    """The format that a source is of: as the settings say, or as it seems.

    Raises:
        FormatError: No format recognises it.
        InputError: No format has the name that the settings give.
    """
    from pose_mdn.formats.keypoints.keypoint_format import Recognition  # noqa: PLC0415
    from pose_mdn.formats.keypoints.registry import Detected, detect_format, keypoint_formats  # noqa: PLC0415
    from pose_mdn.formats.registry import named  # noqa: PLC0415

    if settings.format is None:
        return detect_format(path)
    said = Recognition(confidence=1.0, reason="given")
    return Detected(format=named(keypoint_formats(), settings.format), recognition=said)


def read_options(job: Job, settings: LiftSettings) -> "ReadOptions":
    """What the settings say of a job's source; raises `UnknownSkeletonError`."""
    from pose_mdn.formats.keypoints.keypoint_format import ReadOptions  # noqa: PLC0415
    from pose_mdn.skeletons import get_skeleton  # noqa: PLC0415

    return ReadOptions(
        skeleton=None if settings.skeleton is None else get_skeleton(settings.skeleton),
        image_size=settings.image_size,
        fps=settings.fps,
        clip=job.clip,
        trust_pickle=settings.trust_pickle,
    )


def write_outputs(job: Job, hypotheses: "HypothesisSequence", settings: LiftSettings) -> tuple[OutputFile, ...]:
    """Write a job's results in every format asked for, each file atomically.

    Returns:
        The files, beginning with the job's target.

    Raises:
        InputError: A place cannot be written to, or a format cannot hold these results.
        MissingExtraError: A format or a storage needs a package that is not installed.
    """
    from pose_mdn.formats.results.registry import result_format  # noqa: PLC0415

    ending = result_format(settings.outputs[0]).suffix
    with storage.staged(job.target) as target:
        os.makedirs(target.parent, exist_ok=True)
        fits = target.name.lower().endswith(ending)
        bare = target.name[: -len(ending)] if fits else target.stem
        written: list[Path] = []
        for number, name in enumerate(settings.outputs):
            path = target if number == 0 else target.with_name(bare + result_format(name).suffix)
            try:
                written += _write_output(path, name, hypotheses, settings)
            except InputError:
                # Some formats hold at least one pose. Beside another file of a film of nobody, theirs is not missed.
                if number == 0 or hypotheses.lifted.any():
                    raise
        return tuple(
            OutputFile(path=storage.beside(job.target, path.name), size=path.stat().st_size) for path in written
        )


def _write_output(path: Path, name: str, hypotheses: "HypothesisSequence", settings: LiftSettings) -> tuple[Path, ...]:
    """Write one format's file or files."""
    from pose_mdn.formats.results.registry import result_format  # noqa: PLC0415

    if name == "parquet" and settings.columns is not None:
        from pose_mdn.formats.hypotheses import parquet  # noqa: PLC0415

        parquet.write(path, hypotheses, columns=settings.columns)
        return (path,)
    write = result_format(name).write_hypotheses
    if write is not None:
        return write(path, hypotheses)
    # Choosing a pose brings in what follows people over time, which would double the time to start.
    from pose_mdn.results import write_result  # noqa: PLC0415

    return write_result(path, hypotheses, format=name, choice=settings.choice)
