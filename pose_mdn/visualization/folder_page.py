"""One self-contained page of a folder of lifted clips: thumbnails, figures, flags, links to each clip's own page."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from pose_mdn.formats.atomic import replace_atomically
from pose_mdn.quality import Level, quality_flags
from pose_mdn.quality.flags import FLAGS
from pose_mdn.visualization.folder_entries import ClipEntry, FailedEntry
from pose_mdn.visualization.page import render_page
from pose_mdn.visualization.payload import JSONValue, Payload

_STYLES = ("report.css", "folder.css")
_SCRIPTS = ("folder_figures.js", "folder_clips.js", "folder_rows.js", "folder_state.js", "folder_main.js")


def write_folder_page(
    path: str | os.PathLike[str],
    entries: Sequence[ClipEntry],
    failed: Sequence[FailedEntry] = (),
    *,
    title: str = "Lifted clips",
) -> None:
    """Write the page of a folder; the same entries, in whatever order, give the same bytes.

    The page makes no request to anywhere and carries a content security policy that forbids it to. It opens and sorts
    5,000 clips within a second.

    Args:
        path: Where to write; replaced as a whole if it exists. Viewers are linked relative to it.
        entries: The clips.
        failed: Inputs that could not be lifted.
        title: Heading of the page.

    Raises:
        InputError: The place cannot be written to.
    """
    clips = sorted(entries, key=lambda entry: (entry.name, entry.source, entry.result))
    description: dict[str, JSONValue] = {
        "title": title,
        "flags": list(FLAGS),
        "clips": [_clip(entry) for entry in clips],
        "failed": [[each.source, each.reason] for each in sorted(failed, key=lambda each: (each.source, each.reason))],
    }
    payload = Payload(description=description, arrays={}, frames_total=0, frames_shown=0)
    page = render_page("folder.html", styles=_STYLES, scripts=_SCRIPTS, title=title, payload=payload)
    with replace_atomically(Path(path)) as stream:
        # Names of files may hold bytes that are no text; these are shown as question marks.
        stream.write(page.encode("utf-8", errors="replace"))


def _clip(entry: ClipEntry) -> JSONValue:
    quality = entry.quality
    return {
        "name": entry.name,
        "source": entry.source,
        "result": entry.result,
        "viewer": None if entry.viewer is None else viewer_href(entry.viewer),
        "thumbnail": entry.thumbnail,
        "format": entry.format,
        "skeleton": entry.skeleton,
        "people": quality.people,
        "frames": quality.frames,
        "duration": quality.duration_s,
        "rows": quality.rows,
        "lifted": quality.lifted,
        "nobody": quality.nobody,
        "lifted_share": quality.lifted_share,
        "error": quality.reprojection_of_size,
        "error_p95": quality.reprojection_p95_of_size,
        "error_px": quality.reprojection_px,
        "error_p95_px": quality.reprojection_p95_px,
        "missing": quality.missing_share,
        "worst_joint": quality.worst_joint,
        "worst_joint_share": quality.worst_joint_share,
        "doubtful": quality.out_of_distribution_share,
        "implausible": quality.implausible_share,
        "worst_limit": quality.worst_limit,
        "depth": None if quality.depth_std_m is None else float(f"{100 * quality.depth_std_m:.4g}"),
        "flags": [[flag.name, flag.level is Level.BAD, flag.text] for flag in quality_flags(quality)],
    }


def viewer_href(path: str) -> str:
    """A link to a file below the page; whatever the name holds, it stays a path and leads nowhere else."""
    return "./" + quote(path.replace(os.sep, "/"), safe="/", errors="surrogateescape")
