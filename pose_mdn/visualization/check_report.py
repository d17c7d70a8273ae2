"""One self-contained HTML page that shows what a reprojection check found: verdict, errors, overlays."""

import math
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import ConfigError, InputError
from pose_mdn.formats.atomic import replace_atomically
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.reprojection.agreement import person_size_px
from pose_mdn.reprojection.diagnosis import FAULT_TEXT, Fault
from pose_mdn.reprojection.document import check_summary, verdict_text
from pose_mdn.reprojection.result import ReprojectionCheck
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn.visualization.html_report import ReportSummary
from pose_mdn.visualization.page import render_page
from pose_mdn.visualization.payload import JSONValue, Payload, describe_sequence, frame_step, status_entry
from pose_mdn.visualization.pictures import Pictures, collect_pictures

_SCRIPTS = (
    "recording.js", "palette.js", "picture_view.js", "checked_recording.js", "overlay_view.js", "heat_table.js",
    "check_panel.js", "player.js", "check_main.js",
)  # fmt: skip

_SHARE_OF_DATA = 0.5
"""Of the bound, if there are pictures too."""


def write_check_report(
    hypotheses: HypothesisSequence,
    found: ReprojectionCheck,
    path: str | os.PathLike[str],
    *,
    title: str = "Reprojection check",
    images: str | os.PathLike[str] | None = None,
    max_megabytes: float = 20.0,
) -> ReportSummary:
    """Write a page with the verdict, a table of errors by joint and frame, and every hypothesis over the picture.

    The page makes no request to anywhere and carries a content security policy that forbids it to.

    Args:
        hypotheses: N rows of M hypotheses; at least one.
        found: What the check of these hypotheses found.
        path: Where to write; replaced as a whole if it exists.
        title: Heading of the page.
        images: Pictures of the frames, see `collect_pictures`; a plain frame is drawn without.
        max_megabytes: Bound on the embedded data and pictures together; of longer sequences every k-th frame is kept.

    Raises:
        InputError: The sequence has no rows, pictures do not fit, or the place cannot be written to.
        ConfigError: `max_megabytes` is not positive.
    """
    if len(hypotheses) == 0:
        raise InputError("hypotheses: expected at least one row to show, got 0", field="hypotheses")
    if not max_megabytes > 0:
        raise ConfigError(f"max_megabytes: expected a positive number, got {max_megabytes}")
    data_megabytes = max_megabytes if images is None else _SHARE_OF_DATA * max_megabytes
    payload = _build_payload(hypotheses, found, title=title, max_megabytes=data_megabytes)
    pictures = None
    if images is not None:
        frames = np.unique(payload.arrays["frame"]).tolist()
        pictures = collect_pictures(Path(images), frames, max_megabytes=max_megabytes - data_megabytes)
        _refuse_other_size(pictures, found.image_size, Path(images))
        payload.description["image_size"] = list(pictures.size)
    page = render_page(
        "check.html",
        styles=("report.css", "check.css"),
        scripts=_SCRIPTS,
        title=title,
        payload=payload,
        more_data="" if pictures is None else pictures.element(),
    )
    path = Path(path)
    with replace_atomically(path) as stream:
        stream.write(page.encode("utf-8"))
    return ReportSummary(
        path=path,
        frames_total=payload.frames_total,
        frames_shown=payload.frames_shown,
        size_bytes=path.stat().st_size,
    )


def _build_payload(
    hypotheses: HypothesisSequence, found: ReprojectionCheck, *, title: str, max_megabytes: float
) -> Payload:
    joints, m = HUMAN36M17.num_joints, hypotheses.num_hypotheses
    step = frame_step(len(hypotheses), m * (7 * joints + 5) + 3 * joints + 5, max_megabytes)
    all_frames = np.unique(hypotheses.frame)
    kept = all_frames[::step]
    order = np.lexsort((hypotheses.person, hypotheses.frame))
    order = order[np.isin(hypotheses.frame[order], kept)]
    shown = hypotheses.take(order)
    statuses = sorted(set(shown.status.tolist()))
    reasons = [["; ".join(found.reasons(row, index)) for index in range(m)] for row in order.tolist()]
    texts = sorted({text for row in reasons for text in row})
    description = describe_sequence(shown, title) | {
        "image_size": None if found.image_size is None else list(found.image_size),
        "statuses": [status_entry(value) for value in statuses],
        "frame_step": step,
        "frames_total": len(all_frames),
        **_verdict(hypotheses, found),
        "reasons": list(texts),
    }
    faults = list(Fault)
    arrays: dict[str, NDArray[np.float32] | NDArray[np.int32]] = {
        **_columns(found, order),
        "mixing_coefficients": shown.mixing_coefficients.astype("<f4"),
        "ood_score": shown.ood_score.astype("<f4"),
        "frame": shown.frame.astype("<i4"),
        "person": shown.person.astype("<i4"),
        "status": np.array([statuses.index(value) for value in shown.status.tolist()], dtype="<i4"),
        "passes": found.passes[order].astype("<i4"),
        "reason": np.array([[texts.index(text) for text in row] for row in reasons], dtype="<i4"),
        "fault": np.array(
            [faults.index(Fault(value)) if value else -1 for value in found.diagnosis.fault[order].tolist()],
            dtype="<i4",
        ),
    }
    return Payload(description=description, arrays=arrays, frames_total=len(all_frames), frames_shown=len(kept))


def _columns(found: ReprojectionCheck, order: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    size = person_size_px(found.keypoints_px, found.confidence > 0)
    noise = np.square(found.settings.noise * size)[:, None, None, None] * [1.0, 0.0, 1.0]
    columns = {
        "keypoints_px": found.keypoints_px,
        "confidence": found.confidence,
        "points_px": found.projection.points_px,
        "covariance_px2": found.projection.covariance_px2 + noise,
        "error_px": found.agreement.error_px,
        "distance": found.agreement.distance,
        "rms_px": found.agreement.rms_px,
        "rms_of_size": found.agreement.rms_of_size,
        "size_px": size,
    }
    return {name: values[order].astype("<f4") for name, values in columns.items()}


def _verdict(hypotheses: HypothesisSequence, found: ReprojectionCheck) -> dict[str, JSONValue]:
    return {
        "verdict": found.diagnosis.overall,
        "verdict_text": verdict_text(found) or "Nothing can be compared",
        "summary": list(check_summary(hypotheses, found)),
        "faults": [{"value": fault.value, "text": FAULT_TEXT[fault]} for fault in Fault],
        "level": found.settings.level,
        "radius": math.sqrt(-2.0 * math.log(1.0 - found.settings.level)),
        "tolerance": found.settings.tolerance,
        "noise": found.settings.noise,
        "root": "as it was lifted"
        if np.array_equal(found.root_m, hypotheses.root_translation_m, equal_nan=True)
        else "solved anew for this camera",
    }


def _refuse_other_size(pictures: Pictures, wanted: tuple[int, int] | None, path: Path) -> None:
    if wanted is not None and tuple(wanted) != pictures.size:
        raise InputError(
            f"{path}: expected pictures of {wanted[0]} x {wanted[1]} px, in which the keypoints are, got "
            f"{pictures.size[0]} x {pictures.size[1]} px",
            field="images",
        )
