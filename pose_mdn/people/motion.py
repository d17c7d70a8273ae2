r"""How people who are followed move, and how surprising it would be to see each of them as each row of a frame.

The state of a track is where its joints are in the picture and how fast they go. Lengths are in parts of the person's
size s (the diagonal of the box around the joints), times in seconds, so that neither resolution nor frame rate matters.

**Prediction** over a time t: velocities fade, because nobody keeps one for long. The body moves by v T (1 - e^(-t/T)),
T = 0.8 s, and each joint in addition by its own velocity relative to the body, with T = 0.12 s.

**Surprise**, in nats, of a row whose joints differ from the predicted ones by d_j: the logarithm of how much less
probable the row is as this person than as anybody. The difference is split into that of the body, b, the mean of
the d_j, and the posture's, d_j - b, whose joints move together and so count as K = 4 independent ones:

    |b|² (1/2β² - 1/2β₀²) + 2 ln(β / β₀)  +  K [ mean_j (ρ(|d_j - b| / π) - ρ(|d_j - b| / π₀)) + 2 ln(π / π₀) ]

with ρ(x) = min(x² / 2, 4); bodies that leap at times give the first part a second, wider Gaussian. Body and posture get
uncertain with time, β = √(β₁² + (β₂ t)²) and π likewise, up to the spreads of anybody's, β₀ and π₀; a row with a
negative surprise is more probably this person than a new one. Joints that either does not show are left out. Hypotheses
add terms for the pelvis's depth, for the mixtures' relative depths (`depth_surprise`) and for bone lengths
(`bone_surprise`). The constants were chosen on motions that no figure is reported on.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pose_mdn.distributions.mixture import log_sum_exp
from pose_mdn.people.observations import Depths, Float64Array, Observations

_BODY_FADES_S, _JOINTS_FADE_S = 0.8, 0.12
_ANYWHERE, _ANY_POSTURE = 1.5, 0.12
"""β₀ and π₀: where and in which posture anybody may be seen, per coordinate."""
_BODY_STD, _BODY_DRIFT, _STRANGER_DRIFT = 0.015, 0.5, 1.0
"""β₁, and β₂ per second of tracks whose velocity is known and of tracks seen only once."""
_LEAP, _LEAPS = 0.06, 0.02
"""How far beyond what was to be expected a body leaps at times, and how often."""
_POSTURE_STD, _POSTURE_DRIFT = 0.03, 0.35
"""π₁ and π₂."""
_INDEPENDENT_JOINTS = 4.0
"""K."""
_WORST_JOINT = 4.0
"""Surprise of a joint that the detector put anywhere."""
STRANGER, STRANGERS_ARE_KEPT_S = 3, 0.4
"""Who was seen fewer times is waited for no longer than this: most of them are false detections."""
_FEWEST_JOINTS = 3
"""Fewer joints in common tell nobody apart."""
_LOG_DEPTH_STD, _LOG_DEPTH_DRIFT, _LOG_DEPTH_ANY = 0.06, 0.15, 0.3
"""Of the pelvis's log-depth: from row to row, per second, and between any two people."""
_DEPTH_DRIFT_M, _DEPTH_ANY_M, _INDEPENDENT_DEPTHS = 0.7, 0.35, 1.5
"""Of the joints' relative depths: per second, between any two people, and how many of them are independent."""
_BONES_STD, _BONES_BIAS, _BONES_ANY, _INDEPENDENT_BONES = 0.04, 0.025, 0.045, 4.0
"""Of log-lengths of bones: from row to row, what of it averages do not remove, between people; how many independent."""
_BONES_AVERAGE = 60.0
"""So many of the latest rows count in averages of bone lengths."""
_WRONGLY_LIFTED = 0.05
"""How often a lifted pose says nothing about the person; it bounds what depths can speak against somebody."""
_POSITION_GAIN, _VELOCITY_GAIN, _DEPTH_GAIN = 0.9, 0.5, 0.3
"""Shares of what was not predicted that positions, velocities and the log-depth take over."""
_SIZE_FADES_S = 1.0
"""A person's size is the largest of late: half a person is no small one."""


