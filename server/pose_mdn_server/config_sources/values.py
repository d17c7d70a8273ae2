"""Values of settings: from text, from TOML, and back to TOML."""

import json
import math
import typing
from pathlib import Path

from pose_mdn.errors import ConfigError
from pose_mdn_server.config_sources.table import Setting, Value

NONE = "none"
"""How an optional setting is left out, in a file, a flag or the environment."""

_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_EXPECTED = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    Path: "a path",
    tuple: "a list of texts",
}


def from_text(setting: Setting, text: str, *, source: str) -> Value:
    """The value that a flag or an environment variable spells; lists are separated by commas.

    Raises:
        ConfigError: It spells none; the message names the setting and the source.
    """
    text = text.strip()
    try:
        text.encode()
        if setting.optional and text.lower() == NONE:
            return None
        if setting.kind is bool:
            return _BOOLEANS[text.lower()]
        if setting.kind in {int, float}:
            return _finite(setting.kind(text))
        if setting.kind is tuple:
            return tuple(part.strip() for part in text.split(",") if part.strip())
    except (KeyError, ValueError):
        raise refused(setting, text, source=source) from None
    return _path(setting, text, source=source) if setting.kind is Path else text


def from_native(setting: Setting, value: object, *, source: str) -> Value:
    """The value that TOML or a program gives; whole numbers will do for any number, nothing else is converted.

    Raises:
        ConfigError: It has another type; the message names the setting and the source.
    """
    if value is None or (isinstance(value, str) and value.lower() == NONE):
        if setting.optional:
            return None
        if value is None:
            raise refused(setting, value, source=source)
    if setting.kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if setting.kind is Path and isinstance(value, str | Path):
        return _path(setting, str(value), source=source)
    if setting.kind is tuple and isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return tuple(value)
    if (
        setting.kind is tuple
        or not isinstance(value, setting.kind)
        or (isinstance(value, bool) and setting.kind is not bool)
    ):
        raise refused(setting, value, source=source)
    if isinstance(value, float) and not math.isfinite(value):
        raise refused(setting, value, source=source)
    return typing.cast(Value, value)


def to_toml(value: Value) -> str:
    """A value as TOML spells it; `from_native` takes it back."""
    if value is None:
        return f'"{NONE}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(to_toml, value))}]"
    # JSON's escapes are TOML's, but for the one control character that JSON lets pass.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007F")


def spelt(value: Value) -> str:
    """A value as a flag or a variable spells it; `from_text` takes it back."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) and value == float(f"{value:g}") else str(value)


def refused(setting: Setting, got: object, *, source: str) -> ConfigError:
    """The error that says what the setting takes."""
    expected = _EXPECTED[setting.kind] + (f", or {NONE}" if setting.optional else "")
    return ConfigError(f"{setting.name} from {source}: expected {expected}, got {got!r}", setting=setting.name)


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError
    return number


def _path(setting: Setting, text: str, *, source: str) -> Path:
    if not text or "\0" in text:
        raise refused(setting, text, source=source)
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~somebody, who is not known here
        raise refused(setting, text, source=source) from None
