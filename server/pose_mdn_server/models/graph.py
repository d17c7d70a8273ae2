"""A model's exported graph, run as it is: named tensors in, named tensors out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from pose_mdn.errors import BundleError
from pose_mdn.inference.bundle import Bundle
from pose_mdn.inference.session import open_part

Array = NDArray[np.generic]


@dataclass(frozen=True, kw_only=True)
class TensorSpec:
    """What the graph says of one of its tensors.

    Attributes:
        name: Name of the tensor.
        dtype: Type of its elements.
        shape: Its axes: a length, or the symbol of a length that is free but the same wherever the symbol stands.
    """

    name: str
    dtype: np.dtype[np.generic]
    shape: tuple[int | str, ...]


class Graph:
    """One graph, ready to run from several threads at once."""

    def __init__(
        self, bundle: Bundle, *, threads: int = 1, part: str = "", session: ort.InferenceSession | None = None
    ) -> None:
        """Load a graph of a bundle, or take the session of one that has been loaded.

        Raises:
            BundleError: It cannot be loaded, or has inputs or outputs that are no arrays of numbers.
        """
        self.name = graph_name(bundle.name, part)
        self.bundle_name = bundle.name
        self.version = str(bundle.version)
        self._session = open_part(bundle, part, threads) if session is None else session
        self.inputs = tuple(_spec(self.name, node) for node in self._session.get_inputs())
        self.outputs = tuple(_spec(self.name, node) for node in self._session.get_outputs())
        self.metadata: Mapping[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def batch_is_free(self) -> bool:
        """Whether every input has a first axis of any length, and all of them the same."""
        symbols = {spec.shape[0] if spec.shape else 0 for spec in self.inputs}
        return len(symbols) == 1 and isinstance(symbols.pop(), str)

    @cached_property
    def batch_axis(self) -> str | None:
        """Symbol of the axis along which calls may be joined into one run.

        It is the first axis of every input and output and stands nowhere else; `None` if there is no such axis.
        """
        specs = (*self.inputs, *self.outputs)
        first = {spec.shape[0] if spec.shape else None for spec in specs}
        symbol = first.pop()
        elsewhere = any(symbol in spec.shape[1:] for spec in specs)
        return symbol if isinstance(symbol, str) and not first and not elsewhere else None

    @cached_property
    def other_axes(self) -> tuple[tuple[str, int], ...]:
        """Where free axes other than `batch_axis` are: name of an input, number of its axis."""
        return tuple(
            (spec.name, place)
            for spec in self.inputs
            for place, axis in enumerate(spec.shape)
            if isinstance(axis, str) and axis != self.batch_axis
        )

    def lane(self, inputs: Mapping[str, Array]) -> tuple[int, ...]:
        """Lengths of the free axes other than `batch_axis`; only inputs that agree in them may be joined."""
        return tuple([inputs[name].shape[place] for name, place in self.other_axes])

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        """The outputs asked for, in that order. Names, types and shapes must fit the specs."""
        results: list[Array] = self._session.run(list(outputs), dict(inputs))
        return results

    def warm_up(self, batch_sizes: Sequence[int] = (1,)) -> None:
        """Run on zeros, so that the first callers do not pay for what ONNX Runtime does once for each shape.

        Args:
            batch_sizes: Lengths of the batch axis to come, if it is free; other free axes are 1.
        """
        outputs = [spec.name for spec in self.outputs]
        for size in batch_sizes if self.batch_is_free else (1,):
            self.run({spec.name: _zeros(spec, size) for spec in self.inputs}, outputs)


def graph_name(bundle: str, part: str) -> str:
    """The name under which a part of a bundle is called."""
    return f"{bundle}_{part}" if part else bundle


def _zeros(spec: TensorSpec, size: int) -> Array:
    lengths = [axis if isinstance(axis, int) else (size if place == 0 else 1) for place, axis in enumerate(spec.shape)]
    return np.zeros(lengths, dtype=spec.dtype)


_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}


def _spec(graph: str, node: ort.NodeArg) -> TensorSpec:
    dtype = _DTYPES.get(node.type)
    if dtype is None or node.shape is None:
        raise BundleError(f"{graph}: expected tensors of {', '.join(_DTYPES)}, got {node.name} of {node.type}")
    axes = [axis if axis is not None else f"{node.name}:{place}" for place, axis in enumerate(node.shape)]
    return TensorSpec(name=node.name, dtype=np.dtype(dtype), shape=tuple(axes))