@dataclass(kw_only=True)
class Tracks:
    """The state of K tracked people; arrays are replaced, never written to.

    Attributes:
        identity: (K,) their numbers.
        points_px: (K, J, 2) joints when last seen, filtered.
        velocity_px: (K, J, 2) per second.
        known: (K, J) joints that were ever seen.
        size_px: (K,) recent size.
        seen_s: (K,) when they were last seen.
        times_seen: (K,) in how many frames.
        depths: With hypotheses, what they last were, the root's depth filtered.
    """

    identity: NDArray[np.int64]
    points_px: Float64Array
    velocity_px: Float64Array
    known: NDArray[np.bool_]
    size_px: Float64Array
    seen_s: Float64Array
    times_seen: NDArray[np.int64]
    depths: Depths | None

    def __len__(self) -> int:
        return len(self.identity)

    @classmethod
    def begin(cls, seen: Observations, identity: NDArray[np.int64], time_s: float) -> "Tracks":
        """Tracks of people who are seen for the first time."""
        return cls(
            identity=identity,
            points_px=seen.points_px,
            velocity_px=np.zeros_like(seen.points_px),
            known=seen.weight > 0,
            size_px=seen.size_px,
            seen_s=np.full(len(seen), time_s),
            times_seen=np.ones(len(seen), np.int64),
            depths=seen.depths,
        )

    def take(self, which: NDArray[np.int64]) -> "Tracks":
        """Some of the tracks."""
        arrays = {name: getattr(self, name)[which] for name in _ARRAYS}
        return Tracks(**arrays, depths=None if self.depths is None else self.depths.take(which))

    def joined_by(self, others: "Tracks") -> "Tracks":
        """These and others."""
        arrays = {name: np.concatenate([getattr(self, name), getattr(others, name)]) for name in _ARRAYS}
        return Tracks(**arrays, depths=_concatenate(self.depths, others.depths))

    def predict(self, time_s: float) -> Float64Array:
        """(K, J, 2) where the joints should be at a time, before or after they were seen."""
        elapsed = (time_s - self.seen_s)[:, None, None]
        weight = self.known[..., None] / np.maximum(self.known.sum(axis=1), 1)[:, None, None]
        body = (weight * self.velocity_px).sum(axis=1, keepdims=True)
        return np.asarray(
            self.points_px
            + body * _faded(elapsed, _BODY_FADES_S)
            + (self.velocity_px - body) * _faded(elapsed, _JOINTS_FADE_S)
        )

    def see(self, seen: Observations, time_s: float) -> "Tracks":
        """The tracks after each was seen as one row (K rows), at another time; it may run backwards."""
        elapsed = (time_s - self.seen_s)[:, None, None]
        predicted = self.predict(time_s)
        both = (self.known & (seen.weight > 0))[..., None]
        difference = np.where(both, seen.points_px - predicted, 0.0)
        shift = difference.sum(axis=1, keepdims=True) / np.maximum(both.sum(axis=1, keepdims=True), 1)
        # Joints that were not seen go along with the body.
        difference = np.where(both, difference, shift)
        # With two sightings the whole difference is velocity; with more, most of it is noise.
        gain = np.where(self.times_seen == 1, 1.0, _VELOCITY_GAIN)[:, None, None]
        new = (~self.known & (seen.weight > 0))[..., None]
        velocity = self.velocity_px + gain * difference / elapsed
        return Tracks(
            identity=self.identity,
            points_px=np.where(new, seen.points_px, predicted + _POSITION_GAIN * difference),
            velocity_px=velocity,
            known=self.known | (seen.weight > 0),
            size_px=np.maximum(seen.size_px, self.size_px * np.exp(-np.abs(elapsed[:, 0, 0]) / _SIZE_FADES_S)),
            seen_s=np.full(len(self), time_s),
            times_seen=self.times_seen + 1,
            depths=_see_depths(self.depths, seen.depths),
        )


