"""The names of the lens models, which say what distortion coefficients mean."""

from typing import Literal, get_args

LensModel = Literal["brown", "fisheye"]
"""`brown`: k1 k2 p1 p2 k3 ... on slopes, OpenCV's usual model. `fisheye`: k1 k2 k3 k4 on the angle, `cv2.fisheye`."""

BROWN: LensModel = "brown"
FISHEYE: LensModel = "fisheye"
LENS_MODELS: tuple[LensModel, ...] = get_args(LensModel)

DISTORTION_SIZES: dict[LensModel, tuple[int, ...]] = {BROWN: (0, 4, 5, 8, 12, 14), FISHEYE: (4,)}
"""How many coefficients each model has. The ideal lens has none; a fisheye is never ideal."""
