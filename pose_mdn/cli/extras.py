"""Optional dependencies: a missing one is explained, not traced."""

from importlib.util import find_spec

from pose_mdn.errors import MissingExtraError


def require_torch() -> None:
    """Raise a `MissingExtraError` that says what to install, unless torch is there."""
    if find_spec("torch") is None:
        raise MissingExtraError("training needs torch, which is not installed; install it with: pip install 'pose-mdn[train]'")