_ARRAYS = ("identity", "points_px", "velocity_px", "known", "size_px", "seen_s", "times_seen")


def surprise(
    tracks: Tracks, seen: Observations, time_s: float, *, uncertain_s: Float64Array | None = None
) -> Float64Array:
    """(K, D) surprise, in nats, of seeing each track as each of D rows; infinite where too few joints are in common."""
    elapsed = np.abs(time_s - tracks.seen_s)[:, None] if uncertain_s is None else uncertain_s
    size = np.maximum(tracks.size_px[:, None], seen.size_px)
    weight = np.where(tracks.known[:, None], seen.weight, 0.0)
    total = weight.sum(axis=-1)
    share = (weight / np.maximum(total, 1e-9)[..., None])[..., None]
    difference = (seen.points_px - tracks.predict(time_s)[:, None]) / np.maximum(size, 1e-9)[..., None, None]
    body = (share * difference).sum(axis=2)
    posture = np.square(difference - body[:, :, None]).sum(axis=-1)
    drift = np.where(tracks.times_seen == 1, _STRANGER_DRIFT, _BODY_DRIFT)[:, None]
    body_std = np.minimum(np.hypot(_BODY_STD, drift * elapsed), _ANYWHERE)
    posture_std = np.minimum(np.hypot(_POSTURE_STD, _POSTURE_DRIFT * elapsed), _ANY_POSTURE)
    joints = np.minimum(posture / (2.0 * posture_std**2)[..., None], _WORST_JOINT)
    joints = joints - np.minimum(posture / (2.0 * _ANY_POSTURE**2), _WORST_JOINT)
    nats = _body_surprise(np.square(body).sum(axis=-1), body_std) + _INDEPENDENT_JOINTS * (
        (share[..., 0] * joints).sum(axis=-1) + 2.0 * np.log(posture_std / _ANY_POSTURE)
    )
    if tracks.depths is not None and seen.depths is not None:
        lifted = depth_surprise(tracks.depths, seen.depths, elapsed) + bone_surprise(tracks.depths, seen.depths)
        # Some lifted poses are simply wrong; of those nothing follows.
        nats = nats - np.log((1.0 - _WRONGLY_LIFTED) * np.exp(-lifted) + _WRONGLY_LIFTED)
    return np.where((weight > 0).sum(axis=-1) >= _FEWEST_JOINTS, nats, np.inf)


def _body_surprise(square: Float64Array, std: Float64Array) -> Float64Array:
    """(K, D) of squared distances; a mixture of what was to be expected and of a leap."""
    expected, leap = (
        square * (0.5 / s**2 - 0.5 / _ANYWHERE**2) + 2.0 * np.log(s / _ANYWHERE) for s in (std, np.hypot(std, _LEAP))
    )
    return np.asarray(-np.logaddexp(np.log1p(-_LEAPS) - expected, np.log(_LEAPS) - leap))


