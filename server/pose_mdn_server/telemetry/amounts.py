"""Numbers for people, in few characters."""

from collections.abc import Sequence

_BARS = " ▁▂▃▄▅▆▇█"


def rate_text(per_s: float) -> str:
    """As "0", "0.4", "12.3", "980", "12,340", "1.23M"."""
    if per_s >= 1e6:
        return f"{per_s / 1e6:.2f}M"
    return "0" if per_s == 0 else f"{per_s:.1f}" if per_s < 99.95 else f"{per_s:,.0f}"


def count_text(count: float) -> str:
    """As "12,340"."""
    return f"{count:,.0f}"


def seconds_text(seconds: float | None) -> str:
    """As "85µs", "1.24ms", "12.4ms", "3.1s"; "-" for none."""
    if seconds is None:
        return "-"
    if seconds < 0.9995e-3:
        return f"{seconds * 1e6:.0f}µs"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.3g}ms"
    return f"{seconds:.2g}s"


def bytes_text(count: float) -> str:
    """As "312 MB", "1.2 GB", in powers of ten."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def duration_text(seconds: float) -> str:
    """As "42s", "3m 20s", "5h 12m", "3d 4h"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (rest, "s")]
    first = next((index for index, (amount, _) in enumerate(parts) if amount), 3)
    return " ".join(f"{amount}{unit}" for amount, unit in parts[first : first + 2])


def sparkline(values: Sequence[float], width: int) -> str:
    """The last values as bars, the highest of them full."""
    last = list(values)[-width:]
    highest = max(last, default=0.0)
    if highest <= 0.0:
        return ""
    return "".join(_BARS[max(round(value / highest * (len(_BARS) - 1)), 1 if value > 0 else 0)] for value in last)
