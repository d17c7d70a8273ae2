"""Range checks of settings."""

from pose_mdn.errors import ConfigError


def require(condition: bool, name: str, expected: str, got: object) -> None:
    """Raise a `ConfigError` that names the setting, what was expected and what came, unless the condition holds."""
    if not condition:
        raise ConfigError(f"{name}: expected a value {expected}, got {got!r}", setting=name)