def depth_surprise(before: Depths, after: Depths, elapsed_s: Float64Array) -> Float64Array:
    """(K, D) surprise of the depths of D rows after those of K; 0 where one of the two was not lifted.

    The pelvis's log-depth is a Gaussian. The postures' depths are the same if the overlap of the two mixtures,
    the sum over pairs of components of α_a α_b N(μ_a - μ_b; 0, σ_a² + σ_b² + drift²), is larger than between anybody's.

    Args:
        before: Of K tracks.
        after: Of D rows.
        elapsed_s: (K, 1) time in between.
    """
    root_std = np.minimum(np.hypot(_LOG_DEPTH_STD, _LOG_DEPTH_DRIFT * elapsed_s), _LOG_DEPTH_ANY)
    root = np.square((after.log_root - before.log_root[:, None]) / root_std) / 2.0 + np.log(root_std / _LOG_DEPTH_ANY)
    variance = (
        np.square(before.std_m)[:, None, :, None]
        + np.square(after.std_m)[None, :, None]
        + np.square(_DEPTH_DRIFT_M * elapsed_s)[..., None, None, None]
    )
    difference = before.relative_m[:, None, :, None] - after.relative_m[None, :, None]
    joints = np.minimum(np.square(difference) / (2.0 * variance), _WORST_JOINT)
    # Where a mixture itself is as wide as anybody's depths, there is nothing to learn.
    joints = joints + np.minimum(0.5 * np.log(variance / _DEPTH_ANY_M**2), 0.0)
    pairs = before.log_mixing[:, None, :, None] + after.log_mixing[None, :, None]
    pairs = pairs - _INDEPENDENT_DEPTHS * joints.mean(axis=-1)
    overlap = log_sum_exp(pairs.reshape(*pairs.shape[:2], -1))
    return np.asarray(np.nan_to_num(np.minimum(root, _WORST_JOINT) - overlap, nan=0.0))


def bone_surprise(before: Depths, after: Depths) -> Float64Array:
    """(K, D) surprise of the bone lengths of D rows after those of K; 0 where one of the two was not lifted.

    Lengths differ between people by `_BONES_ANY` and, from row to row of one person, by `_BONES_STD`, of which the part
    `_BONES_BIAS` does not average out.
    """
    own = _BONES_BIAS**2 + _BONES_STD**2 * (
        1.0 / np.maximum(np.minimum(before.times, _BONES_AVERAGE), 1.0)[:, None]
        + 1.0 / np.maximum(np.minimum(after.times, _BONES_AVERAGE), 1.0)
    )
    anybody = own + 2.0 * _BONES_ANY**2
    square = np.square(before.log_bones[:, None] - after.log_bones)
    own_fit = np.minimum(square / (2.0 * own)[..., None], _WORST_JOINT)
    any_fit = np.minimum(square / (2.0 * anybody)[..., None], _WORST_JOINT)
    fit = (own_fit - any_fit).mean(axis=-1) + 0.5 * np.log(own / anybody)
    return np.asarray(np.nan_to_num(_INDEPENDENT_BONES * fit, nan=0.0))


def _faded(elapsed_s: Float64Array, fades_s: float) -> Float64Array:
    """For how long a velocity that fades would have to last to go as far."""
    return np.asarray(np.sign(elapsed_s) * fades_s * -np.expm1(-np.abs(elapsed_s) / fades_s))


def _see_depths(before: Depths | None, now: Depths | None) -> Depths | None:
    if before is None or now is None:
        return now if before is None else before
    lifted = np.isfinite(now.log_root)
    step = np.where(np.isfinite(before.log_root), _DEPTH_GAIN, 1.0) * (now.log_root - np.nan_to_num(before.log_root))

    def newest(old: Float64Array, new: Float64Array) -> Float64Array:
        return np.where(lifted.reshape(-1, *[1] * (new.ndim - 1)), new, old)

    times = before.times + lifted
    share = (lifted / np.maximum(np.minimum(times, _BONES_AVERAGE), 1.0))[:, None]
    return Depths(
        log_root=np.where(lifted, np.nan_to_num(before.log_root) + step, before.log_root),
        relative_m=newest(before.relative_m, now.relative_m),
        std_m=newest(before.std_m, now.std_m),
        log_mixing=newest(before.log_mixing, now.log_mixing),
        log_bones=np.where(
            share > 0, (1.0 - share) * np.nan_to_num(before.log_bones) + share * now.log_bones, before.log_bones
        ),
        times=times,
    )


def _concatenate(first: Depths | None, second: Depths | None) -> Depths | None:
    if first is None or second is None:
        return None
    names = [field.name for field in fields(Depths)]
    return Depths(**{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in names})
