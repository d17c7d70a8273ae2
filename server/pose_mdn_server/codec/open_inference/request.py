"""What a valid request is."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from pose_mdn_server.codec.open_inference.tensors import CONTENTS, DATATYPES, from_contents, from_raw
from pose_mdn_server.models.graph import Array, Graph, TensorSpec
from pose_mdn_server.rpc import open_inference_pb2 as oip
from pose_mdn_server.violations import Violations

MAX_FREE_ELEMENTS = 65_536
"""Largest product of the free axes of one tensor: poses of a call times samples of each."""

InputTensor = oip.ModelInferRequest.InferInputTensor

_NOT_OFFERED = ("shared_memory_region", "shared_memory_byte_size", "shared_memory_offset", "classification")


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerHeader:
    """What an answer says besides the elements of its tensors.

    Attributes:
        before: Comes first.
        before_tensors: What comes before the elements of each.
    """

    before: bytes
    before_tensors: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class InferJob:
    """A valid request.

    Attributes:
        inputs: One array for each input of the graph, in the order of the request.
        outputs: Names of the outputs wanted, in the order in which to answer.
        raw: Whether tensors came as bytes and go back so.
        poses: Length of the first axis of the graph's first input; 1 if it has none or that is not free.
        answer_headers: Headers of answers to requests like this one, by the shapes of the tensors; the jobs that one
            plan makes share them.
    """

    inputs: dict[str, Array]
    outputs: tuple[str, ...]
    raw: bool
    poses: int
    answer_headers: dict[tuple[tuple[int, ...], ...], AnswerHeader] = field(default_factory=dict)


def decode_infer_request(request: oip.ModelInferRequest, graph: Graph, *, max_poses: int) -> InferJob:
    """Read a request for a graph.

    Raises:
        RequestError: With every violation found.
    """
    violations = Violations()
    outputs = _decode_outputs(request, graph, violations)
    raw = len(request.raw_input_contents) > 0
    violations.require(
        not raw or len(request.raw_input_contents) == len(request.inputs),
        "raw_input_contents",
        f"expected one entry for each of the {len(request.inputs)} inputs, got {len(request.raw_input_contents)}",
    )
    _check_names(request, graph, violations)
    violations.raise_if_any()
    reader = _InputReader(max_poses, violations)
    specs = {spec.name: spec for spec in graph.inputs}
    inputs = {
        tensor.name: reader.read(place, tensor, specs[tensor.name], request.raw_input_contents[place] if raw else None)
        for place, tensor in enumerate(request.inputs)
    }
    if not raw:
        _check_answerable(outputs, graph, violations)
    violations.raise_if_any()
    return InferJob(inputs=inputs, outputs=outputs, raw=raw, poses=_count_poses(inputs, graph))


def _count_poses(inputs: dict[str, Array], graph: Graph) -> int:
    first = graph.inputs[0]
    return inputs[first.name].shape[0] if first.shape and isinstance(first.shape[0], str) else 1


def _decode_outputs(request: oip.ModelInferRequest, graph: Graph, violations: Violations) -> tuple[str, ...]:
    known = [spec.name for spec in graph.outputs]
    wanted = [output.name for output in request.outputs]
    seen: set[str] = set()
    for place, (name, output) in enumerate(zip(wanted, request.outputs, strict=True)):
        path = f"outputs[{place}].name"
        violations.require(name in known, path, f"expected one of {', '.join(known)}, got {name[:64]!r}")
        violations.require(name not in seen, path, f"expected each output once, got {name[:64]!r} again")
        _refuse_parameters(output.parameters, f"outputs[{place}].parameters", violations)
        seen.add(name)
    return tuple(wanted or known)


def _check_answerable(outputs: Iterable[str], graph: Graph, violations: Violations) -> None:
    """Typed contents cannot carry every type."""
    for spec in graph.outputs:
        datatype = DATATYPES[spec.dtype]
        if spec.name in outputs:
            violations.require(
                datatype in CONTENTS,
                "raw_input_contents",
                f"expected inputs as bytes, since output {spec.name} is {datatype} and can only go back so; got lists",
            )


def _check_names(request: oip.ModelInferRequest, graph: Graph, violations: Violations) -> None:
    known = [spec.name for spec in graph.inputs]
    counts = Counter(tensor.name for tensor in request.inputs)
    for place, tensor in enumerate(request.inputs):
        violations.require(
            tensor.name in known,
            f"inputs[{place}].name",
            f"expected one of {', '.join(known)}, got {tensor.name[:64]!r}",
        )
        _refuse_parameters(tensor.parameters, f"inputs[{place}].parameters", violations)
    for name in known:
        violations.require(
            counts[name] == 1, "inputs", f"expected input {name!r} exactly once, got it {counts[name]} times"
        )


def _refuse_parameters(names: Iterable[str], field: str, violations: Violations) -> None:
    for name in _NOT_OFFERED:
        if name in names:
            violations.add(
                field, f"expected tensors whole and inside the messages, got {name!r}, which is not offered here"
            )


class _InputReader:
    """Reads the tensors of one request; remembers what the free axes of earlier ones were, since all must agree."""

    def __init__(self, max_poses: int, violations: Violations) -> None:
        self._max_poses = max_poses
        self._violations = violations
        self._lengths: dict[str, int] = {}

    def read(self, place: int, tensor: InputTensor, spec: TensorSpec, buffer: bytes | None) -> Array:
        """The elements, once their number agrees with the shape; nothing is allocated on the word of the shape alone.

        An array that is wrong comes back empty, with its violations noted.
        """
        self._check_datatype(place, tensor, spec)
        self._check_shape(place, tensor, spec)
        shape = tuple(tensor.shape)
        count = math.prod(shape) if all(length >= 0 for length in shape) else 0
        array = from_contents(tensor.contents, spec.dtype) if buffer is None else from_raw(buffer, spec.dtype)
        if buffer is not None and tensor.HasField("contents"):
            self._violations.add(f"inputs[{place}].contents", "expected none beside raw_input_contents, got some")
        if array is not None and array.size == count and len(shape) == len(spec.shape):
            return array.reshape(shape)
        if buffer is None:
            path = f"inputs[{place}].contents.{CONTENTS.get(DATATYPES[spec.dtype], '')}".rstrip(".")
            got = f"{count} elements for {spec.name} of shape {shape[:8]}, got {0 if array is None else array.size}"
        else:
            path = f"raw_input_contents[{place}]"
            got = f"{count * spec.dtype.itemsize} bytes for {spec.name} of shape {shape[:8]}, got {len(buffer)}"
        self._violations.require(array is not None and array.size == count, path, f"expected {got}")
        return np.zeros((0,) * len(spec.shape), dtype=spec.dtype)

    def _check_datatype(self, place: int, tensor: InputTensor, spec: TensorSpec) -> None:
        datatype = DATATYPES[spec.dtype]
        self._violations.require(
            tensor.datatype == datatype,
            f"inputs[{place}].datatype",
            f"expected {datatype} for {spec.name}, got {tensor.datatype[:64]!r}",
        )

    def _check_shape(self, place: int, tensor: InputTensor, spec: TensorSpec) -> None:
        shape = tuple(tensor.shape)
        fits = len(shape) == len(spec.shape)
        free = math.prod(length for axis, length in zip(spec.shape, shape, strict=False) if isinstance(axis, str))
        fits &= free <= MAX_FREE_ELEMENTS
        for axis, length in zip(spec.shape, shape, strict=False):
            if isinstance(axis, str):
                fits &= 1 <= length <= self._max_poses and self._lengths.setdefault(axis, length) == length
            else:
                fits &= length == axis
        wanted = ", ".join(str(self._lengths.get(str(axis), axis)) for axis in spec.shape)
        self._violations.require(
            fits,
            f"inputs[{place}].shape",
            f"expected ({wanted}) for {spec.name}, the first axis from 1 to {self._max_poses} and the same for all "
            f"inputs, all free axes together at most {MAX_FREE_ELEMENTS}, got {shape[:8]}",
        )
