"""What `pose-mdn evaluate` is given: which files, and what each of them holds."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from pose_mdn.errors import FormatError, InputError
from pose_mdn.evaluation.protocol import EvaluationRow, evaluate, evaluate_by_action
from pose_mdn.evaluation.truth_files import files_with_truth, read_truth, truth_path
from pose_mdn.formats import read_hypotheses, read_keypoints
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.poses.hypotheses import HypothesisSequence


@dataclass(frozen=True, kw_only=True)
class EvaluationCase:
    """A file and its truth."""

    path: Path
    truth: Path


def evaluation_cases(inputs: list[Path], truth: Path | None) -> list[EvaluationCase]:
    """Pair inputs with their truth.

    Raises:
        InputError: A truth was given for several inputs, or one cannot be found.
    """
    files = [file for path in inputs for file in (files_with_truth(path) if path.is_dir() else [path])]
    if not files:
        raise InputError(f"{', '.join(map(str, inputs))}: expected files with NAME.truth.npz beside them, found none")
    if truth is not None and len(files) != 1:
        raise InputError(f"--truth: expected a single input, got {len(files)}; put NAME.truth.npz beside each instead")
    cases = [EvaluationCase(path=file, truth=truth or truth_path(file)) for file in files]
    for case in cases:
        if not case.truth.is_file():
            raise InputError(f"{case.path}: expected its truth in {case.truth}, found none; name it with --truth")
    return cases


def evaluation_rows(case: EvaluationCase, *, model: str, threads: int | None, seed: int) -> list[EvaluationRow]:
    """A row for the whole file, and one per action where actions are known."""
    truth = read_truth(case.truth)
    hypotheses = _hypotheses(case.path, model, threads)
    name = case.path.stem
    rows = [evaluate(name, hypotheses, truth.pose_camera_m, seed=seed)]
    if truth.action is not None:
        rows += evaluate_by_action(name, hypotheses, truth.pose_camera_m, truth.action, seed=seed)
    return rows


def _hypotheses(path: Path, model: str, threads: int | None) -> HypothesisSequence:
    if _holds_hypotheses(path):
        return read_hypotheses(path)
    return _lifter(model, threads).lift(read_keypoints(path))


def _holds_hypotheses(path: Path) -> bool:
    if path.suffix == ".parquet":
        return True
    try:
        with np.load(path, allow_pickle=False) as archive:
            return "mixing_coefficients" in archive
    except (OSError, ValueError, EOFError) as error:
        raise FormatError(f"{path}: expected a keypoints or hypotheses file, could not read it: {error}") from None


@lru_cache(maxsize=1)
def _lifter(model: str, threads: int | None) -> Lifter:
    return load_lifter(model, threads=threads)
