"""Every exception that the library raises on purpose.

A message says what was expected, what came, and what to do; only texts of these classes are shown to users and clients.
"""


class PoseMDNError(Exception):
    """Base of every error raised on purpose."""


class ConfigError(PoseMDNError, ValueError):
    """A setting is unknown, misspelt or out of range.

    Attributes:
        setting: Name of the setting at fault; empty if it is no single one.
    """

    def __init__(self, message: str, *, setting: str = "") -> None:
        super().__init__(message)
        self.setting = setting


class InputError(PoseMDNError, ValueError):
    """An array handed in by the caller has a wrong shape, type or value.

    Attributes:
        field: Name of the offending argument or request field, for clients that show errors beside a form.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class UnknownSkeletonError(InputError):
    """A skeleton was asked for that is not in the registry."""


class GeometryError(PoseMDNError, ValueError):
    """A camera or an alignment is degenerate."""


class FormatError(PoseMDNError, ValueError):
    """A file cannot be read as the format it claims to be."""


class ModelNotFoundError(PoseMDNError):
    """No bundle of that name or version exists."""


class BundleError(PoseMDNError):
    """A model bundle is incomplete, altered or not what it says."""


class CheckpointError(PoseMDNError):
    """A training checkpoint cannot be used for what was asked."""


class TrainingDivergedError(PoseMDNError):
    """The loss became infinite or not a number."""


class MissingExtraError(PoseMDNError, ImportError):
    """A part was used whose optional dependencies are not installed."""


class WorkerError(PoseMDNError):
    """The processes or machines that shall do the work cannot be started."""
