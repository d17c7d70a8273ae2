"""2D human keypoints in, a calibrated distribution over 3D poses out."""

from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pose_mdn.inference import Lifter, load_lifter

__version__ = version("pose-mdn")

__all__ = ["Lifter", "__version__", "load_lifter"]


def __getattr__(name: str) -> object:
    # ONNX Runtime is loaded when the first lifter is, so that importing one submodule costs no more than that.
    if name in {"Lifter", "load_lifter"}:
        from pose_mdn import inference  # noqa: PLC0415

        return getattr(inference, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
