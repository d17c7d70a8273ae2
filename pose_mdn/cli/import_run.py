"""One run of `pose-mdn data import`: files in, motion records and a summary out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from pose_mdn.cli.motion_labels import Labels, PathPattern, label
from pose_mdn.data.motion_file import MotionRecord, read_motion_file, write_motion_file
from pose_mdn.data.subject_splits import assign_splits
from pose_mdn.errors import InputError, PoseMDNError
from pose_mdn.formats.motions.conversion import ConversionOptions, ImportedMotion, convert_motion
from pose_mdn.formats.motions.motion_format import ReadOptions, SourceMotion
from pose_mdn.formats.motions.registry import motion_formats, read_motions
from pose_mdn.formats.motions.world_frame import UNITS_M

_TRAIN = "train"
_SHOWN_WARNINGS = 20


@dataclass(frozen=True, kw_only=True)
class _Entry:
    path: Path
    labels: Labels
    motion: ImportedMotion


@dataclass(kw_only=True)
class ImportRun:
    """What is asked for, and what has been read so far.

    Attributes:
        format: Name of the format of all files; found out if `None`.
        reading: What files may leave open.
        conversion: What the user says about joints, units, axes and frame rate.
        pattern: Labels in paths.
        subject: Who moves, in all files.
        action: What they do, in all files.
        source: Where the data came from; the file's name if `None`.
        licence: Terms of the data.
        entries: What was read.
        kept: Motions that were in the file before.
        records: All motions, once they are written.
        failures: One line per file or motion that could not be imported.
    """

    format: str | None
    reading: ReadOptions
    conversion: ConversionOptions
    pattern: PathPattern | None
    subject: str | None
    action: str | None
    source: str | None
    licence: str
    entries: list[_Entry] = field(default_factory=list)
    kept: list[MotionRecord] = field(default_factory=list)
    records: list[MotionRecord] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in motion_formats():
            known = ", ".join(("auto", *motion_formats()))
            raise InputError(f"format: expected one of {known}, got {self.format!r}; leave it out to have it found")

    def keep(self, path: Path) -> None:
        """Start from the motions of a file."""
        self.kept = read_motion_file(path)

    def read(self, paths: Sequence[Path]) -> None:
        """Read files; what goes wrong with one is noted in `failures` and leaves the others alone."""
        console = Console(stderr=True)
        taken = {(record.subject, record.trial) for record in self.kept}
        for path in track(paths, "import", console=console, transient=True, disable=not console.is_terminal):
            try:
                motions = read_motions(path, format=self.format, options=self.reading)
            except PoseMDNError as error:
                self.failures.append(str(error))
                continue
            for motion in motions:
                try:
                    self._take(path, motion, taken)
                except PoseMDNError as error:
                    several = f" ({motion.subject}, {motion.trial})" if len(motions) > 1 else ""
                    self.failures.append(f"{error}{several}")

    def _take(self, path: Path, motion: SourceMotion, taken: set[tuple[str, str]]) -> None:
        labels = label(
            path,
            motion.trial,
            pattern=self.pattern,
            subject=self.subject,
            action=self.action,
            file_subject=motion.subject,
            file_action=motion.action,
        )
        name = (labels.subject, labels.trial)
        if name in taken:
            raise InputError(
                f"{path}: expected a trial that is not in the data yet, got {labels.trial!r} of {labels.subject!r} "
                "again; tell them apart with --subject or --path-pattern"
            )
        self.entries.append(_Entry(path=path, labels=labels, motion=convert_motion(path, motion, self.conversion)))
        taken.add(name)

    def write(self, path: Path, split_by: str, validation: Sequence[str], test: Sequence[str]) -> None:
        """Assign splits and write the file; if nothing was read, nothing is written.

        Raises:
            InputError: Splits are not possible as asked for, or the place cannot be written to.
        """
        if not self.entries:
            return
        settled = {record.subject: record.split for record in self.kept}
        new = {entry.labels.subject for entry in self.entries}
        if split_by == "none" and (validation or test):
            raise InputError("split-by: expected 'subject' beside --validation and --test, got 'none'; leave it out")
        splits = (
            {name: settled.get(name, _TRAIN) for name in new}
            if split_by == "none"
            else assign_splits(new, validation=validation, test=test, settled=settled)
        )
        made = [self._record(entry, splits[entry.labels.subject]) for entry in self.entries]
        moved = [replace(record, split=splits.get(record.subject, record.split)) for record in self.kept]
        self.records = [*moved, *made]
        write_motion_file(path, self.records)

    def _record(self, entry: _Entry, split: str) -> MotionRecord:
        return MotionRecord(
            pose_m=entry.motion.pose_m,
            valid=entry.motion.valid,
            fps=entry.motion.fps,
            subject=entry.labels.subject,
            trial=entry.labels.trial,
            action=entry.labels.action,
            source=self.source if self.source is not None else entry.path.name,
            licence=self.licence,
            split=split,
        )

    def as_dict(self) -> dict[str, object]:
        """What was done, in plain values for JSON."""
        return {
            "motions": [
                {
                    "file": str(entry.path),
                    "subject": entry.labels.subject,
                    "trial": entry.labels.trial,
                    "action": entry.labels.action,
                    "frames": len(entry.motion.valid),
                    "valid_frames": int(entry.motion.valid.sum()),
                    "stature_m": round(entry.motion.stature_m, 3),
                    "naming": entry.motion.naming,
                    "up": entry.motion.up,
                    "metres_per_unit": entry.motion.metres_per_unit,
                    "warnings": list(entry.motion.warnings),
                }
                for entry in self.entries
            ],
            "splits": dict(Counter(record.split for record in self.records)),
            "total_motions": len(self.records),
            "failures": self.failures,
        }


def report(run: ImportRun, output: Path, console: Console) -> None:
    """Print a row per subject, the warnings, and what was written."""
    table = Table(title="imported motions")
    for heading in ("subject", "split", "motions", "poses", "valid", "stature", "unit", "up", "joint names"):
        numbers = heading in {"motions", "poses", "valid", "stature"}
        table.add_column(
            heading, justify="right" if numbers else "left", no_wrap=heading != "joint names", overflow="fold"
        )
    split_of = {record.subject: record.split for record in run.records}
    for subject in sorted({entry.labels.subject for entry in run.entries}):
        motions = [entry.motion for entry in run.entries if entry.labels.subject == subject]
        poses, valid = (
            sum(counts) for counts in zip(*((len(m.valid), int(m.valid.sum())) for m in motions), strict=True)
        )
        statures = [motion.stature_m for motion in motions]
        table.add_row(
            subject,
            split_of.get(subject, ""),
            str(len(motions)),
            str(poses),
            f"{valid / max(1, poses):.1%}",
            f"{np.median(statures):.2f} m",
            *(", ".join(sorted({text(m) for m in motions})) for text in (_unit, _up, _naming)),
        )
    if run.entries:
        console.print(table)
    warned = [(entry, text) for entry in run.entries for text in entry.motion.warnings]
    for entry, text in warned[:_SHOWN_WARNINGS]:
        console.print(
            f"warning: {entry.path} ({entry.labels.trial}): {text}", style="yellow", markup=False, soft_wrap=True
        )
    if len(warned) > _SHOWN_WARNINGS:
        console.print(f"and {len(warned) - _SHOWN_WARNINGS} more warnings (--json shows all)", style="yellow")
    splits = Counter(record.split for record in run.records)
    if not run.records:
        console.print("nothing was written", markup=False)
        return
    counts = ", ".join(f"{count} {split}" for split, count in splits.items())
    console.print(f"{output}: {len(run.records)} motions ({counts})", markup=False, soft_wrap=True)
    if set(splits) == {_TRAIN}:
        console.print("training also needs a subject for validation: --validation NAME", style="yellow", markup=False)


def _naming(motion: ImportedMotion) -> str:
    return motion.naming


def _up(motion: ImportedMotion) -> str:
    return motion.up


def _unit(motion: ImportedMotion) -> str:
    names = [name for name, metres in UNITS_M.items() if np.isclose(metres, motion.metres_per_unit)]
    return names[0] if names else f"{motion.metres_per_unit:.4g} m"
