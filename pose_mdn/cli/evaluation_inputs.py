"""What `pose-mdn evaluate` is given: which files, and what each of them holds."""

import dataclasses
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import RenderableType

from pose_mdn.cli.progress import RowProgress, row_progress
from pose_mdn.errors import FormatError, InputError
from pose_mdn.evaluation.document import EvaluationSettings, evaluation_document, file_sha256
from pose_mdn.evaluation.figures import EvaluationRow
from pose_mdn.evaluation.human36m import Root, human36m_rows, human36m_views, published_rows
from pose_mdn.evaluation.human36m_table import human36m_tables
from pose_mdn.evaluation.plots import write_plots
from pose_mdn.evaluation.protocol import evaluate_by_action
from pose_mdn.evaluation.table import evaluation_tables
from pose_mdn.evaluation.truth_files import files_with_truth, read_truth, truth_path
from pose_mdn.formats import read_hypotheses, read_keypoints
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.visualization.chart_style import require_matplotlib


def require_one_source(
    *,
    inputs: list[Path],
    truth: Path | None,
    data: Path | None,
    balanced: bool,
    human36m: Path | None,
    plots: Path | None,
) -> None:
    """Refuse options that do not go together, before any work.

    Raises:
        InputError: More than one thing shall be measured, or an option belongs to another one.
        MissingExtraError: Plots are wanted and matplotlib is not installed.
    """
    given = [name for name, value in (("files", inputs), ("--data", data), ("--human36m", human36m)) if value]
    if len(given) > 1:
        raise InputError(f"evaluate: expected one of files, --data and --human36m, got {' and '.join(given)}")
    if balanced and data is None:
        raise InputError("--balanced: expected --data beside it, whose poses it draws; files are measured as they are")
    if truth is not None and not inputs:
        raise InputError("--truth: expected the file that it belongs to, got none")
    if plots is not None:
        if human36m is not None:
            raise InputError("--plots: expected files or --data, got --human36m, whose figures are the table's alone")
        require_matplotlib()


class EvaluationRun:
    """One evaluation, from what is given to what is printed.

    Args:
        model: Lifter for keypoints: name, name/version or bundle folder.
        threads: Threads for lifting; None for the default.
        seed: Seed of virtual views and samples.
        num_hypotheses: Poses per person of lifters that sample; None for the default.
    """

    def __init__(self, *, model: str, threads: int | None, seed: int, num_hypotheses: int | None = None) -> None:
        self._model = model
        self._num_hypotheses = num_hypotheses
        self._threads = threads
        self._settings = EvaluationSettings(model=model, model_sha256=None, seed=seed)

    def files(self, inputs: list[Path], truth: Path | None) -> list[EvaluationRow]:
        """Rows of files that have their truth beside them, or of a single one with the truth given.

        Raises:
            InputError: There is nothing to evaluate, or no truth for it.
        """
        pairs = _with_truth(inputs, truth)
        self._settings = dataclasses.replace(self._settings, inputs=tuple(str(file) for file, _ in pairs))
        rows = []
        models = []
        with row_progress() as progress:
            for file, its_truth in pairs:
                content = _read(file)
                known = read_truth(its_truth)
                hypotheses = (
                    content if isinstance(content, HypothesisSequence) else self._lift(file.stem, content, progress)
                )
                models.append(hypotheses.model)
                rows += self._rows(file.stem, hypotheses, known.pose_camera_m, known.action, progress)
        self._settings = dataclasses.replace(self._settings, model=", ".join(dict.fromkeys(models)))
        return rows

    def virtual_views(self, data: Path, split: str, count: int, balanced: bool) -> list[EvaluationRow]:
        """Rows of a split of motion data, filmed through virtual cameras."""
        from pose_mdn.evaluation.virtual_views import virtual_views  # noqa: PLC0415  (needs torch, files do not)

        entries = virtual_views(data, split, count=count, seed=self._settings.seed, balanced=balanced)
        rows = []
        with row_progress() as progress:
            for entry in entries:
                hypotheses = self._lift(entry.name, entry.keypoints, progress)
                rows += self._rows(entry.name, hypotheses, entry.pose_camera_m, entry.action, progress)
        self._settings = dataclasses.replace(
            self._settings,
            model=hypotheses.model,
            data=str(data),
            data_sha256=file_sha256(data),
            split=split,
            views=count,
            balanced=balanced,
        )
        return rows

    def report(
        self, rows: list[EvaluationRow], *, by_action: bool, plots: Path | None
    ) -> tuple[dict[str, object], RenderableType]:
        """The document and the tables of rows; writes the plots, if wanted."""
        title = self._settings.model
        if plots is not None:
            written = write_plots(rows, plots, title=title)
            typer.echo(f"wrote {', '.join(map(str, written))}", err=True)
        shown = [row for row in rows if by_action or row.action is None]
        return evaluation_document(self._settings, rows), evaluation_tables(shown, title=title)

    def human36m(
        self, folder: Path, keypoints: str, root: Root, stride: int
    ) -> tuple[dict[str, object], RenderableType]:
        """The document and the tables of the Human3.6M benchmark, published results beside ours."""
        views = human36m_views(folder, detections=keypoints, stride=stride)
        with row_progress() as progress:
            progress.begin("Human3.6M", sum(map(len, views)))
            rows = human36m_rows(self._lifter, views, root=root, on_progress=progress.advance)
        settings = dataclasses.replace(
            self._settings,
            model=_full_name(self._lifter),
            data=str(folder),
            keypoints=keypoints,
            root=root,
            stride=stride,
        )
        document = evaluation_document(settings, [])
        document["rows"] = [row.as_dict() for row in rows]
        document["published"] = [entry.as_dict() for entry in published_rows()]
        return document, human36m_tables(rows, published_rows(), title=settings.model)

    def _rows(
        self,
        name: str,
        hypotheses: HypothesisSequence,
        pose_camera_m: NDArray[np.floating],
        action: NDArray[np.str_] | None,
        progress: RowProgress,
    ) -> list[EvaluationRow]:
        progress.begin(f"measure {name}", len(hypotheses))
        return evaluate_by_action(
            name, hypotheses, pose_camera_m, action, seed=self._settings.seed, on_progress=progress.advance
        )

    def _lift(self, name: str, keypoints: KeypointSequence, progress: RowProgress) -> HypothesisSequence:
        progress.begin(f"lift {name}", len(keypoints))
        return self._lifter.lift(keypoints, on_progress=progress.advance)

    @cached_property
    def _lifter(self) -> Lifter:
        lifter = load_lifter(self._model, threads=self._threads, num_hypotheses=self._num_hypotheses)
        checksum = file_sha256(lifter.bundle.graph_path)
        self._settings = dataclasses.replace(self._settings, model_sha256=checksum)
        return lifter


def _full_name(lifter: Lifter) -> str:
    return f"{lifter.name}/{lifter.version}"


def _with_truth(inputs: list[Path], truth: Path | None) -> list[tuple[Path, Path]]:
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
    return pairs


def _read(path: Path) -> KeypointSequence | HypothesisSequence:
    reader: Callable[[Path], KeypointSequence | HypothesisSequence]
    reader = read_hypotheses if _holds_hypotheses(path) else read_keypoints
    return reader(path)


def _holds_hypotheses(path: Path) -> bool:
    if path.suffix == ".parquet":
        return True
    try:
        with np.load(path, allow_pickle=False) as archive:
            return "mixing_coefficients" in archive
    except (OSError, ValueError, EOFError) as error:
        raise FormatError(f"{path}: expected a keypoints or hypotheses file, could not read it: {error}") from None
