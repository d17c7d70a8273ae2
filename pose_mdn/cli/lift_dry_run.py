"""`pose-mdn lift --dry-run`: what would be done."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import typer

from pose_mdn.batch import storage
from pose_mdn.batch.job import STATE_FOLDER, STDIN, Job
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.errors import PoseMDNError

_READ_UP_TO_BYTES = 1 << 20
"""Smaller files are read, so that their skeleton can be named."""


def dry_run(jobs: list[Job], settings: LiftSettings, folder: Path | str | None, *, resume: bool, as_json: bool) -> None:
    """Print every job, how its source would be read, where its result would go, and which would be left out.

    Args:
        jobs: The plan.
        settings: How to read.
        folder: OUT, if it is a folder.
        resume: Whether what is done would be left out.
        as_json: Whether it is printed for machines, one JSON object a line.

    Raises:
        InputError: OUT was begun with other settings.
        PoseMDNError: There is no such model.
    """
    done = _done(jobs, settings, folder) if resume and folder is not None else set()
    counts: Counter[str] = Counter()
    for job in jobs:
        entry: dict[str, Any] = {"input": job.source, "clip": job.clip, "part": job.rows, "output": job.target}
        entry |= {"action": "skip"} if job.target in done else _look(job, settings)
        counts[entry["action"]] += 1
        typer.echo(json.dumps({"event": "would", **entry}) if as_json else _line(job, entry))
    if as_json:
        typer.echo(json.dumps({"event": "finished", "dry_run": True, **{name: counts[name] for name in _ACTIONS}}))
        return
    typer.echo(
        ", ".join(f"{counts[name]} {text}" for name, text in _ACTIONS.items() if counts[name]) or "nothing to do"
    )


_ACTIONS = {"lift": "would be lifted", "skip": "are done already", "fail": "cannot be read"}


def _done(jobs: list[Job], settings: LiftSettings, folder: Path | str) -> set[str]:
    """Targets of jobs that the manifest calls done. Nothing is written for that."""
    from pose_mdn.batch.backend import identify_model  # noqa: PLC0415
    from pose_mdn.batch.manifest import MANIFEST_FILE, refuse_differences  # noqa: PLC0415
    from pose_mdn.batch.record import opened_record  # noqa: PLC0415

    if not storage.is_url(folder) and not (Path(folder) / STATE_FOLDER / MANIFEST_FILE).is_file():
        return set()
    with opened_record(folder, lock=False) as record:
        manifest = record.manifest
        refuse_differences(folder, manifest.differences(settings, identify_model(settings)))
        return {job.target for job in jobs if manifest.is_done(job)}


def _look(job: Job, settings: LiftSettings) -> dict[str, Any]:
    """How a job's source would be read, or why it cannot be."""
    if job.source == STDIN:
        return {"action": "lift"}
    try:
        with storage.fetched(job.source) as path:
            return _found(path, job, settings)
    except PoseMDNError as error:
        return {"action": "fail", "error": str(error)}


def _found(path: Path, job: Job, settings: LiftSettings) -> dict[str, Any]:
    from pose_mdn.batch.work import read_source, source_format  # noqa: PLC0415

    found = source_format(path, settings)
    entry: dict[str, Any] = {
        "action": "lift",
        "format": found.format.name,
        "confidence": found.recognition.confidence,
        "reason": found.recognition.reason,
    }
    if settings.skeleton is not None:
        entry["skeleton"] = settings.skeleton
    elif path.is_file() and os.path.getsize(path) <= _READ_UP_TO_BYTES:
        entry["skeleton"] = read_source(path, job, settings)[0].skeleton.name
    return entry


def _line(job: Job, entry: dict[str, Any]) -> str:
    if entry["action"] == "skip":
        return f"{job.label}: done already -> {job.target}"
    if entry["action"] == "fail":
        error = entry["error"]
        return f"{job.label}: cannot be read: {error.removeprefix(f'{job.source}: ')}"
    if "format" not in entry:
        return f"{job.label} -> {job.target}"
    skeleton = f", {entry['skeleton']}" if "skeleton" in entry else ""
    how = f"{entry['format']}{skeleton}, sure to {entry['confidence']:.0%}: {entry['reason']}"
    return f"{job.label} ({how}) -> {job.target}"
