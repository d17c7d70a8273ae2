"""Token buckets, each kept as a single number.

The generic cell rate algorithm (ITU-T I.371, annex A): instead of a level that drains, a bucket remembers the moment at
which it will be full again. Taking n moves that moment by n / rate. A bucket may be behind by as much as it holds.
"""

from typing import NamedTuple

BURST_NS = 1_000_000_000
"""What a full bucket holds: as much as comes in one second, and one at least."""


class Account:
    """What is known of a client; times are `CLOCK_MONOTONIC` in nanoseconds.

    Attributes:
        name: Of the client.
        calls_full_at: When its bucket of calls is full again.
        poses_full_at: As above, of poses.
        used_at: When it last took something; 0 if it never did.
    """

    __slots__ = ("calls_full_at", "group_at", "key", "name", "poses_full_at", "slot_at", "used_at")

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls_full_at = 0
        self.poses_full_at = 0
        self.used_at = 0
        # Where a file keeps it.
        self.key = b""
        self.group_at = 0
        self.slot_at = 0


class Bucket(NamedTuple):
    """A rate, in nanoseconds: how long one unit takes to come back, and how long a full bucket takes."""

    unit_ns: float
    holds_ns: int

    @classmethod
    def of(cls, per_s: float) -> "Bucket":
        """The bucket of a rate in units per second."""
        unit = 1e9 / per_s
        return cls(unit, max(BURST_NS, int(unit)))


def wait_ns(bucket: Bucket, full_at: int, units: int, now: int) -> int:
    """How long until `units` may be taken, in nanoseconds; 0 or less for now.

    More than a bucket holds may be taken when it is full: a call that is larger than one second's worth goes through,
    and the next one waits for as long as it takes to pay that back. So no call is refused for ever.
    """
    cost = int(units * bucket.unit_ns)
    return full_at - now + min(cost, bucket.holds_ns) - bucket.holds_ns


def take(bucket: Bucket, full_at: int, units: int, now: int) -> int:
    """When the bucket is full again after `units` were taken."""
    return max(full_at, now) + int(units * bucket.unit_ns)
