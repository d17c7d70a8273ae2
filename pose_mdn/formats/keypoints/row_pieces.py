"""Rows that arrive in pieces of any size, dealt out in pieces of one size."""

from collections.abc import Iterator

from pose_mdn.poses.keypoints import KeypointSequence


def regroup(pieces: Iterator[KeypointSequence], rows: int) -> Iterator[KeypointSequence]:
    """The same rows in the same order, `rows` at a time; the last piece may be shorter.

    Args:
        pieces: What arrives; pieces that need no joining are cut without copying.
        rows: Rows per piece, at least 1.
    """
    waiting: list[KeypointSequence] = []
    count = 0
    for piece in pieces:
        start = 0
        while len(piece) - start >= rows - count:
            stop = start + rows - count
            yield KeypointSequence.concatenate([*waiting, piece.take(slice(start, stop))])
            waiting, count, start = [], 0, stop
        if start < len(piece):
            waiting.append(piece.take(slice(start, None)))
            count += len(piece) - start
    if waiting:
        yield KeypointSequence.concatenate(waiting)
