"""A model's exported graph, run as it is: named tensors in, named tensors out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from pose_mdn.inference.bundle import Bundle
from pose_mdn.inference.session import open_session

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

    def __init__(self, bundle: Bundle, *, threads: int, part: str = "") -> None:
        self.name = f"{bundle.name}_{part}" if part else bundle.name
        self.bundle_name = bundle.name
        self.version = str(bundle.version)
        self._session = open_session(bundle.graph_paths[part], threads=threads)
        self.inputs = tuple(_spec(node) for node in self._session.get_inputs())
        self.outputs = tuple(_spec(node) for node in self._session.get_outputs())
        self.metadata: Mapping[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)

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

    def warm_up(self) -> None:
        """Run once on zeros, so that the first caller does not pay for lazy initialisation."""
        zeros = {
            spec.name: np.zeros([1 if isinstance(axis, str) else axis for axis in spec.shape], dtype=spec.dtype)
            for spec in self.inputs
        }
        self.run(zeros, [spec.name for spec in self.outputs])


_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}


def _spec(node: ort.NodeArg) -> TensorSpec:
    axes = [axis if axis is not None else f"{node.name}:{place}" for place, axis in enumerate(node.shape)]
    return TensorSpec(name=node.name, dtype=np.dtype(_DTYPES[node.type]), shape=tuple(axes))
