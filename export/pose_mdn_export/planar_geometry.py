"""The geometry around the network, with coordinates in planes instead of in the last axis.

The same mathematics as `pose_mdn.geometry` and `pose_mdn.models.lifting_graph`, arranged for runtimes: x, y and z are
tensors of their own, so that every operation runs over whole rows of joints, and sums over joints become a few matrix
products.
Letters in shapes: B batch, M hypotheses, J joints.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pose_mdn.geometry.canonical_view import MIN_RADIUS
from pose_mdn.geometry.pinhole import MIN_DEPTH_M
from pose_mdn.geometry.root_translation import MAX_ROOT_DEPTH_M, MIN_ROOT_DEPTH_M
from pose_mdn.models.calibration import SMALLEST_EXTENT, SMALLEST_WEIGHT

_SMALLEST_SQUARE_PX = 1e-12
_MOMENTS = 6


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What a camera saw, missing joints replaced by harmless numbers.

    Attributes:
        u_px: (B, J) pixels right of the principal point.
        v_px: (B, J) pixels below the principal point.
        x: (B, J) slopes.
        y: (B, J) slopes.
        weight: (B, J) confidence, 0 where missing.
        is_seen: (B, J).
        focal_x_px: (B, 1).
        skew_px: (B, 1).
        focal_y_px: (B, 1).
    """

    u_px: Tensor
    v_px: Tensor
    x: Tensor
    y: Tensor
    weight: Tensor
    is_seen: Tensor
    focal_x_px: Tensor
    skew_px: Tensor
    focal_y_px: Tensor


@dataclass(frozen=True, kw_only=True)
class PlanarView:
    """The canonical view.

    Attributes:
        x: (B, J) slopes in the line-of-sight frame, not yet scaled.
        y: (B, J) slopes in the line-of-sight frame, not yet scaled.
        radius: (B, 1) their RMS.
        to_camera: Rows of the rotation from the line-of-sight frame to the camera frame, three of (B, 3).
    """

    x: Tensor
    y: Tensor
    radius: Tensor
    to_camera: tuple[Tensor, Tensor, Tensor]


def observe(keypoints_px: Tensor, confidence: Tensor, intrinsics: Tensor) -> Observation:
    """Split (B, J, 2) pixels, (B, J) confidences and (B, 3, 3) intrinsics into planes."""
    u, v = keypoints_px.unbind(-1)
    # False for NaN and infinity alike.
    is_seen = (confidence > 0) & (u.abs() + v.abs() < math.inf)
    focal_x, skew, centre_x, _, focal_y, centre_y = intrinsics.flatten(1)[:, :6].split(1, dim=1)
    u = torch.where(is_seen, u, 0.0) - centre_x
    v = torch.where(is_seen, v, 0.0) - centre_y
    y = v / focal_y
    return Observation(
        u_px=u,
        v_px=v,
        x=(u - skew * y) / focal_x,
        y=y,
        weight=torch.where(is_seen, confidence, 0.0),
        is_seen=is_seen,
        focal_x_px=focal_x,
        skew_px=skew,
        focal_y_px=focal_y,
    )


def look_along_mean_ray(seen: Observation) -> PlanarView:
    """Turn the camera so that the weighted mean ray is its axis, as `pose_mdn.geometry.canonical_view` does."""
    norm = (seen.x * seen.x + seen.y * seen.y + 1.0).sqrt()
    ray_weight = seen.weight / norm
    x, y = _sum(ray_weight * seen.x), _sum(ray_weight * seen.y)
    z = _sum(ray_weight) + MIN_RADIUS
    length = (x * x + y * y + z * z).sqrt()
    x, y, z = x / length, y / length, z / length
    ax, ay = x / (1.0 + z), y / (1.0 + z)
    xx, xy, yy = 1.0 - ax * x, -ax * y, 1.0 - ay * y
    depth = torch.maximum(x * seen.x + y * seen.y + z, MIN_DEPTH_M * norm)
    turned_x = (xx * seen.x + xy * seen.y - x) / depth
    turned_y = (xy * seen.x + yy * seen.y - y) / depth
    square = _sum(seen.weight * (turned_x * turned_x + turned_y * turned_y)) / (_sum(seen.weight) + MIN_RADIUS)
    rows = torch.cat([xx, xy, x], 1), torch.cat([xy, yy, y], 1), torch.cat([-x, -y, z], 1)
    return PlanarView(x=turned_x, y=turned_y, radius=square.clamp(min=MIN_RADIUS**2).sqrt(), to_camera=rows)


