"""The outcome of a row in words, for people."""

from pose_mdn.poses.status import Status

STATUS_TEXT: dict[Status, str] = {
    Status.LIFTED: "Lifted from all joints given",
    Status.LIFTED_JOINTS_MISSING: "Lifted, some joints not seen",
    Status.LIFTED_CUT_BY_FRAME: "Lifted, body cut by the picture's edge",
    Status.LIFTED_FROM_NEIGHBOURS: "Lifted from neighbouring frames, too little was seen",
    Status.NO_PERSON: "Nobody was seen in this frame",
    Status.TOO_FEW_JOINTS: "Too few joints were seen to lift a pose",
    Status.DEGENERATE: "The joints seen are one point, or no body before the camera",
}


def status_text(status: str) -> str:
    """A status in words; a status of a newer version is shown as it is written.

    Args:
        status: Value of `Status`, as stored in a hypotheses file.
    """
    return STATUS_TEXT[Status(status)] if status in set(Status) else status.replace("_", " ")
