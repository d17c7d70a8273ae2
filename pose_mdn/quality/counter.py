"""Counting a clip's quality, piece by piece."""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.joint_limits import LIMIT_NAMES, TOLERANCE_RAD, limit_excess_rad
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.status import Status
from pose_mdn.quality.clip_quality import ClipQuality
from pose_mdn.quality.distinct import DistinctCounter
from pose_mdn.quality.histogram import LogHistogram
from pose_mdn.reprojection.bones import has_human_bones
from pose_mdn.skeletons import HUMAN36M17, SKELETONS
from pose_mdn.skeletons.mapping import mapping_table

_BLOCK_ROWS = 4096
"""Arrays of so many rows stay in the processor's cache."""
_BROKEN = (*LIMIT_NAMES, "bones")
_NO_FRAME = (np.iinfo(np.int64).max, np.iinfo(np.int64).min)


def clip_quality(hypotheses: HypothesisSequence) -> ClipQuality:
    """The quality of a whole clip."""
    counter = QualityCounter()
    counter.add(hypotheses)
    return counter.result()


class QualityCounter:
    """Counts of rows, in bounded memory; the result is the same however the rows were cut, in whatever order.

    Counters of parts that were lifted apart can be merged.
    """

    def __init__(self) -> None:
        self._rows = self._lifted = self._nobody = self._scored = self._doubtful = self._implausible = 0
        self._seen = np.zeros(HUMAN36M17.num_joints, np.int64)
        self._broken = np.zeros(len(_BROKEN), np.int64)
        self._error_px = LogHistogram(smallest=1e-3)
        self._error_of_size = LogHistogram(smallest=1e-5)
        self._depth_std_m = LogHistogram(smallest=1e-5)
        self._frames, self._people = DistinctCounter(), DistinctCounter()
        self._first, self._last = _NO_FRAME
        self._fps: float | None = None
        self._layout = ""

    def add(self, part: HypothesisSequence) -> None:
        """Count N rows of the clip."""
        self._describe(part.fps, part.source_skeleton)
        for start in range(0, len(part), _BLOCK_ROWS):
            self._add_block(part.take(slice(start, start + _BLOCK_ROWS)))

    def merge(self, other: "QualityCounter") -> None:
        """Count what another counter has counted of the same clip."""
        self._describe(other._fps, other._layout)
        for name in ("_rows", "_lifted", "_nobody", "_scored", "_doubtful", "_implausible", "_seen", "_broken"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("_error_px", "_error_of_size", "_depth_std_m", "_frames", "_people"):
            getattr(self, name).merge(getattr(other, name))
        self._first, self._last = min(self._first, other._first), max(self._last, other._last)

    def result(self) -> ClipQuality:
        """The figures of all rows so far."""
        people_rows = self._rows - self._nobody
        missing, joint, joint_share = self._missing(people_rows)
        duration = (self._last - self._first + 1) / self._fps if self._fps and self._rows else None
        return ClipQuality(
            rows=self._rows,
            lifted=self._lifted,
            nobody=self._nobody,
            people=self._people.count(),
            frames=self._frames.count(),
            duration_s=_rounded(duration),
            lifted_share=_share(self._lifted, self._rows),
            refused_share=_share(people_rows - self._lifted, people_rows),
            reprojection_px=_rounded(self._error_px.quantile(0.5)),
            reprojection_p95_px=_rounded(self._error_px.quantile(0.95)),
            reprojection_of_size=_rounded(self._error_of_size.quantile(0.5)),
            reprojection_p95_of_size=_rounded(self._error_of_size.quantile(0.95)),
            missing_share=missing,
            worst_joint=joint,
            worst_joint_share=joint_share,
            out_of_distribution_share=_share(self._doubtful, self._scored),
            implausible_share=_share(self._implausible, self._lifted),
            worst_limit=_BROKEN[int(self._broken.argmax())] if self._implausible else None,
            depth_std_m=_rounded(self._depth_std_m.quantile(0.5)),
        )

    def _describe(self, fps: float | None, layout: str) -> None:
        self._fps = self._fps or fps
        self._layout = self._layout or layout

    def _add_block(self, rows: HypothesisSequence) -> None:
        nobody = rows.status == Status.NO_PERSON
        lifted = rows.lifted
        self._rows += len(rows)
        self._nobody += int(nobody.sum())
        self._lifted += int(lifted.sum())
        self._seen += ((rows.confidence > 0) & ~nobody[:, None]).sum(axis=0)
        self._frames.add(rows.frame)
        self._people.add(rows.person[rows.person >= 0])
        self._first = min(self._first, int(rows.frame.min()))
        self._last = max(self._last, int(rows.frame.max()))
        if lifted.any():
            # Files may hold anything; what is no number is counted as none, or as no human pose.
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                self._add_lifted(rows if lifted.all() else rows.take(lifted))

    def _add_lifted(self, rows: HypothesisSequence) -> None:
        index = np.arange(len(rows)), rows.most_probable
        error_px = rows.reprojection_error_px[index]
        self._error_px.add(error_px)
        self._error_of_size.add(error_px / _person_size_px(rows))
        self._depth_std_m.add(_depth_std_m(rows))
        self._scored += int(np.isfinite(rows.ood_score).sum())
        self._doubtful += int(rows.out_of_distribution.sum())
        pose_m = rows.means_m[index]
        # `not <=` rather than `>`, so that NaN is no human pose.
        broken = np.concatenate(
            [~(limit_excess_rad(pose_m) <= TOLERANCE_RAD), ~has_human_bones(pose_m)[:, None]], axis=1
        )
        self._broken += broken.sum(axis=0)
        self._implausible += int(broken.any(axis=1).sum())

    def _missing(self, people_rows: int) -> tuple[float | None, str | None, float | None]:
        """Share of joints not seen, the joint that is missing most, and its share."""
        provided = _provided_joints(self._layout) | (self._seen > 0)
        missing = np.where(provided, people_rows - self._seen, 0)
        worst = int(missing.argmax())
        share = _share(int(missing.sum()), people_rows * int(provided.sum()))
        if missing[worst] == 0:
            return share, None, None
        return share, HUMAN36M17.joint_names[worst], _share(int(missing[worst]), people_rows)


def _provided_joints(layout: str) -> NDArray[np.bool_]:
    """(17,) which joints a layout gives; none of a layout that is not known by name."""
    if layout not in SKELETONS:
        return np.zeros(HUMAN36M17.num_joints, np.bool_)
    return np.array([bool(sources) for sources in mapping_table(SKELETONS[layout]).values()])


def _person_size_px(rows: HypothesisSequence) -> NDArray[np.floating]:
    """(N,) diagonal of the box around the joints seen; infinite where there is none, so that no error is large."""
    seen = (rows.confidence > 0) & np.isfinite(rows.keypoints_px[..., 0]) & np.isfinite(rows.keypoints_px[..., 1])
    extent = []
    for axis in range(2):
        along = rows.keypoints_px[..., axis]
        extent.append(np.where(seen, along, -np.inf).max(axis=1) - np.where(seen, along, np.inf).min(axis=1))
    size = np.sqrt(extent[0] * extent[0] + extent[1] * extent[1])
    return np.where(seen.any(axis=1), np.maximum(size, 1e-6), np.inf)


def _depth_std_m(rows: HypothesisSequence) -> NDArray[np.floating]:
    """(N,) standard deviation of the joints' depths under the mixture, averaged over all joints but the pelvis.

    By the law of total variance, Var[z] = Σ a (s² + z²) − (Σ a z)², z along the line of sight.
    """
    count, m, joints = rows.means_m.shape[:3]
    depth = np.matmul(rows.means_m.reshape(count, m * joints, 3), rows.view_rotation[:, :, 2:])
    depth = depth.reshape(count, m, joints)
    weights = rows.mixing_coefficients[:, None, :]
    along = rows.std_m[..., 1]
    variance = np.matmul(weights, depth * depth + along * along) - np.square(np.matmul(weights, depth))
    return np.asarray(np.sqrt(np.maximum(variance[:, 0, 1:], 0.0)).mean(axis=1))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _rounded(value: float | None) -> float | None:
    """Four digits: more than a histogram knows, and fewer to write."""
    return None if value is None else float(f"{value:.4g}")