class RootSolver(nn.Module):
    """Least-squares root translations of all hypotheses, as `pose_mdn.geometry.root_translation` derives them.

    Everything that the solution needs of a pose is linear in its joints: with weights w that sum to 1, slopes (x, y)
    and g = w (slope - mean slope) it is sum w X - w x Z, sum w Y - w y Z and sum g·(X, Y) - (g·slope) Z. So one product
    of the joints with six rows of coefficients gives all moments, and a constant matrix picks and subtracts.
    """

    pick: Tensor

    def __init__(self, num_hypotheses: int) -> None:
        super().__init__()
        self.num_hypotheses = num_hypotheses
        # Axes: coefficient row (w, gx, gy, wx, wy, g·slope), coordinate, hypothesis; sum, hypothesis.
        pick = torch.zeros(_MOMENTS, 3, num_hypotheses, 3, num_hypotheses)
        one = torch.eye(num_hypotheses)
        for row, coordinate, total, sign in (
            *[(0, 0, 0, 1.0), (3, 2, 0, -1.0)],
            *[(0, 1, 1, 1.0), (4, 2, 1, -1.0)],
            *[(1, 0, 2, 1.0), (2, 1, 2, 1.0), (5, 2, 2, -1.0)],
        ):
            pick[row, coordinate, :, total] = sign * one
        self.register_buffer("pick", pick.flatten(0, 2).flatten(1))

    def forward(self, joints_m: Tensor, view: PlanarView, weight: Tensor) -> Tensor:
        """(B, 3, M, J) poses seen in a view with (B, J) weights to (B, 3, M) translations, in the view's frame."""
        share = weight / _sum(weight).clamp(min=SMALLEST_WEIGHT)
        mean_x, mean_y = _sum(share * view.x), _sum(share * view.y)
        from_mean_x, from_mean_y = view.x - mean_x, view.y - mean_y
        gx, gy = share * from_mean_x, share * from_mean_y
        rows = [share, gx, gy, share * view.x, share * view.y, gx * view.x + gy * view.y]
        moments = torch.cat(rows, dim=1).unflatten(1, (_MOMENTS, -1)) @ joints_m.flatten(1, 2).mT
        offset_x, offset_y, toward = (moments.flatten(1) @ self.pick).split(self.num_hypotheses, dim=1)
        spread = _sum(gx * from_mean_x + gy * from_mean_y).clamp(min=SMALLEST_WEIGHT)
        depth = (toward / spread).clamp(MIN_ROOT_DEPTH_M, MAX_ROOT_DEPTH_M)
        root: Tensor = torch.cat([mean_x * depth - offset_x, mean_y * depth - offset_y, depth], dim=1)
        return root.reshape(-1, 3, self.num_hypotheses)


def to_camera_and_picture(
    joints_m: Tensor, root_m: Tensor, view: PlanarView, seen: Observation
) -> tuple[Tensor, Tensor, Tensor]:
    """Turn poses into the camera frame and project them, in one product.

    Args:
        joints_m: (B, 3, M, J) root-relative, line-of-sight frame.
        root_m: (B, 3, M) translations, line-of-sight frame.
        view: The line-of-sight frame.
        seen: The camera, and where joints were seen.

    Returns:
        (B, 3, M, J) root-relative joints and (B, 3, M) translations in the camera frame, and (B, M) weighted RMS
        reprojection errors in pixels.
    """
    num_hypotheses, num_joints = joints_m.shape[2:]
    right, down, forward = view.to_camera
    # Depth stands between the camera's other two axes and the picture's, so that each triple is one slice.
    pixels_right, pixels_down = seen.focal_x_px * right + seen.skew_px * down, seen.focal_y_px * down
    turn = torch.cat([right, down, forward, pixels_right, pixels_down], dim=1).unflatten(1, (5, 3))
    turned = turn @ torch.cat([joints_m.flatten(2), root_m], dim=2)
    joints, root = turned[:, :, : num_hypotheses * num_joints], turned[:, :, num_hypotheses * num_joints :]
    joints = joints.unflatten(2, (num_hypotheses, num_joints))
    depth, scaled = (joints[:, 2:] + root[:, 2:, :, None]).split([1, 2], dim=1)
    observed = torch.cat([seen.u_px, seen.v_px], dim=1).unflatten(1, (2, 1, num_joints))
    residual = scaled / depth.clamp(min=MIN_DEPTH_M) - observed
    square = (seen.weight[:, None] * (residual * residual).sum(1)).sum(2)
    mean_square = square / _sum(seen.weight).clamp(min=SMALLEST_WEIGHT)
    return joints[:, :3], root[:, :3], mean_square.clamp(min=_SMALLEST_SQUARE_PX).sqrt()


def relative_misfit(reprojection_error_px: Tensor, seen: Observation) -> Tensor:
    """(B,) misfits of (B, M) reprojection errors, as of `pose_mdn.models.calibration.relative_misfit`."""
    share = seen.weight / _sum(seen.weight).clamp(min=SMALLEST_WEIGHT)
    from_middle_u, from_middle_v = seen.u_px - _sum(share * seen.u_px), seen.v_px - _sum(share * seen.v_px)
    square = (share * (from_middle_u * from_middle_u + from_middle_v * from_middle_v)).sum(1)
    return reprojection_error_px.amin(1) / square.clamp(min=SMALLEST_EXTENT).sqrt()


def _sum(plane: Tensor) -> Tensor:
    """(B, J) to (B, 1)."""
    return plane.sum(dim=1, keepdim=True)
