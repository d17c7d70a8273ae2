"""Names, shapes and tolerances of the exported lifter: docs/model_signature.md in code."""

from dataclasses import dataclass

INPUT_NAMES = ("keypoints_px", "confidence", "intrinsics")

OPSET = 20
"""Default opset of the exporter; every runtime since ONNX Runtime 1.17 has it."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """An output of the graph.

    Attributes:
        name: Its name in the graph.
        tolerance: Largest difference allowed between torch and ONNX Runtime, in the output's unit.
        relative_tolerance: Allowed on top, as a part of the value.
    """

    name: str
    tolerance: float
    relative_tolerance: float = 0.0


OUTPUTS = (
    Output(name="means_m", tolerance=1e-4),
    Output(name="std_m", tolerance=1e-4),
    Output(name="view_rotation", tolerance=1e-4),
    Output(name="mixing_coefficients", tolerance=1e-4),
    Output(name="root_translation_m", tolerance=1e-4),
    Output(name="reprojection_error_px", tolerance=1e-2, relative_tolerance=1e-4),
)
"""Lengths agree to a tenth of a millimetre; pixels to a hundredth, or to a ten-thousandth of a large error."""
