"""Models that callers load and unload."""

from collections.abc import Callable
from typing import Any

from pose_mdn_server.models.model_store import ModelStore

OnControl = Callable[[str, str, str], None]
"""Told what was done, "load" or "unload", and to which name and version (empty: all)."""


class ControlledModels:
    """A store that tells others what callers had it load and unload. In all else it is that store.

    Several processes serve the same models, each from a store of its own, and a caller reaches one of them.
    """

    def __init__(self, store: ModelStore, on_control: OnControl) -> None:
        self._store = store
        self._on_control = on_control

    def load_model(self, name: str, version: str = "") -> None:
        """As `ModelStore.load_model`."""
        self._store.load_model(name, version)
        self._on_control("load", name, version)

    def unload_model(self, name: str, version: str = "", *, unload_dependents: bool = False) -> None:
        """As `ModelStore.unload_model`."""
        self._store.unload_model(name, version, unload_dependents=unload_dependents)
        self._on_control("unload", name, version)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
