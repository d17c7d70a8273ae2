"""ONNX Runtime sessions, set up once for everybody."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import onnxruntime
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from pose_mdn.errors import BundleError

_ERRORS_ONLY = 3

# Field numbers of onnx.proto, so that the runtime does not need the onnx package.
_MODEL_GRAPH = 7
_GRAPH_INITIALIZER = 5
_TENSOR_DATA_LOCATION = 14
_EXTERNAL = 1


class UnknownField(Protocol):
    """One field of a message, as protobuf gives it without the message's schema."""

    field_number: int
    data: object


def open_session(path: str | Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """Load an ONNX graph for the CPU.

    Args:
        path: The `.onnx` file, with its weights inside.
        threads: How many threads work on one call; 0 lets ONNX Runtime choose.

    Raises:
        BundleError: The file cannot be read or is no graph that ONNX Runtime runs, or keeps weights in other files.
    """
    try:
        graph = Path(path).read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
    if _has_external_data(path, graph):
        raise BundleError(f"{path}: expected a graph with its weights inside, got one that keeps them in other files")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Idle threads that spin would take the cores from whoever prepares the next batch.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions have no public common class
        reason = str(error).splitlines()[0]
        raise BundleError(f"{path}: ONNX Runtime cannot load the graph: {reason}") from error


def _has_external_data(path: str | Path, graph: bytes) -> bool:
    try:
        return any(
            location == _EXTERNAL
            for model_graph in _field(graph, _MODEL_GRAPH)
            for tensor in _field(model_graph, _GRAPH_INITIALIZER)
            for location in _field(tensor, _TENSOR_DATA_LOCATION)
        )
    except (DecodeError, TypeError) as error:
        raise BundleError(f"{path}: expected an ONNX graph, got something else or a truncated file") from error


def _field(message: object, number: int) -> Iterator[object]:
    """All values of a field of an encoded message: bytes for messages, integers for enumerations."""
    if not isinstance(message, bytes):
        raise TypeError(f"expected an encoded message, got {type(message)}")
    fields: Iterable[UnknownField] = UnknownFieldSet(Empty.FromString(message))  # type: ignore[assignment]
    yield from (field.data for field in fields if field.field_number == number)
