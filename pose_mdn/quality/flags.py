"""What to look at in a clip, and what to do about it.

Thresholds lie above what the worst of 100 good clips of the validation subjects reached, and below what the same clips
reach when something is wrong with them: `python benchmarks/clip_quality.py`, with its tables in docs/folder_page.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pose_mdn.quality.clip_quality import ClipQuality
from pose_mdn.reprojection.diagnosis import AGREES_BELOW


class Level(StrEnum):
    """How serious a flag is."""

    WARN = "warn"
    """Look at the clip before you rely on it."""
    BAD = "bad"
    """Do not rely on it."""


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """When a figure raises a flag.

    Attributes:
        figure: Name of a figure of `ClipQuality`, of which more is worse.
        warn: A larger figure warns.
        bad: A larger figure says that the clip is not to be relied on; none does if it is infinite.
    """

    figure: str
    warn: float
    bad: float = float("inf")


@dataclass(frozen=True, kw_only=True)
class Flag:
    """Something to look at.

    Attributes:
        name: One or two words, as people filter by it.
        level: How serious it is.
        text: What was found, and what to do; two sentences.
    """

    name: str
    level: Level
    text: str


FLAGS: dict[str, tuple[Threshold, ...]] = {
    "nothing lifted": (),
    "refused rows": (Threshold(figure="refused_share", warn=0.05, bad=0.5),),
    "nobody": (Threshold(figure="nobody_share", warn=0.5),),
    "not a person": (Threshold(figure="out_of_distribution_share", warn=0.05, bad=0.5),),
    "reprojection": (
        Threshold(figure="reprojection_of_size", warn=AGREES_BELOW, bad=2 * AGREES_BELOW),
        Threshold(figure="reprojection_p95_of_size", warn=0.12),
    ),
    "missing joints": (
        Threshold(figure="missing_share", warn=0.12, bad=0.3),
        Threshold(figure="worst_joint_share", warn=0.5),
    ),
    "implausible": (Threshold(figure="implausible_share", warn=0.4, bad=0.8),),
    "uncertain": (Threshold(figure="depth_std_m", warn=0.1, bad=0.2),),
}
"""Every flag, the gravest first, with the thresholds of which any raises it."""


def quality_flags(quality: ClipQuality) -> tuple[Flag, ...]:
    """The flags of a clip, in the order of `FLAGS`; none if all is well."""
    return tuple(_flags(quality))


def _flags(quality: ClipQuality) -> Iterator[Flag]:
    if quality.lifted == 0:
        yield Flag(name="nothing lifted", level=Level.BAD, text=_nothing(quality))
        return
    for name, thresholds in FLAGS.items():
        levels = [_level(_figure(quality, threshold.figure), threshold) for threshold in thresholds]
        raised = [level for level in levels if level is not None]
        if raised:
            level = Level.BAD if Level.BAD in raised else Level.WARN
            yield Flag(name=name, level=level, text=_TEXTS[name](quality))


def _figure(quality: ClipQuality, name: str) -> float | None:
    if name == "nobody_share":
        return quality.nobody / quality.rows
    value: float | None = getattr(quality, name)
    return value


def _level(value: float | None, threshold: Threshold) -> Level | None:
    if value is None or not value > threshold.warn:
        return None
    return Level.BAD if value > threshold.bad else Level.WARN


def _nothing(quality: ClipQuality) -> str:
    if quality.nobody == quality.rows:
        found = "Nobody was seen in any frame." if quality.rows else "The clip has no rows."
        return f"{found} See whether the detector found people at all."
    return (
        f"None of {quality.rows} rows could be lifted. "
        "See whether confidences are from 0 to 1, joints are named rightly, and --min-confidence is not too high."
    )


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0.0):.3g} %"


def _joint(quality: ClipQuality) -> str:
    return (quality.worst_joint or "no joint").replace("_", " ")


_TEXTS = {
    "refused rows": lambda q: (
        f"{_percent(q.refused_share)} of the people seen could not be lifted: too few joints, or all in one point. "
        "Try a lower --min-confidence, or look at those frames."
    ),
    "nobody": lambda q: (
        f"In {_percent(q.nobody / q.rows)} of the rows nobody was seen. "
        "Cut the clip to where the person is, or run the detector with a lower threshold."
    ),
    "not a person": lambda q: (
        f"{_percent(q.out_of_distribution_share)} of the rows look like no person as the model knows people. "
        "See whether the layout's joint order is right, the picture is upright, and the detector tracks a person."
    ),
    "reprojection": lambda q: (
        f"Poses are off the picture by {_percent(q.reprojection_of_size)} of the person's size in the median, by "
        f"{_percent(q.reprojection_p95_of_size)} in the worst rows. Detections are noisy, or jump to something else; "
        "smooth them, or run pose-mdn check to learn what is wrong."
    ),
    "missing joints": lambda q: (
        f"{_percent(q.missing_share)} of the joints were not seen; {_joint(q)} is missing in "
        f"{_percent(q.worst_joint_share)} of the rows. What is missing is guessed, with wide standard deviations: mind "
        "these, or film the whole body."
    ),
    "implausible": lambda q: (
        f"{_percent(q.implausible_share)} of the poses bend as no body can, mostly at: "
        f"{(q.worst_limit or 'bones').replace('_', ' ')}. "
        "See whether left and right are exchanged, or run pose-mdn refine."
    ),
    "uncertain": lambda q: (
        f"Depths are known to {100 * (q.depth_std_m or 0.0):.3g} cm only, as one standard deviation. "
        "Rely on the whole distribution rather than on one pose; keypoints of less noise or a second view help."
    ),
}
"""What was found and what to do, of a `ClipQuality`."""
