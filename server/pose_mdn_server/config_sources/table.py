"""The one table of settings: what each is called in a file, as a flag and in the environment, and what it means.

It is read from `ServerConfig` itself: a new field, put where it belongs, is a new setting everywhere.
"""

import ast
import dataclasses
import inspect
import textwrap
import types
import typing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pose_mdn_server.config import ServerConfig

Value = bool | int | float | str | Path | tuple[str, ...] | None
"""What a setting may be."""

PREFIX = "POSE_MDN_"
"""Of the settings in the environment."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A group of settings: a table of the TOML file, a panel of `--help`, a heading of the documentation."""

    name: str
    title: str
    first: str
    """Its first field; the fields of `ServerConfig` from there to the next section's first belong to it."""


SECTIONS = (
    Section(name="network", title="Network", first="host"),
    Section(name="models", title="Models", first="repository"),
    Section(name="limits", title="Speed and limits", first="workers"),
    Section(name="security", title="Security", first="tls_certificate"),
    Section(name="operation", title="Operation", first="access_log"),
)

LIVE = frozenset(
    {
        "tokens",
        "calls_per_s",
        "poses_per_s",
        "access_log",
        "drain_s",
    }
)
"""Settings that a running server takes over on SIGHUP; all others need a restart. Files of certificates and tokens are
read again by themselves when they change, under the names that they have."""

NOT_FROM_ENVIRONMENT = frozenset({"allow_insecure_public"})
"""Settings that no variable sets. The variable of this one is the second consent that the bind policy asks for beside
the setting; if it were the setting too, one word would count as two."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A field of `ServerConfig`, and its names."""

    name: str
    section: Section
    kind: type
    """bool, int, float, str, Path, or tuple for a list of texts."""
    optional: bool
    """Whether it may be absent, which is written "none"."""
    default: Value
    meaning: str

    @property
    def flag(self) -> str:
        """On the command line, for example "--max-batch"."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """In the environment, for example "POSE_MDN_MAX_BATCH"."""
        return PREFIX + self.name.upper()

    @property
    def from_environment(self) -> bool:
        """Whether the variable sets it."""
        return self.name not in NOT_FROM_ENVIRONMENT

    @property
    def placeholder(self) -> str:
        """What stands for its value in a usage line, for example "N"; empty for a switch."""
        return _PLACEHOLDERS[self.kind]

    @property
    def live(self) -> bool:
        """Whether a running server takes over a new value."""
        return self.name in LIVE


_PLACEHOLDERS = {bool: "", int: "N", float: "NUMBER", str: "TEXT", Path: "PATH", tuple: "TEXT,..."}


@cache
def settings() -> dict[str, Setting]:
    """Every setting by its name, in the order of `ServerConfig`."""
    hints = typing.get_type_hints(ServerConfig)
    meanings = _attribute_docstrings(ServerConfig)
    starts = {section.first: section for section in SECTIONS}
    found = {}
    section = SECTIONS[0]
    for field in dataclasses.fields(ServerConfig):
        section = starts.get(field.name, section)
        kind, optional = _kind(hints[field.name])
        found[field.name] = Setting(
            name=field.name,
            section=section,
            kind=kind,
            optional=optional,
            default=typing.cast(Value, field.default),
            meaning=meanings.get(field.name, ""),
        )
    return found


def _kind(hint: typing.Any) -> tuple[type, bool]:
    """The type of an annotation, and whether it may be None."""
    optional = typing.get_origin(hint) is types.UnionType
    if optional:
        (hint,) = (option for option in typing.get_args(hint) if option is not type(None))
    return typing.get_origin(hint) or hint, optional


def _attribute_docstrings(kind: type) -> dict[str, str]:
    """The text under each attribute of a class, on one line; nothing where there is no source to read."""
    try:
        source = inspect.getsource(kind)
    except OSError:
        return {}
    (definition,) = ast.parse(textwrap.dedent(source)).body
    assert isinstance(definition, ast.ClassDef)
    texts = {}
    for statement, following in zip(definition.body, definition.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            texts[statement.target.id] = " ".join(str(following.value.value).split())
    return texts
