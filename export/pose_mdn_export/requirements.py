"""What exporting needs beyond the core."""

from importlib.util import find_spec

from pose_mdn.errors import MissingExtraError


def require_export_extra() -> None:
    """Raise a `MissingExtraError` that says what to install, unless everything is there."""
    missing = [name for name in ("torch", "onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"exporting needs {', '.join(missing)}, not installed; install with: pip install 'pose-mdn[export]'"
        )
