"""2D human keypoints in, a calibrated distribution over 3D poses out."""

from importlib.metadata import version

__version__ = version("pose-mdn")
