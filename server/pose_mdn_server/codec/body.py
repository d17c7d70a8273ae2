"""The size of the people in a request."""

from pose_mdn.geometry.body import KnownBody, check_bone_lengths_m, check_stature_m
from pose_mdn_server.rpc import body_pb2
from pose_mdn_server.violations import Violations


def decode_body(body: body_pb2.KnownBody, violations: Violations) -> KnownBody | None:
    """Read a known body, `None` for an empty one; notes what is wrong with it."""
    lengths = dict(body.bone_lengths_m)
    stature_m = violations.checked("body.stature_m", check_stature_m, body.stature_m) if body.stature_m else None
    known = violations.checked("body.bone_lengths_m", check_bone_lengths_m, lengths)
    return KnownBody(stature_m=stature_m, bone_lengths_m=known or None) if stature_m or known else None


def encode_body(body: KnownBody) -> body_pb2.KnownBody:
    """A known body; what is unknown stays empty."""
    return body_pb2.KnownBody(stature_m=body.stature_m or 0.0, bone_lengths_m=body.bone_lengths_m or {})
