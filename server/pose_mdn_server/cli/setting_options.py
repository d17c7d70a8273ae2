"""Options of a command, made from the table of settings: none is written twice."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated

import typer

from pose_mdn_server.config_sources.table import Setting, settings
from pose_mdn_server.config_sources.values import spelt


def with_setting_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that takes `**flags` one option for each setting, after its own parameters.

    Typer reads a command's options from its signature. Values come as text, None if not given, so that one parser
    serves flags and environment, and errors read alike.
    """
    signature = inspect.signature(command)
    own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    options = [_option(setting) for setting in settings().values()]

    @functools.wraps(command)
    def with_options(**values: object) -> None:
        command(**values)

    with_options.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
    return with_options


def _option(setting: Setting) -> inspect.Parameter:
    off = setting.flag.replace("--", "--no-", 1)
    option = typer.Option(
        f"{setting.flag}/{off}" if setting.kind is bool else setting.flag,
        help=setting.meaning + _shown_default(setting),
        metavar=setting.placeholder or None,
        show_default=False,  # as typer sees it, that is None: not given
        rich_help_panel=setting.section.title,
    )
    kind = bool | None if setting.kind is bool else str | None
    return inspect.Parameter(
        setting.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option]
    )


def _shown_default(setting: Setting) -> str:
    if setting.kind is bool:
        return f" [default: {'on' if setting.default else 'off'}]"
    return "" if setting.default in {None, "", ()} else f" [default: {spelt(setting.default)}]"
