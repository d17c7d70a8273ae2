"""What `pose-mdn evaluate` is given: which files, and what each of them holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track

from pose_mdn.errors import FormatError, InputError
from pose_mdn.evaluation.protocol import EvaluationRow, evaluate, evaluate_by_action
from pose_mdn.evaluation.truth_files import Truth, files_with_truth, read_truth, truth_path
from pose_mdn.formats import read_hypotheses, read_keypoints
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.poses.hypotheses import HypothesisSequence

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class EvaluationRun:
    """One table.

    Attributes:
        model: Lifter for keypoints: name, name/version or bundle folder.
        threads: Threads for lifting; None for the default.
        seed: Seed of virtual views and calibration samples.
    """

    model: str
    threads: int | None
    seed: int

    def files(self, inputs: list[Path], truth: Path | None) -> list[EvaluationRow]:
        """Rows of files that have their truth beside them, or of a single one with the truth given.

        Raises:
            InputError: There is nothing to evaluate, or no truth for it.
        """
        files = [file for path in inputs for file in (files_with_truth(path) if path.is_dir() else [path])]
        if not files:
            given = ", ".join(map(str, inputs)) or "evaluate"
            raise InputError(f"{given}: expected files with NAME.truth.npz beside them, or --data, got none")
        if truth is not None and len(files) != 1:
            raise InputError(f"--truth: expected a single input, got {len(files)}; put NAME.truth.npz beside each")
        pairs = [(file, truth or truth_path(file)) for file in files]
        for file, its_truth in pairs:
            if not its_truth.is_file():
                raise InputError(f"{file}: expected its truth in {its_truth}, found none; name it with --truth")
        rows = []
        for file, its_truth in _with_progress(pairs):
            rows += self._rows(file.stem, self._hypotheses(file), read_truth(its_truth))
        return rows

    def virtual_views(self, data: Path, split: str, count: int) -> list[EvaluationRow]:
        """Rows of a split of motion data, filmed through virtual cameras."""
        from pose_mdn.evaluation.virtual_views import virtual_views  # noqa: PLC0415  (needs torch, files do not)

        rows = []
        for views in _with_progress(virtual_views(data, split, count=count, seed=self.seed)):
            truth = Truth(pose_camera_m=views.pose_camera_m, action=views.action)
            rows += self._rows(views.name, self._lifter.lift(views.keypoints), truth)
        return rows

    def _rows(self, name: str, hypotheses: HypothesisSequence, truth: Truth) -> list[EvaluationRow]:
        rows = [evaluate(name, hypotheses, truth.pose_camera_m, seed=self.seed)]
        if truth.action is not None:
            rows += evaluate_by_action(name, hypotheses, truth.pose_camera_m, truth.action, seed=self.seed)
        return rows

    def _hypotheses(self, path: Path) -> HypothesisSequence:
        if _holds_hypotheses(path):
            return read_hypotheses(path)
        return self._lifter.lift(read_keypoints(path))

    @cached_property
    def _lifter(self) -> Lifter:
        return load_lifter(self.model, threads=self.threads)


def _with_progress(items: Sequence[Item]) -> Iterable[Item]:
    console = Console(stderr=True)
    return track(items, "evaluate", console=console, transient=True, disable=not console.is_terminal)


def _holds_hypotheses(path: Path) -> bool:
    if path.suffix == ".parquet":
        return True
    try:
        with np.load(path, allow_pickle=False) as archive:
            return "mixing_coefficients" in archive
    except (OSError, ValueError, EOFError) as error:
        raise FormatError(f"{path}: expected a keypoints or hypotheses file, could not read it: {error}") from None
