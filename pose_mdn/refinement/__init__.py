"""Better hypotheses by the picture: refinement against the 2D evidence, and mixing coefficients that follow it."""

from pose_mdn.refinement.refine import refine_hypotheses
from pose_mdn.refinement.settings import FittedNumbers, RefinementSettings

__all__ = ["FittedNumbers", "RefinementSettings", "refine_hypotheses"]
