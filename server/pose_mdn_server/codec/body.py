"""The size of the people in a request."""

from collections.abc import Iterable

from pose_mdn.geometry.body import KnownBody, check_bone_lengths_m, check_stature_m
from pose_mdn.geometry.ground_plane import GroundPlane
from pose_mdn.geometry.known_distance import KnownDistance
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


def decode_distances(distances: Iterable[body_pb2.KnownDistance], violations: Violations) -> tuple[KnownDistance, ...]:
    """Read known distances; notes what is wrong with each."""

    def read(given: body_pb2.KnownDistance) -> KnownDistance:
        frame = given.pose if given.HasField("pose") else None
        return KnownDistance(joints=(given.joint, given.other_joint), distance_m=given.distance_m, frame=frame)

    read_ones = [violations.checked(f"known_distances[{place}]", read, given) for place, given in enumerate(distances)]
    return tuple(known for known in read_ones if known is not None)


def encode_distance(known: KnownDistance) -> body_pb2.KnownDistance:
    """A known distance; its frame is the number of a pose in the request."""
    joint, other = known.joints
    return body_pb2.KnownDistance(joint=joint, other_joint=other, distance_m=known.distance_m, pose=known.frame)


def decode_ground(ground: body_pb2.GroundPlane, violations: Violations) -> GroundPlane | None:
    """Read a ground, `None` for an empty one; notes what is wrong with it."""
    if not ground.normal and not ground.offset_m:
        return None
    return violations.checked("ground", lambda given: GroundPlane.of_plane(given.normal, given.offset_m), ground)


def encode_ground(ground: GroundPlane) -> body_pb2.GroundPlane:
    """The ground as a plane of the camera frame."""
    return body_pb2.GroundPlane(normal=ground.up.tolist(), offset_m=ground.camera_height_m)
