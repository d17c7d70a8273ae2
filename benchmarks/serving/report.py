"""Tables as Markdown, and results as JSON with all that is needed to judge them."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

PACKAGES = ("pose-mdn", "grpcio", "protobuf", "numpy", "onnxruntime")


def machine() -> dict[str, object]:
    """What ran this: processor, cores, memory, kernel, load, versions."""
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in _read("/proc/cpuinfo").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory_kib = next((int(line.split()[1]) for line in _read("/proc/meminfo").splitlines() if "MemTotal" in line), 0)
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "memory_gib": round(memory_kib / 1024**2, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_average": os.getloadavg(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "versions": {name: metadata.version(name) for name in PACKAGES},
        "h2load": _first_line(["h2load", "--version"]),
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _first_line(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip().partition("\n")[0]
    except OSError:
        return "none"


def markdown(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; the first column is text, the others are numbers."""
    lines = [f"| {' | '.join(columns)} |", f"|{'|'.join(['---'] + ['---:'] * (len(columns) - 1))}|"]
    lines += [f"| {' | '.join(map(shown, row))} |" for row in rows]
    return "\n".join(lines)


def shown(value: object) -> str:
    """A number with three digits that count, anything else as it is."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def heading() -> str:
    """One line that says where figures come from."""
    facts = machine()
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return (
        f"{facts['processor']}, {facts['cores']} cores, Linux {facts['kernel']}, Python {facts['python']}, {versions}, "
        f"{facts['h2load']}; {facts['time']}, load average {os.getloadavg()[0]:.2f}"
    )


def write_json(path: Path | None, results: Mapping[str, object]) -> None:
    """Write results with the machine beside them; nothing if there is no path."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), **results}, indent=1, default=str) + "\n")


def put_into_page(page: Path | None, name: str, text: str) -> None:
    """Replace what a document holds between `<!-- NAME -->` and `<!-- end of NAME -->`; nothing if there is no page.

    Raises:
        ValueError: The page has no such place.
    """
    if page is None:
        return
    before, opening, rest = page.read_text().partition(f"<!-- {name} -->\n")
    _, closing, after = rest.partition(f"<!-- end of {name} -->\n")
    if not opening or not closing:
        raise ValueError(f"{page}: expected a place <!-- {name} --> ... <!-- end of {name} -->, got none; add it")
    page.write_text(f"{before}{opening}\n{text.strip()}\n\n{closing}{after}")
