"""ONNX Runtime sessions, set up once for everybody."""

from pathlib import Path

import onnxruntime

from pose_mdn.errors import BundleError
from pose_mdn.inference.bundle import Bundle
from pose_mdn.inference.bundle_files import read_bounded
from pose_mdn.inference.graph_check import MAX_GRAPH_BYTES, check_graph

_ERRORS_ONLY = 3


def open_session(path: str | Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """Load an ONNX graph for the CPU.

    Args:
        path: The `.onnx` file, with its weights inside.
        threads: How many threads work on one call; 0 lets ONNX Runtime choose.

    Raises:
        BundleError: The file cannot be read or is no graph that ONNX Runtime runs, keeps weights in other files, or
            brings operators or functions of its own.
    """
    try:
        content = read_bounded(Path(path), MAX_GRAPH_BYTES)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
    return _open(content, str(path), threads)


def open_part(bundle: Bundle, part: str = "", threads: int = 1) -> onnxruntime.InferenceSession:
    """Load a graph of a bundle. What is loaded are the very bytes whose checksum was verified.

    Args:
        bundle: Where the graph is.
        part: Which of its graphs; the one graph of a lifter has the empty name.
        threads: As of `open_session`.

    Raises:
        BundleError: The bundle has no such part, the file was altered, or as of `open_session`.
    """
    files = bundle.graph_files
    if part not in files:
        raise BundleError(f"{bundle.path}: expected a graph called {part!r}, got {', '.join(map(repr, files))}")
    return _open(bundle.read(files[part]), str(bundle.path / files[part]), threads)


def open_parts(bundle: Bundle, threads: int = 1) -> dict[str, onnxruntime.InferenceSession]:
    """Every graph of a bundle by its part; errors as of `open_part`."""
    return {part: open_part(bundle, part, threads) for part in bundle.graph_files}


def _open(content: bytes, source: str, threads: int) -> onnxruntime.InferenceSession:
    check_graph(content, source)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Idle threads that spin would take the cores from whoever prepares the next batch.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # ONNX Runtime has a format of its own, which it recognises by four bytes and which nobody has checked.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions have no public common class
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise BundleError(f"{source}: ONNX Runtime cannot load the graph: {reason}") from error
