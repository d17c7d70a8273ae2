"""TOML to settings and back, strictly: an unknown key is an error that names the nearest known one."""

import dataclasses
import difflib
import tomllib
import types
import typing
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pose_mdn.config.generation import CVAELifterConfig, PoseVAEConfig
from pose_mdn.config.training import TrainingConfig
from pose_mdn.errors import ConfigError

Config = TypeVar("Config")

AnyRunConfig = TrainingConfig | PoseVAEConfig | CVAELifterConfig
"""Settings of a run, of whichever kind."""

_KINDS: dict[str, type[AnyRunConfig]] = {
    "lifter": TrainingConfig,
    "pose_vae": PoseVAEConfig,
    "pose_cvae": PoseVAEConfig,
    "cvae_lifter": CVAELifterConfig,
}


def preset_names() -> list[str]:
    """Names of the presets that come with the package."""
    folder = resources.files("pose_mdn.config") / "presets"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_preset(name: str) -> AnyRunConfig:
    """Settings of a preset.

    Raises:
        ConfigError: There is no such preset.
    """
    if name not in preset_names():
        raise ConfigError(
            f"preset: expected one of {', '.join(preset_names())}, got {name!r}{_suggest(name, preset_names())}"
        )
    text = (resources.files("pose_mdn.config") / "presets" / f"{name}.toml").read_text(encoding="utf-8")
    return run_config_from_toml(text, source=f"preset {name}")


def read_config(path: Path) -> AnyRunConfig:
    """Settings of a run from a TOML file."""
    return run_config_from_toml(path.read_text(encoding="utf-8"), source=str(path))


def run_config_from_toml(text: str, *, source: str) -> AnyRunConfig:
    """Settings of the kind that the text names under `kind`; a lifter's if it names none. Errors as `from_toml`."""
    kind = _parse(text, source=source).get("kind", "lifter")
    if kind not in _KINDS:
        raise ConfigError(f"{source}: kind: expected one of {', '.join(_KINDS)}, got {kind!r}")
    return from_toml(_KINDS[kind], text, source=source)


def from_toml(kind: type[Config], text: str, *, source: str) -> Config:
    """Build settings from TOML text; keys that are absent keep their defaults.

    Raises:
        ConfigError: The text is not TOML, a key is unknown, or a value has the wrong type or range.
    """
    return from_dict(kind, _parse(text, source=source), source=source)


def _parse(text: str, *, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: expected TOML, got an error: {error}") from None


def from_dict(kind: type[Config], table: dict[str, Any], *, source: str) -> Config:
    """Build settings from nested dictionaries, as read from TOML or a checkpoint."""
    hints = typing.get_type_hints(kind)
    values = {}
    for key, value in table.items():
        if key not in hints:
            raise ConfigError(
                f"{source}: unknown setting {key!r}{_suggest(key, list(hints))}; known: {', '.join(hints)}"
            )
        values[key] = _convert(hints[key], value, source=f"{source}: {key}")
    return kind(**values)


def to_toml(config: Any) -> str:
    """Write settings in full, defaults included; `from_toml` reads it back to an equal object."""
    return "\n".join(_toml_lines(config, prefix="")) + "\n"


def _toml_lines(config: Any, prefix: str) -> list[str]:
    plain, nested = [], []
    for entry in dataclasses.fields(config):
        value = getattr(config, entry.name)
        if dataclasses.is_dataclass(value):
            name = prefix + entry.name
            nested += ["", f"[{name}]", *_toml_lines(value, prefix=f"{name}.")]
        elif value is not None:
            plain.append(f"{entry.name} = {_toml_value(value)}")
    return plain + nested


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    return repr(value)


def _convert(hint: Any, value: Any, *, source: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise ConfigError(f"{source}: expected a table, got {value!r}")
        return from_dict(typing.cast(type[Any], hint), value, source=source)
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        choices = typing.get_args(hint)
        if value not in choices:
            raise ConfigError(f"{source}: expected one of {', '.join(map(repr, choices))}, got {value!r}")
        return value
    if origin in {typing.Union, types.UnionType}:
        return _convert_union(hint, value, source=source)
    if origin is tuple:
        return _convert_tuple(hint, value, source=source)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{source}: expected {hint.__name__}, got {value!r}")
    return value


def _convert_union(hint: Any, value: Any, *, source: str) -> Any:
    for option in typing.get_args(hint):
        if option is type(None) and value is None:
            return None
        try:
            return _convert(option, value, source=source)
        except (ConfigError, TypeError):
            continue
    raise ConfigError(f"{source}: expected {hint}, got {value!r}")


def _convert_tuple(hint: Any, value: Any, *, source: str) -> Any:
    arguments = typing.get_args(hint)
    if not isinstance(value, (list, tuple)):
        raise ConfigError(f"{source}: expected a list, got {value!r}")
    if arguments[-1] is Ellipsis:
        return tuple(_convert(arguments[0], item, source=source) for item in value)
    if len(value) != len(arguments):
        raise ConfigError(f"{source}: expected {len(arguments)} values, got {len(value)}")
    return tuple(_convert(option, item, source=source) for option, item in zip(arguments, value, strict=True))


def _suggest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
