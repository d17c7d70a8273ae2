"""Errors of the exporter."""

from pose_mdn.errors import PoseMDNError


class ExportError(PoseMDNError):
    """A model could not be exported."""


class ExportMismatchError(ExportError):
    """ONNX Runtime and torch disagree about an exported graph.

    Attributes:
        output: Name of the output that differs most.
        max_abs_error: The largest difference, in the output's unit.
        tolerance: What was allowed.
    """

    def __init__(self, message: str, *, output: str, max_abs_error: float, tolerance: float) -> None:
        super().__init__(message)
        self.output = output
        self.max_abs_error = max_abs_error
        self.tolerance = tolerance
