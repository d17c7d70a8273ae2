"""What an export must promise beyond the signature that every lifter has: operators, and how near it is to torch."""

from dataclasses import dataclass

from pose_mdn.inference.signature import INPUTS, OPTIONAL_OUTPUTS, OUTPUTS
from pose_mdn.models.lifting_graph import LiftingGraph

INPUT_NAMES = tuple(INPUTS)
OUTPUT_NAMES = tuple(OUTPUTS)
"""What every lifter gives; `output_names` adds what a particular one gives beside it."""

OPSET = 20
"""Default opset of the exporter; every runtime since ONNX Runtime 1.17 has it."""


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """Largest difference allowed between torch and ONNX Runtime.

    Attributes:
        absolute: In the output's unit.
        relative: Allowed on top, as a part of the value.
    """

    absolute: float
    relative: float = 0.0


TOLERANCES = {
    "means_m": Tolerance(absolute=1e-4),
    "std_m": Tolerance(absolute=1e-4),
    "view_rotation": Tolerance(absolute=1e-4),
    "mixing_coefficients": Tolerance(absolute=1e-4),
    "root_translation_m": Tolerance(absolute=1e-4),
    "reprojection_error_px": Tolerance(absolute=1e-2, relative=1e-4),
    "ood_score": Tolerance(absolute=1e-4),
}
"""Lengths agree to a tenth of a millimetre; pixels to a hundredth, or to a ten-thousandth of a large error."""


def output_names(graph: LiftingGraph) -> tuple[str, ...]:
    """Names of a lifter's outputs, in order."""
    return (*OUTPUT_NAMES, *OPTIONAL_OUTPUTS) if graph.network.ood is not None else OUTPUT_NAMES
