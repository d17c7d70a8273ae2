"""A job done piece by piece, in bounded memory: its results have the bytes that they would have if done at once."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pose_mdn.batch import storage
from pose_mdn.batch.backend import LocalBackend
from pose_mdn.batch.job import Job, stamp
from pose_mdn.batch.result import JobResult, OutputFile, Recognised
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.batch.stream import StreamResult, can_stream, lift_stream
from pose_mdn.batch.work import opened, read_options, source_format

if TYPE_CHECKING:
    from pose_mdn.poses.keypoints import KeypointSequence


def run_streamed(
    job: Job, settings: LiftSettings, backend: LocalBackend, on_rows: Callable[[int, int], None]
) -> JobResult | None:
    """Do a job piece by piece; `None` if its format or the settings do not allow that, and nothing was done.

    Args:
        job: Which.
        settings: How to read, lift and write.
        backend: What lifts.
        on_rows: Told of progress, as by `JobWorker.run`.

    Raises:
        PoseMDNError: The source cannot be read or lifted, or the result not written.
    """
    began_s, source_stamp = time.monotonic(), stamp(job.source)

    def given(sequence: "KeypointSequence") -> "KeypointSequence":
        return replace(settings.camera.apply(sequence), mapping=settings.mapping)

    with opened(job.source) as path:
        found = source_format(path, settings)
        if found.format.stream is None or not can_stream(found.format, settings):
            return None
        stream = found.format.stream(path, read_options(job, settings))
        rows = stream.num_rows if job.rows is None else job.rows[1] - job.rows[0]
        on_rows(0, rows)
        with storage.staged(job.target) as target:
            os.makedirs(target.parent, exist_ok=True)
            lifted = lift_stream(
                stream,
                target,
                backend.lifter,
                apply=given,
                min_confidence=settings.min_confidence,
                threads=backend.threads,
                columns=settings.columns,
                rows=job.rows,
                on_rows=lambda done: on_rows(done, rows),
            )
            output = OutputFile(path=storage.beside(job.target, target.name), size=target.stat().st_size)
        nobody = stream.nobody()
    recognised = Recognised(
        format=found.format.name,
        confidence=found.recognition.confidence,
        reason=found.recognition.reason,
        skeleton=nobody.skeleton.name,
        skeleton_confidence=nobody.layout_confidence,
    )
    seconds = round(time.monotonic() - began_s, 6)
    return _result(lifted, job=job, output=output, recognised=recognised, source_stamp=source_stamp, seconds=seconds)


def _result(
    lifted: StreamResult, *, job: Job, output: OutputFile, recognised: Recognised, source_stamp: str, seconds: float
) -> JobResult:
    return JobResult(
        job=job,
        outputs=(output,),
        rows=lifted.rows,
        status=lifted.status,
        out_of_distribution=lifted.out_of_distribution,
        intrinsics=lifted.intrinsics_source,
        size=lifted.size_source,
        model=lifted.model,
        recognised=recognised,
        source_stamp=source_stamp,
        seconds=seconds,
    )
