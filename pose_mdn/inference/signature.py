"""What every lifter's graph takes and gives, by name and shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

NOISE = "noise"
"""Input that only lifters which sample have: (B, M, Z) latents. They give one hypothesis for each."""

OPTIONAL_OUTPUTS: dict[str, Shape] = {"ood_score": ()}
"""Outputs that a graph may have beside `OUTPUTS`, after them; what it lacks is NaN in the answer."""

_FLOAT32 = "tensor(float)"


class Tensor(Protocol):
    """What is used of ONNX Runtime's description of an input or output."""

    name: str
    shape: list[int | str | None]
    type: str


def output_shapes(num_hypotheses: int) -> dict[str, tuple[int, ...]]:
    """Shape of each output after the batch axis, for M hypotheses; optional ones after the others."""
    return {
        name: tuple(size if isinstance(size, int) else num_hypotheses for size in shape)
        for name, shape in (OUTPUTS | OPTIONAL_OUTPUTS).items()
    }


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What a lifter's graph gives.

    Attributes:
        num_hypotheses: M; `None` for lifters that give as many as there are noise vectors.
        outputs: Names of `OUTPUTS`, then of the optional outputs that the graph has.
        latent_dim: Z, the length of noise vectors; `None` for lifters that take none.
    """

    num_hypotheses: int | None
    outputs: tuple[str, ...]
    latent_dim: int | None = None


def check_signature(model: str, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Signature:
    """The signature of a graph, if it is a lifter's.

    Raises:
        BundleError: The graph has other inputs or outputs.
    """
    coefficients = next((tensor for tensor in outputs if tensor.name == "mixing_coefficients"), None)
    num_hypotheses = coefficients.shape[-1] if coefficients is not None else None
    last_axis = next((tensor.shape[-1] for tensor in inputs if tensor.name == NOISE), None)
    latent_dim = last_axis if isinstance(last_axis, int) and coefficients is not None else None
    if not isinstance(num_hypotheses, int) and latent_dim is None:
        raise BundleError(
            f"{model}: expected a lifter's graph, with an output mixing_coefficients (B, M) of fixed M, or an input "
            f"noise (B, M, Z) of fixed Z, "
            f"got outputs {', '.join(tensor.name for tensor in outputs)}"
        )
    given = {tensor.name for tensor in outputs}
    names = (*OUTPUTS, *(name for name in OPTIONAL_OUTPUTS if name in given))
    fixed = num_hypotheses if isinstance(num_hypotheses, int) else None
    shapes: Mapping[str, Shape] = (OUTPUTS | OPTIONAL_OUTPUTS) if fixed is None else output_shapes(fixed)
    expected = INPUTS | {NOISE: (_HYPOTHESES, latent_dim)} if latent_dim is not None else INPUTS
    _check_tensors(model, "input", expected, inputs)
    _check_tensors(model, "output", {name: shapes[name] for name in names}, outputs)
    if len(inputs) != len(expected):
        raise BundleError(
            f"{model}: expected inputs {', '.join(expected)} alone, got {', '.join(t.name for t in inputs)}"
        )
    return Signature(num_hypotheses=fixed, outputs=names, latent_dim=latent_dim)


def _check_tensors(model: str, kind: str, expected: Mapping[str, Shape], found: Sequence[Tensor]) -> None:
    got = {tensor.name: tuple(tensor.shape[1:]) for tensor in found if tensor.type == _FLOAT32 and tensor.shape}
    for name, shape in expected.items():
        # A graph may leave a size open; it may not state another one.
        sizes = got.get(name)
        fits = sizes is not None and len(sizes) == len(shape)
        if not fits or any(isinstance(a, int) and a != b for a, b in zip(sizes or (), shape, strict=True)):
            raise BundleError(
                f"{model}: expected a float32 {kind} {name} of shape {_shown(shape)}, "
                f"got {'none' if sizes is None else _shown(sizes)}"
            )


def _shown(shape: Shape) -> str:
    return f"({', '.join(map(str, ('B', *shape)))})"
