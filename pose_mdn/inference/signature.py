"""What every lifter's graph takes and gives, by name and shape."""

from collections.abc import Sequence
from typing import Protocol

from pose_mdn.errors import BundleError
from pose_mdn.skeletons.human36m import HUMAN36M17

Shape = tuple[int | str | None, ...]

_JOINTS = HUMAN36M17.num_joints
_HYPOTHESES = "M"

INPUTS: dict[str, Shape] = {
    "keypoints_px": (_JOINTS, 2),
    "confidence": (_JOINTS,),
    "intrinsics": (3, 3),
}
"""Shapes after the batch axis; all float32."""

OUTPUTS: dict[str, Shape] = {
    "means_m": (_HYPOTHESES, _JOINTS, 3),
    "std_m": (_HYPOTHESES, _JOINTS, 2),
    "view_rotation": (3, 3),
    "mixing_coefficients": (_HYPOTHESES,),
    "root_translation_m": (_HYPOTHESES, 3),
    "reprojection_error_px": (_HYPOTHESES,),
}
"""Shapes after the batch axis; all float32. "M" is the number of hypotheses."""

_FLOAT32 = "tensor(float)"


class Tensor(Protocol):
    """What is used of ONNX Runtime's description of an input or output."""

    name: str
    shape: list[int | str | None]
    type: str


def output_shapes(num_hypotheses: int) -> dict[str, tuple[int, ...]]:
    """Shape of each output after the batch axis, for M hypotheses."""
    return {
        name: tuple(size if isinstance(size, int) else num_hypotheses for size in shape)
        for name, shape in OUTPUTS.items()
    }


def check_signature(model: str, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
    """M of a graph, if it is a lifter's.

    Raises:
        BundleError: The graph has other inputs or outputs.
    """
    coefficients = next((tensor for tensor in outputs if tensor.name == "mixing_coefficients"), None)
    num_hypotheses = coefficients.shape[-1] if coefficients is not None else None
    if not isinstance(num_hypotheses, int):
        raise BundleError(
            f"{model}: expected a lifter's graph, with an output mixing_coefficients (B, M) of fixed M, "
            f"got outputs {', '.join(tensor.name for tensor in outputs)}"
        )
    expected_outputs: dict[str, Shape] = {**output_shapes(num_hypotheses)}
    for kind, expected, found in (("input", INPUTS, inputs), ("output", expected_outputs, outputs)):
        got = {tensor.name: tuple(tensor.shape[1:]) for tensor in found if tensor.type == _FLOAT32}
        for name, shape in expected.items():
            # A graph may leave a size open; it may not state another one.
            sizes = got.get(name, ())
            if len(sizes) != len(shape) or any(
                isinstance(a, int) and a != b for a, b in zip(sizes, shape, strict=True)
            ):
                raise BundleError(
                    f"{model}: expected a float32 {kind} {name} of shape (B, {', '.join(map(str, shape))}), "
                    f"got {('(B, ' + ', '.join(map(str, sizes)) + ')') if name in got else 'none'}"
                )
    if len(inputs) != len(INPUTS):
        raise BundleError(
            f"{model}: expected inputs {', '.join(INPUTS)} alone, got {', '.join(t.name for t in inputs)}"
        )
    return num_hypotheses
