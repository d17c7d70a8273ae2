"""The Human3.6M benchmark: protocols 1 and 2 per action, with published results beside.

How to run it on the field's files (users bring them; the dataset may not be handed on):

    views = human36m_views(folder, detections="cpn_ft_h36m_dbb", stride=1)      # one entry per action
    rows = human36m_rows(lifter, views, on_progress=advance)                    # a row per action, then their average
    published = published_rows()

`views[i].keypoints` and `views[i].pose_camera_m` also feed `evaluate()` of `pose_mdn.evaluation.protocol`, for
likelihood and calibration. Protocol 1 is MPJPE of root-relative poses over 17 joints, protocol 2 the same after
similarity alignment of each pose; both in camera coordinates, subjects S9 and S11, all four cameras, every frame,
averaged over an action's frames and then over the 15 actions. Hypotheses are component means, and the best of them is
the best whole pose.
"""

import dataclasses
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pose_mdn import metrics
from pose_mdn.distributions import PoseMixture
from pose_mdn.errors import InputError
from pose_mdn.evaluation.human36m_views import Human36mViews, human36m_views
from pose_mdn.inference import Lifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.skeletons import HUMAN36M17

__all__ = ["Human36mRow", "Human36mViews", "PublishedRow", "human36m_rows", "human36m_views", "published_rows"]

Root = Literal["pelvis", "hips"]

AVERAGE = "average"
_PUBLISHED = "human36m_published.toml"
_SLICE = 2048
_ROOT_JOINTS = {
    "pelvis": [HUMAN36M17.index("pelvis")],
    "hips": [HUMAN36M17.index("l_hip"), HUMAN36M17.index("r_hip")],
}


@dataclass(frozen=True, kw_only=True)
class Human36mRow:
    """Figures of one action, or their average over actions; millimetres.

    Attributes:
        action: Name of the action, or "average".
        num_poses: Views asked for.
        num_lifted: Views that were lifted; the figures are over these.
        best_of_m: Protocol 1, best of M component means, chosen with the truth at hand.
        top_1: Protocol 1, the most probable component's mean.
        mean: Protocol 1, the mixture's mean.
        pa_best_of_m: Protocol 2, best of M after each is aligned.
        pa_top_1: Protocol 2, the most probable component's mean.
        pa_mean: Protocol 2, the mixture's mean.
    """

    action: str
    num_poses: int
    num_lifted: int
    best_of_m: float
    top_1: float
    mean: float
    pa_best_of_m: float
    pa_top_1: float
    pa_mean: float

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    """Averages over the 15 actions that somebody published; millimetres, `None` where none is known to us.

    Attributes:
        system: Name of the system.
        paper: Authors, title or venue, year.
        protocol: How its pose was chosen, and from how many.
        protocol_1: MPJPE.
        protocol_2: PA-MPJPE.
        source: Where the figures were read.
    """

    system: str
    paper: str
    protocol: str
    protocol_1: float | None
    protocol_2: float | None
    source: str

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)


def human36m_rows(
    lifter: Lifter,
    views: Sequence[Human36mViews],
    *,
    root: Root = "pelvis",
    on_progress: Callable[[int], None] | None = None,
) -> list[Human36mRow]:
    """Lift the benchmark's views and measure them.

    Args:
        lifter: The model.
        views: One entry per action, from `human36m_views`.
        root: Where poses are laid upon each other for protocol 1: "pelvis" is the benchmark. Human3.6M's pelvis is the
            middle of the hips; "hips" takes that middle of the hypotheses, too, for lifters whose training data had
            the pelvis elsewhere. The pelvis is counted as a joint either way.
        on_progress: Called with the number of views just done, `sum(map(len, views))` in all.

    Returns:
        A row per action in the order of `views`, then the average over the actions that have figures.

    Raises:
        InputError: Nothing could be lifted.
    """
    rows = [_row(lifter, entry, root, on_progress) for entry in views]
    measured = [row for row in rows if row.num_lifted]
    if not measured:
        raise InputError("views: expected at least one that can be lifted, got none; are its keypoints pixels?")
    figures = {name: float(np.mean([getattr(row, name) for row in measured])) for name in _FIGURES}
    average = Human36mRow(
        action=AVERAGE,
        num_poses=sum(row.num_poses for row in rows),
        num_lifted=sum(row.num_lifted for row in rows),
        **figures,
    )
    return [*rows, average]


@cache
def published_rows() -> tuple[PublishedRow, ...]:
    """Results on this benchmark that were read in a paper's repository or on a results page, oldest first."""
    text = files("pose_mdn.evaluation").joinpath(_PUBLISHED).read_text("utf-8")
    return tuple(
        PublishedRow(
            system=entry["system"],
            paper=entry["paper"],
            protocol=entry["protocol"],
            protocol_1=entry.get("protocol_1"),
            protocol_2=entry.get("protocol_2"),
            source=entry["source"],
        )
        for entry in tomllib.loads(text)["row"]
    )


_FIGURES = ("best_of_m", "top_1", "mean", "pa_best_of_m", "pa_top_1", "pa_mean")


def _row(lifter: Lifter, views: Human36mViews, root: Root, on_progress: Callable[[int], None] | None) -> Human36mRow:
    hypotheses = lifter.lift(views.keypoints)
    lifted = np.flatnonzero(hypotheses.lifted & np.isfinite(views.pose_camera_m).all(axis=(1, 2)))
    totals = np.zeros(len(_FIGURES))
    # In slices, so that the 180,000 alignments of an action do not all lie in memory at once.
    for start in range(0, len(lifted), _SLICE):
        chosen = lifted[start : start + _SLICE]
        totals += _errors(hypotheses.take(chosen), views.pose_camera_m[chosen].astype(np.float64), root).sum(axis=1)
        if on_progress is not None:
            on_progress(len(chosen))
    if on_progress is not None and len(lifted) < len(views):
        on_progress(len(views) - len(lifted))
    figures = dict(zip(_FIGURES, (totals / max(1, len(lifted))).tolist(), strict=True))
    return Human36mRow(
        action=views.action,
        num_poses=len(views),
        num_lifted=len(lifted),
        **(figures if len(lifted) else dict.fromkeys(_FIGURES, float("nan"))),
    )


def _errors(rows: HypothesisSequence, truth_m: NDArray[np.float64], root: Root) -> NDArray[np.float64]:
    """(6, N) errors of N lifted poses in the order of the figures."""
    origin = _ROOT_JOINTS[root]
    truth = (truth_m - truth_m[:, origin].mean(axis=1, keepdims=True))[:, None]
    weights = rows.mixing_coefficients.astype(np.float64)
    candidates = np.concatenate([rows.means_m, PoseMixture(rows).mean_m[:, None]], axis=1)
    candidates = candidates - candidates[:, :, origin].mean(axis=2, keepdims=True)
    figures = []
    for errors in (
        metrics.mpjpe_mm(candidates, truth),
        metrics.pa_mpjpe_mm(candidates, np.broadcast_to(truth, candidates.shape)),
    ):
        components, mean = errors[:, :-1], errors[:, -1]
        figures += [metrics.best_of_m(components), metrics.top_1(components, weights), mean]
    return np.stack(figures)
