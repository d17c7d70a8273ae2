"""A long run of mixed traffic in which memory must stay flat."""

import time
from dataclasses import dataclass

import numpy as np
from accounts import judged
from fault_setting import FaultSettings, Outcome, after, mib, under_load
from process_tree import command_line, descriptors, resident_bytes
from served import Served

SAMPLE_S = 10.0
SETTLE_SHARE = 0.25
KINDS = ("infer", "infer", "infer", "lift", "lift", "several", "stream", "error", "cancel", "large")
FLAT_MIB_PER_HOUR = 12.0
TWO_SIDED_95 = 1.96


@dataclass(frozen=True, kw_only=True)
class Slope:
    """A straight line through memory over time.

    Attributes:
        per_hour: MiB per hour.
        margin: Half the width of its 95 % interval, with samples counted as fewer than they are for being alike.
        last: MiB at the end.
    """

    per_hour: float
    margin: float
    last: float

    @property
    def is_flat(self) -> bool:
        """Whether growth, if there is any, is small or cannot be told from none."""
        return self.per_hour - self.margin <= 0 or self.per_hour <= FLAT_MIB_PER_HOUR


def fit(times_s: list[float], sizes_mib: list[float]) -> Slope:
    """Least squares; the samples' number is reduced for the correlation of each residual with the one before it."""
    hours, sizes = np.array(times_s) / 3600, np.array(sizes_mib)
    if len(hours) < 4:
        return Slope(per_hour=0.0, margin=float("inf"), last=float(sizes[-1]))
    slope, start = np.polyfit(hours, sizes, 1)
    rest = sizes - (slope * hours + start)
    power = float(rest @ rest)
    alike = max(float(rest[1:] @ rest[:-1]) / power, 0.0) if power > 0 else 0.0
    effective = max(len(hours) * (1 - alike) / (1 + alike), 3.0)
    spread = float(((hours - hours.mean()) ** 2).mean())
    margin = TWO_SIDED_95 * float(np.sqrt(power / len(hours) / spread / (effective - 2)))
    return Slope(per_hour=float(slope), margin=margin, last=float(sizes[-1]))


def soak(settings: FaultSettings) -> Outcome:
    """Mixed traffic for many minutes: calls of all kinds, errors, cancellations; memory of every process is sampled."""
    times: list[float] = []
    samples: list[dict[int, int]] = []
    files: list[int] = []
    with under_load(settings, workers=2, kinds=KINDS) as (served, running):
        began = time.monotonic()
        while time.monotonic() - began < 60 * settings.minutes:
            time.sleep(min(SAMPLE_S, 60 * settings.minutes))
            times.append(time.monotonic() - began)
            samples.append(resident_bytes(served.pid))
            files.append(sum(descriptors(served.pid).values()))
        account = running.finish()
        names = {pid: _name(served, pid) for pid in samples[-1]}
        failures = judged(account, allowed=("CANCELLED",)) + after(served)
    slopes = _slopes(times, samples, names)
    growing = {name: slope for name, slope in slopes.items() if not slope.is_flat}
    failures += tuple(f"{name} grows by {slope.per_hour:.1f} MiB/h" for name, slope in growing.items())
    if set(samples[0]) != set(samples[-1]):
        failures += ("processes came or went",)
    notes = [f"{name}: {s.last:.0f} MiB, {s.per_hour:+.1f} ± {s.margin:.1f} MiB/h" for name, s in slopes.items()]
    notes.append(f"descriptors {files[0]} to {files[-1]}")
    figures: dict[str, object] = {"times_s": times, "resident_bytes": samples, "descriptors": files, "names": names}
    return Outcome(
        scenario=f"soak of {settings.minutes:g} minutes",
        account=account, failures=failures, notes=tuple(notes), figures=figures,
    )  # fmt: skip


def _slopes(times_s: list[float], samples: list[dict[int, int]], names: dict[int, str]) -> dict[str, Slope]:
    skip = int(len(times_s) * SETTLE_SHARE)
    kept = list(zip(times_s, samples, strict=True))[skip:]
    return {
        name: fit([at for at, sizes in kept if pid in sizes], [mib(sizes[pid]) for _, sizes in kept if pid in sizes])
        for pid, name in names.items()
    }


def _name(served: Served, pid: int) -> str:
    if pid == served.pid:
        return f"server {pid}"
    module = command_line(pid).partition("-m ")[2].split(" ")[0].rpartition(".")[2]
    return f"{module or 'process'} {pid}"
