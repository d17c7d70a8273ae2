"""One self-contained HTML page that shows a sequence of hypotheses: no server, no network, opens from a disk."""

import os
from dataclasses import dataclass
from pathlib import Path

from pose_mdn.errors import ConfigError, InputError
from pose_mdn.formats.atomic import replace_atomically
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.visualization.page import render_page
from pose_mdn.visualization.payload import build_payload

_SCRIPTS = (
    "recording.js", "algebra.js", "orbit_camera.js", "lens.js", "palette.js", "scene_view.js", "picture_view.js",
    "timeline_view.js", "hypotheses_panel.js", "player.js", "main.js",
)  # fmt: skip
"""Concatenated in this order into one scope; each file may use what the files before it define."""


@dataclass(frozen=True, kw_only=True)
class ReportSummary:
    """What was written.

    Attributes:
        path: The page.
        frames_total: Different frames in the sequence.
        frames_shown: Frames in the page; fewer if the data would have exceeded the bound.
        size_bytes: Size of the file.
    """

    path: Path
    frames_total: int
    frames_shown: int
    size_bytes: int


def write_report(
    hypotheses: HypothesisSequence,
    path: str | os.PathLike[str],
    *,
    title: str = "Pose hypotheses",
    max_megabytes: float = 20.0,
    back: str = "",
) -> ReportSummary:
    """Write a page that shows the 2D pose, the M hypotheses in 3D, their weights and uncertainty over time.

    The page makes no request to anywhere and carries a content security policy that forbids it to. About 7,000 rows of
    five hypotheses fit into 20 MB; from longer sequences every k-th frame is kept, and the page says so.

    Args:
        hypotheses: N rows of M hypotheses; at least one.
        path: Where to write; replaced as a whole if it exists.
        title: Heading of the page.
        max_megabytes: Bound on the embedded data.
        back: Relative address of the page of all clips, to which this one then links.

    Raises:
        InputError: The sequence has no rows, or the place cannot be written to.
        ConfigError: `max_megabytes` is not positive.
    """
    if len(hypotheses) == 0:
        raise InputError("hypotheses: expected at least one row to show, got 0", field="hypotheses")
    if not max_megabytes > 0:
        raise ConfigError(f"max_megabytes: expected a positive number, got {max_megabytes}")
    payload = build_payload(hypotheses, title=title, max_megabytes=max_megabytes)
    path = Path(path)
    with replace_atomically(path, durable=False) as stream:
        page = render_page(
            "report.html", styles=("report.css",), scripts=_SCRIPTS, title=title, payload=payload, back=back
        )
        stream.write(page.encode("utf-8"))
    return ReportSummary(
        path=path,
        frames_total=payload.frames_total,
        frames_shown=payload.frames_shown,
        size_bytes=path.stat().st_size,
    )
