"""Settings from a TOML file, the environment and flags; what is said later in this order is stronger.

Every value knows where it came from, so that an error names the place to mend.
"""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pose_mdn.errors import ConfigError
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.config_sources.table import PREFIX, SECTIONS, Setting, Value, settings
from pose_mdn_server.config_sources.values import from_native, from_text

DEFAULT = "default"
"""Source of what nobody set."""

CONFIG_VARIABLE = f"{PREFIX}CONFIG"
"""Names the TOML file where no flag does."""

_OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, f"{PREFIX}TOKEN"})
"""Variables of ours that are no settings: the file, and the token that a client shows."""

_LIKE_A_SETTING = 0.8
"""From this likeness on (difflib's ratio) an unknown variable is taken for a misspelt setting."""


@dataclass(frozen=True, kw_only=True)
class ResolvedConfig:
    """Settings, and where each came from.

    Attributes:
        config: The settings.
        sources: By setting: "--port", "environment POSE_MDN_PORT", "server.toml [network]" or "default".
    """

    config: ServerConfig
    sources: Mapping[str, str]


def load_config(file: Path | None, flags: Mapping[str, object], environment: Mapping[str, str]) -> ServerConfig:
    """Settings from all sources; arguments and errors as of `resolve_config`."""
    return resolve_config(file, flags, environment).config


def resolve_config(file: Path | None, flags: Mapping[str, object], environment: Mapping[str, str]) -> ResolvedConfig:
    """Settings from all sources, and the source of each: flag, else environment, else file, else default.

    Args:
        file: TOML, one table for each section; relative paths in it start from its folder.
        flags: Values by name of setting, as text or as they are; None means that the flag was not given.
        environment: Of the process. Only names that begin with POSE_MDN_ are looked at; an empty one counts as unset.

    Raises:
        ConfigError: The file cannot be read, a name is unknown, or a value has a wrong type or range.
    """
    found: dict[str, tuple[Value, str]] = {}
    for name, value, source in (*_from_file(file), *_from_environment(environment), *_from_flags(flags)):
        found[name] = value, source
    sources = {name: found[name][1] if name in found else DEFAULT for name in settings()}
    try:
        config = ServerConfig(**{name: value for name, (value, _) in found.items()})  # type: ignore[arg-type]
    except ConfigError as error:
        source = sources.get(error.setting, DEFAULT)
        if source == DEFAULT:
            raise
        text = str(error).removeprefix(f"{error.setting}: ")
        raise ConfigError(f"{error.setting} from {source}: {text}", setting=error.setting) from None
    return ResolvedConfig(config=config, sources=sources)


def config_file(flag: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The TOML file that the flag names, or else the environment."""
    return flag or (Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None)


def _from_file(file: Path | None) -> Iterator[tuple[str, Value, str]]:
    if file is None:
        return
    known = {section.name: [s for s in settings().values() if s.section is section] for section in SECTIONS}
    for section, table in _read(file).items():
        if section not in known:
            raise ConfigError(f"{file}: {_misplaced(section, table, list(known))}")
        if not isinstance(table, dict):
            raise ConfigError(f"{file}: {section}: expected a table [{section}], got {table!r}")
        for name, value in table.items():
            setting = settings().get(name)
            if setting is None or setting.section.name != section:
                names = [s.name for s in known[section]]
                raise ConfigError(f"{file} [{section}]: {_misplaced(name, value, names)}")
            source = f"{file} [{section}]"
            taken = from_native(setting, value, source=source)
            yield name, file.parent / taken if isinstance(taken, Path) else taken, source


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"config: expected a TOML file, got {file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: expected TOML, got an error: {error}") from None


def _misplaced(key: str, value: object, known: list[str]) -> str:
    """What to say of a key that is not where settings are."""
    setting = settings().get(key)
    if setting is not None and not isinstance(value, dict):
        return f"{key!r} belongs to the table [{setting.section.name}]"
    what = "table" if isinstance(value, dict) else "setting"
    near = difflib.get_close_matches(key, [*known, *settings()], n=1)
    return (
        f"unknown {what} {key!r}" + (f" (did you mean {near[0]!r}?)" if near else "") + f"; known: {', '.join(known)}"
    )


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Value, str]]:
    known = {setting.variable: setting for setting in settings().values()}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or not text or _is_service_link(text):
            continue
        if variable in known and not known[variable].from_environment:
            continue
        if variable in known:
            source = f"environment {variable}"
            yield known[variable].name, from_text(known[variable], text, source=source), source
        elif variable not in _OTHER_VARIABLES:
            # Other programs may have variables of such names, so that only those are refused that look misspelt.
            tails = [name.removeprefix(PREFIX) for name in known]
            near = difflib.get_close_matches(variable.removeprefix(PREFIX), tails, n=1, cutoff=_LIKE_A_SETTING)
            if near:
                raise ConfigError(f"environment {variable}: unknown setting (did you mean {PREFIX}{near[0]!s}?)")


def _is_service_link(text: str) -> bool:
    """Whether a container engine set it: Kubernetes announces a service `pose-mdn` as POSE_MDN_PORT=tcp://ADDRESS."""
    return text.startswith(("tcp://", "udp://", "sctp://"))


def _from_flags(flags: Mapping[str, object]) -> Iterator[tuple[str, Value, str]]:
    for name, value in flags.items():
        setting = settings().get(name)
        if setting is None:
            raise ConfigError(f"flags: {_misplaced(name, value, list(settings()))}")
        if value is not None:
            yield name, _from_flag(setting, value), setting.flag


def _from_flag(setting: Setting, value: object) -> Value:
    convert = from_text if isinstance(value, str) else from_native
    return convert(setting, value, source=setting.flag)  # type: ignore[arg-type]
