"""Settings on their way to another process of the same server."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from pose_mdn_server.config import ServerConfig

_PATHS = {field.name for field in fields(ServerConfig) if "Path" in str(field.type)}


def encode_config(config: ServerConfig) -> dict[str, Any]:
    """As JSON has it."""
    return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(config).items()}


def decode_config(values: dict[str, Any]) -> ServerConfig:
    """The inverse of `encode_config`."""
    return ServerConfig(**{name: _decoded(name, value) for name, value in values.items()})


def _decoded(name: str, value: Any) -> Any:
    if name in _PATHS and value is not None:
        return Path(value)
    return tuple(value) if isinstance(value, list) else value
