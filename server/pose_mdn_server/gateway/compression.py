"""gzip, with a bound on what comes out of it."""

import gzip
import zlib

import grpc

from pose_mdn_server.gateway.http_errors import RefusedCallError

GZIP = "gzip"
IDENTITY = "identity"
WORTH_BYTES = 1024
"""Shorter answers are sent as they are."""

_GZIP_WINDOW = 31
_LEVEL = 1


def unpack(body: bytes, coding: str, limit: int) -> bytes:
    """What a client compressed, or did not.

    Raises:
        RefusedCallError: The coding is unknown, the body is not of it, ends too early, or is longer than `limit` bytes,
            which is found out without unpacking more than that.
    """
    if coding in ("", IDENTITY) or not body:
        return body
    if coding != GZIP:
        raise RefusedCallError(grpc.StatusCode.UNIMPLEMENTED, f"expected compression {GZIP} or {IDENTITY}")
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    try:
        unpacked = unpacker.decompress(body, limit + 1)
    except zlib.error:
        raise RefusedCallError(grpc.StatusCode.INVALID_ARGUMENT, "expected a body compressed with gzip") from None
    if len(unpacked) > limit:
        raise RefusedCallError(
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            f"expected at most {limit} bytes when unpacked; send fewer poses at a time",
        )
    if not unpacker.eof or unpacker.unused_data:
        raise RefusedCallError(grpc.StatusCode.INVALID_ARGUMENT, "expected one whole member of gzip, got less or more")
    return unpacked


def pack(body: bytes) -> bytes:
    """A body as gzip, at the level that costs least."""
    return gzip.compress(body, compresslevel=_LEVEL, mtime=0)


def accepts_gzip(accepted: str) -> bool:
    """Whether a list such as "gzip, br;q=0.5" includes gzip."""
    for item in accepted.split(","):
        coding, _, weight = item.partition(";")
        if coding.strip().lower() == GZIP:
            return weight.replace(" ", "").rstrip("0") not in ("q=", "q=0.")
    return False
