r"""The ground before a camera, and how large a person is who stands on it.

The ground is the plane :math:`n \cdot x + h = 0` of the camera frame: n is the unit vector upwards, h the height of the
camera above the ground. A person scaled by s about the camera looks the same; the lower ankle X, which is a m above the
sole at scale 1, is scaled with the rest, and the sole touches the ground where

.. math:: s (n \cdot X - a) + h = 0, \quad s = h / g, \quad g = a - n \cdot X

g being how far the sole is below the camera at scale 1. An error e of the direction to the foot, at distance r, is an
error r e / g of log s: the nearer the foot is to the horizon, the less the ground says.
"""

import math
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.camera import Camera

Float64Array = NDArray[np.float64]

HEIGHT_RANGE_M = (0.05, 100.0)
"""Of a camera above the ground."""

_UP_AXES = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1), "-x": (-1, 0, 0), "-y": (0, -1, 0), "-z": (0, 0, -1)}


@dataclass(frozen=True, kw_only=True, eq=False)
class GroundPlane:
    """A plane of the camera frame.

    Attributes:
        up: (3,) unit vector upwards, camera frame.
        camera_height_m: Of the optical centre above the ground.
        source: How it was given, for people to read.
    """

    up: Float64Array
    camera_height_m: float
    source: str = field(default="ground plane")

    def __post_init__(self) -> None:
        low, high = HEIGHT_RANGE_M
        if not (math.isfinite(self.camera_height_m) and low <= self.camera_height_m <= high):
            raise _wrong(
                f"a camera {low:g} to {high:g} m above the ground, got {self.camera_height_m:g} m; is the axis that "
                "points up the right one, and the unit metres?"
            )

    @classmethod
    def of_height_and_tilt(cls, height_m: float, tilt_rad: float, roll_rad: float = 0.0) -> Self:
        """The ground below a camera.

        Args:
            height_m: Of the camera above the ground.
            tilt_rad: How far the camera looks down from the horizontal; negative if it looks up.
            roll_rad: How far the camera is turned clockwise about its axis, as who holds it sees it.
        """
        if not (abs(tilt_rad) <= math.pi / 2 and abs(roll_rad) <= math.pi):
            raise _wrong(f"a tilt within 90 degrees, got {math.degrees(tilt_rad):g}")
        level = math.cos(tilt_rad)
        up = np.array([-level * math.sin(roll_rad), -level * math.cos(roll_rad), -math.sin(tilt_rad)])
        turned = f", rolled {math.degrees(roll_rad):.3g}" if roll_rad else ""
        source = f"ground {height_m:g} m below a camera that looks down {math.degrees(tilt_rad):.3g} degrees{turned}"
        return cls(up=up, camera_height_m=height_m, source=source)

    @classmethod
    def of_plane(cls, normal: ArrayLike, offset_m: float) -> Self:
        """The plane n.x + d = 0 of the camera frame, in either sign and with n of any length."""
        vector = np.asarray(normal, np.float64)
        length = float(np.linalg.norm(vector)) if vector.shape == (3,) else 0.0
        if not (math.isfinite(length) and length > 0 and math.isfinite(offset_m)):
            raise _wrong(
                f"a normal of three numbers that are not all 0, and an offset, got {vector.tolist()} and {offset_m}"
            )
        # The camera is above the ground, so n.0 + d is its height once n points up.
        sign = -1.0 if offset_m < 0 else 1.0
        return cls(up=sign * vector / length, camera_height_m=abs(offset_m) / length, source="ground plane given")

    @classmethod
    def of_camera(cls, camera: Camera, up_axis: str = "z") -> Self:
        """The ground of a calibrated camera whose world has it at 0 of the axis that points up.

        Args:
            camera: With its place in the world, in metres.
            up_axis: "x", "y" or "z", or one with a minus where the axis points down.
        """
        if up_axis not in _UP_AXES:
            raise _wrong(f"an axis from {', '.join(_UP_AXES)}, got {up_axis!r}")
        up_world = np.array(_UP_AXES[up_axis], np.float64)
        return cls(
            up=camera.rotation @ up_world,
            camera_height_m=float(up_world @ camera.optical_center),
            source=f"ground at {up_axis.lstrip('-')} = 0 of the calibrated world",
        )


def _wrong(message: str) -> InputError:
    return InputError(f"ground plane: expected {message}", field="ground_plane")
