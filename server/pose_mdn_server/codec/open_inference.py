"""Open Inference Protocol: tensors with names, types and shapes."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from pose_mdn_server.models.graph import Array, Graph, TensorSpec
from pose_mdn_server.rpc import open_inference_pb2 as oip
from pose_mdn_server.violations import Violations

_DATATYPES = {
    np.dtype(np.float16): "FP16",
    np.dtype(np.float32): "FP32",
    np.dtype(np.float64): "FP64",
    np.dtype(np.int32): "INT32",
    np.dtype(np.int64): "INT64",
    np.dtype(np.bool_): "BOOL",
}
_CONTENTS = {
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "BOOL": "bool_contents",
}
"""Field of `InferTensorContents` for each datatype; the protocol has none for FP16."""


MAX_FREE_ELEMENTS = 65_536
"""Largest product of the free axes of one tensor: poses of a call times samples of each."""

InputTensor = oip.ModelInferRequest.InferInputTensor


@dataclass(frozen=True, kw_only=True)
class InferJob:
    """A valid request.

    Attributes:
        inputs: One array for each input of the graph.
        outputs: Names of the outputs wanted, in the order in which to answer.
        raw: Whether tensors came as bytes and go back so.
    """

    inputs: dict[str, Array]
    outputs: list[str]
    raw: bool


def encode_metadata(graph: Graph, versions: list[str]) -> oip.ModelMetadataResponse:
    """What a graph takes and gives."""
    return oip.ModelMetadataResponse(
        name=graph.name,
        versions=versions,
        platform="onnxruntime_onnx",
        inputs=[_encode_spec(spec) for spec in graph.inputs],
        outputs=[_encode_spec(spec) for spec in graph.outputs],
    )


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
    violations.raise_if_any()
    return InferJob(inputs=inputs, outputs=outputs, raw=raw)


def encode_infer_response(
    request: oip.ModelInferRequest, graph: Graph, job: InferJob, results: list[Array]
) -> oip.ModelInferResponse:
    """The answer, in raw bytes if the request came so."""
    response = oip.ModelInferResponse(model_name=graph.name, model_version=graph.version, id=request.id)
    for name, array in zip(job.outputs, results, strict=True):
        datatype = _DATATYPES[array.dtype]
        tensor = response.outputs.add(name=name, datatype=datatype, shape=array.shape)
        if job.raw:
            response.raw_output_contents.append(_little_endian(array).tobytes())
        else:
            getattr(tensor.contents, _CONTENTS[datatype]).extend(array.ravel().tolist())
    return response


def _encode_spec(spec: TensorSpec) -> oip.ModelMetadataResponse.TensorMetadata:
    return oip.ModelMetadataResponse.TensorMetadata(
        name=spec.name,
        datatype=_DATATYPES[spec.dtype],
        shape=[-1 if isinstance(axis, str) else axis for axis in spec.shape],
    )


def _decode_outputs(request: oip.ModelInferRequest, graph: Graph, violations: Violations) -> list[str]:
    known = [spec.name for spec in graph.outputs]
    wanted = [output.name for output in request.outputs]
    for place, name in enumerate(wanted):
        field = f"outputs[{place}].name"
        violations.require(name in known, field, f"expected one of {', '.join(known)}, got {name[:64]!r}")
        violations.require(name not in wanted[:place], field, f"expected each output once, got {name[:64]!r} again")
    return wanted or known


def _check_names(request: oip.ModelInferRequest, graph: Graph, violations: Violations) -> None:
    known = [spec.name for spec in graph.inputs]
    counts = Counter(tensor.name for tensor in request.inputs)
    for place, tensor in enumerate(request.inputs):
        violations.require(
            tensor.name in known,
            f"inputs[{place}].name",
            f"expected one of {', '.join(known)}, got {tensor.name[:64]!r}",
        )
    for name in known:
        violations.require(
            counts[name] == 1, "inputs", f"expected input {name!r} exactly once, got it {counts[name]} times"
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
        array = self._typed(tensor, spec) if buffer is None else self._raw(buffer, spec)
        if buffer is not None and tensor.HasField("contents"):
            self._violations.add(f"inputs[{place}].contents", "expected none beside raw_input_contents, got some")
        if array is not None and array.size == count:
            return array.reshape(shape)
        if buffer is None:
            field = f"inputs[{place}].contents.{_CONTENTS.get(_DATATYPES[spec.dtype], '')}"
            got = f"{count} elements for {spec.name} of shape {shape[:8]}, got {0 if array is None else array.size}"
        else:
            field = f"raw_input_contents[{place}]"
            got = f"{count * spec.dtype.itemsize} bytes for {spec.name} of shape {shape[:8]}, got {len(buffer)}"
        self._violations.add(field, f"expected {got}")
        return np.zeros(0, dtype=spec.dtype)

    def _check_datatype(self, place: int, tensor: InputTensor, spec: TensorSpec) -> None:
        datatype = _DATATYPES[spec.dtype]
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

    @staticmethod
    def _raw(buffer: bytes, spec: TensorSpec) -> Array | None:
        if len(buffer) % spec.dtype.itemsize:
            return None
        return np.frombuffer(buffer, dtype=spec.dtype.newbyteorder("<")).astype(spec.dtype, copy=False)

    @staticmethod
    def _typed(tensor: InputTensor, spec: TensorSpec) -> Array | None:
        field = _CONTENTS.get(_DATATYPES[spec.dtype])
        return None if field is None else np.array(getattr(tensor.contents, field), dtype=spec.dtype)


def _little_endian(array: Array) -> Array:
    return array.astype(array.dtype.newbyteorder("<"), copy=False)
