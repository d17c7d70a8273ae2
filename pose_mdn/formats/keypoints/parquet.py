"""Keypoints tables: `.parquet` with a row per pose, read whole or piece by piece."""

from pathlib import Path

from pose_mdn.formats.keypoints.keypoint_format import (
    KeypointFormat,
    KeypointStream,
    ReadOptions,
    Recognition,
    first_bytes,
)
from pose_mdn.poses.keypoints import KeypointSequence

# What reads is imported when used, because pyarrow takes longer to import than all the rest.


def _read(path: Path, options: ReadOptions) -> KeypointSequence:
    from pose_mdn.formats.keypoints.tables.parquet_stream import read  # noqa: PLC0415

    return read(path, options)


def _stream(path: Path, options: ReadOptions) -> KeypointStream:
    from pose_mdn.formats.keypoints.tables.parquet_stream import open_stream  # noqa: PLC0415

    return open_stream(path, options)


def _recognise(path: Path) -> Recognition | None:
    if first_bytes(path, 4) == b"PAR1":
        return Recognition(confidence=0.9, reason="Parquet's signature")
    return None


FORMAT = KeypointFormat(
    name="parquet",
    description="a keypoints table *.parquet, a row per pose",
    suffixes=(".parquet",),
    recognise=_recognise,
    read=_read,
    stream=_stream,
)
"""The keypoints table of pose-mdn."""
