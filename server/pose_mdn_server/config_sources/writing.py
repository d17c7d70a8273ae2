"""Settings as a TOML file that says where each value came from, and that can be read again."""

from collections.abc import Iterator
from pathlib import Path

from pose_mdn_server.config_sources.loading import ResolvedConfig
from pose_mdn_server.config_sources.table import SECTIONS, settings
from pose_mdn_server.config_sources.values import to_toml


def config_to_toml(resolved: ResolvedConfig) -> str:
    """Every setting in its table, with its source as a comment.

    Paths are written absolute, since relative ones would mean another file once this one lies in another folder.
    """
    return "\n".join(_lines(resolved)) + "\n"


def _lines(resolved: ResolvedConfig) -> Iterator[str]:
    yield "# Settings of `pose-mdn serve`; to be used as: pose-mdn serve --config FILE"
    for section in SECTIONS:
        yield ""
        yield f"[{section.name}]"
        for setting in settings().values():
            if setting.section is section:
                value = getattr(resolved.config, setting.name)
                value = value.absolute() if isinstance(value, Path) else value
                source = resolved.sources[setting.name].translate(_NO_CONTROL_CHARACTERS)
                yield f"{setting.name} = {to_toml(value)}  # {source}"


_NO_CONTROL_CHARACTERS = dict.fromkeys((*range(32), 127), "?")
"""A comment of TOML may not hold any; a file's name may."""
