"""A few frames of a clip as one small picture: the 2D keypoints, and beside each the 3D pose seen from another side."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.skeletons import HUMAN36M17

_SHOWN = 3
_KEPT = 64
_WIDTH, _HEIGHT = 360, 480
"""Of a cell, in units of the picture; coordinates are whole numbers."""
_MARGIN = 40
_TURN_RAD = np.radians(55.0)
"""How far to the side the 3D pose is looked at from: far enough that depth shows."""
_CHAINS = {
    "r": (("pelvis", "r_hip", "r_knee", "r_ankle"), ("thorax", "r_shoulder", "r_elbow", "r_wrist")),
    "m": (("pelvis", "spine", "thorax", "neck_nose", "head_top"),),
    "l": (("pelvis", "l_hip", "l_knee", "l_ankle"), ("thorax", "l_shoulder", "l_elbow", "l_wrist")),
}
_STYLE = (
    "path{fill:none;stroke-width:22;stroke-linecap:round;stroke-linejoin:round}"
    ".l{stroke:#c2384a}.r{stroke:#1f6fb2}.m{stroke:#4b5560}.b{fill:#e9edf2}"
    "@media(prefers-color-scheme:dark){.l{stroke:#ff7f8b}.r{stroke:#62b0f5}.m{stroke:#aab4c0}.b{fill:#262d36}}"
)

Points = NDArray[np.float64]


class ThumbnailRows:
    """Keeps rows for a thumbnail while a clip passes in pieces: at most 64, the same however it was cut."""

    def __init__(self) -> None:
        self._lifted = 0
        self._rank: NDArray[np.int64] = np.empty(0, np.int64)
        self._rows: HypothesisSequence | None = None

    def add(self, part: HypothesisSequence) -> None:
        """See the next rows of the clip, in order."""
        lifted = np.flatnonzero(part.lifted)
        rank = self._lifted + np.arange(len(lifted))
        self._lifted += len(lifted)
        # Every k-th lifted row, k a power of two that grows with the clip, so that what was kept holds what will be.
        stride = 1
        while self._lifted > _KEPT * stride:
            stride *= 2
        chosen = rank % stride == 0
        kept = self._rank % stride == 0
        parts = (
            [part.take(lifted[chosen])] if self._rows is None else [self._rows.take(kept), part.take(lifted[chosen])]
        )
        self._rows = HypothesisSequence.concatenate(parts)
        self._rank = np.concatenate([self._rank[kept], rank[chosen]])

    def svg(self) -> str:
        """The picture; empty if nothing was lifted."""
        return "" if self._rows is None or not len(self._rows) else thumbnail_svg(self._rows)


def thumbnail_svg(hypotheses: HypothesisSequence) -> str:
    """Draw three rows of the person who is there most, one from each third of the clip.

    Args:
        hypotheses: N rows.

    Returns:
        An SVG document of less than 3 kB to be used as an image, light or dark as the reader likes; left limbs are
        red, right ones blue. Empty if there is nothing to draw.
    """
    rows = _shown_rows(hypotheses)
    if not len(rows):
        return ""
    cells = [_cell(hypotheses, int(row), 2 * index * _WIDTH) for index, row in enumerate(rows)]
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {2 * _SHOWN * _WIDTH} {_HEIGHT}'>"
        f"<style>{_STYLE}</style>{''.join(cells)}</svg>"
    )


def _shown_rows(hypotheses: HypothesisSequence) -> NDArray[np.int64]:
    """The rows to draw: in each third the one that is most complete, likeliest a person and nearest to the middle."""
    usable = np.flatnonzero(hypotheses.lifted & np.isfinite(hypotheses.means_m).all(axis=(1, 2, 3)))
    if not len(usable):
        return usable
    people, counts = np.unique(hypotheses.person[usable], return_counts=True)
    usable = usable[hypotheses.person[usable] == people[counts.argmax()]]
    usable = usable[np.argsort(hypotheses.frame[usable], kind="stable")]
    chosen = []
    for third in np.array_split(usable, _SHOWN):
        if len(third):
            missing = (hypotheses.confidence[third] <= 0).sum(axis=1)
            from_middle = np.abs(np.arange(len(third)) - (len(third) - 1) / 2)
            chosen.append(third[np.lexsort((from_middle, missing, hypotheses.out_of_distribution[third]))[0]])
    return np.array(chosen, np.int64)


def _cell(hypotheses: HypothesisSequence, row: int, left: int) -> str:
    seen = (hypotheses.confidence[row] > 0) & np.isfinite(hypotheses.keypoints_px[row]).all(axis=-1)
    picture = np.where(seen[:, None], hypotheses.keypoints_px[row].astype(np.float64), np.nan)
    pose = hypotheses.means_m[row, hypotheses.most_probable[row]].astype(np.float64)
    turned = np.stack([np.cos(_TURN_RAD) * pose[:, 0] + np.sin(_TURN_RAD) * pose[:, 2], pose[:, 1]], axis=1)
    depth = np.cos(_TURN_RAD) * pose[:, 2] - np.sin(_TURN_RAD) * pose[:, 0]
    frame = f"<rect class='b' x='{left + 10}' y='10' width='{_WIDTH - 20}' height='{_HEIGHT - 20}' rx='30'/>"
    return frame + _drawn(picture, pose[:, 2], left) + _drawn(turned, depth, left + _WIDTH)


def _drawn(points: Points, depth: Points, left: int) -> str:
    """Three paths, what is behind first, as large as the cell allows."""
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    room = np.array([_WIDTH, _HEIGHT]) - 2 * _MARGIN
    scale = float(np.min(room / np.maximum(high - low, 1e-9)))
    placed = (points - (low + high) / 2) * scale + [left + _WIDTH / 2, _HEIGHT / 2]
    place = dict(zip(HUMAN36M17.joint_names, placed, strict=True))
    far = dict(zip(HUMAN36M17.joint_names, depth, strict=True))
    order = sorted(_CHAINS, key=lambda side: -float(np.mean([far[name] for chain in _CHAINS[side] for name in chain])))
    return "".join(f"<path class='{side}' d='{''.join(_lines(place, side))}'/>" for side in order)


def _lines(place: dict[str, Points], side: str) -> Iterator[str]:
    for chain in _CHAINS[side]:
        # Joints that were not seen are passed over: the line goes on to the next one.
        spots = [place[name].round().astype(int) for name in chain if np.isfinite(place[name]).all()]
        if len(spots) > 1:
            yield "M" + "L".join(f"{x} {y}" for x, y in spots)
