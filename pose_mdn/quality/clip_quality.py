"""The figures of one clip."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from pose_mdn.errors import InputError

Figure = int | float | str | None


@dataclass(frozen=True, kw_only=True)
class ClipQuality:
    """What can be said of one clip without looking at it. A figure of nothing, as of a clip without poses, is `None`.

    Shares are from 0 to 1. Errors, missing joints and plausibility speak of the most probable hypothesis of each row.

    Attributes:
        rows: Rows of the clip, whatever became of them.
        lifted: Rows that hold a pose.
        nobody: Rows of frames in which nobody was seen.
        people: Different identities; where people are not tracked, the most that were seen in one frame.
        frames: Different frame numbers; an estimate within about 1 % if there are more than 65,536.
        duration_s: From the first frame to the last; `None` if the frame rate is unknown.
        lifted_share: Of all rows.
        refused_share: Rows of people that could not be lifted, of all rows of people.
        reprojection_px: Median of the reprojection errors, RMS over a row's joints.
        reprojection_p95_px: Their 95th percentile.
        reprojection_of_size: Median of the same in parts of the person's size, the diagonal of the box around the
            joints seen.
        reprojection_p95_of_size: The 95th percentile of that.
        missing_share: Joints that were not seen, of those that the detector's layout has, in rows of people.
        worst_joint: The joint that is missing most often; `None` if none is missing.
        worst_joint_share: In how many rows of people it is missing.
        out_of_distribution_share: Rows that look like no person as the model knows people, of those that have a score.
        implausible_share: Lifted rows whose bones or joints no human being has.
        worst_limit: What is broken most often: "bones", or a name of `pose_mdn.geometry.joint_limits.LIMIT_NAMES`.
        depth_std_m: Median over rows of the standard deviation of joints' depths under the whole mixture.
    """

    rows: int
    lifted: int
    nobody: int
    people: int
    frames: int
    duration_s: float | None
    lifted_share: float | None
    refused_share: float | None
    reprojection_px: float | None
    reprojection_p95_px: float | None
    reprojection_of_size: float | None
    reprojection_p95_of_size: float | None
    missing_share: float | None
    worst_joint: str | None
    worst_joint_share: float | None
    out_of_distribution_share: float | None
    implausible_share: float | None
    worst_limit: str | None
    depth_std_m: float | None

    def to_dict(self) -> dict[str, Figure]:
        """The figures by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, figures: Mapping[str, object]) -> Self:
        """The figures that `to_dict` gave; names of later versions are passed over.

        Raises:
            InputError: A figure is missing or of the wrong kind.
        """
        values: dict[str, Any] = {field.name: _checked(field.name, str(field.type), figures) for field in fields(cls)}
        return cls(**values)


_KINDS: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,), "None": (type(None),)}


def _checked(name: str, annotation: str, figures: Mapping[str, object]) -> object:
    kind = annotation.removeprefix("<class '").removesuffix("'>")
    value = figures.get(name, Ellipsis)
    allowed = tuple(type_ for part in kind.split(" | ") for type_ in _KINDS[part])
    is_finite = not isinstance(value, float) or math.isfinite(value)
    if isinstance(value, allowed) and not isinstance(value, bool) and is_finite:
        return value
    got = "nothing" if value is Ellipsis else repr(value)[:40]
    raise InputError(f"quality: expected {kind} as {name!r}, got {got}; compute the quality again", field=name)
