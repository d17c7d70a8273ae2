"""`pose-mdn token`: who may call a server."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from datetime import date, datetime

    from pose_mdn_server.security.tokens import TokenEntry

_File = Annotated[Path, typer.Argument(metavar="FILE", help="File of tokens, as `serve --tokens` takes it.")]
_Name = Annotated[str, typer.Argument(metavar="NAME", help="Who calls; stands in quotas and traces.")]


def register(app: typer.Typer) -> None:
    """Add the command group `token`."""
    group = typer.Typer(name="token", help="Tokens of a server's callers.", no_args_is_help=True)
    group.callback()(_group)
    group.command("new")(new)
    group.command("list")(list_tokens)
    group.command("revoke")(revoke)
    app.add_typer(group)


def new(
    file: _File,
    name: _Name,
    *,
    model: Annotated[
        list[str] | None, typer.Option(help="A model that may be used; repeat it for more. All if left out.")
    ] = None,
    priority: Annotated[str, typer.Option(help="The best priority granted: interactive or bulk.")] = "interactive",
    calls_per_s: Annotated[
        float | None, typer.Option(help="Calls per second; the server's quota if left out, 0 for no limit.")
    ] = None,
    poses_per_s: Annotated[float | None, typer.Option(help="As --calls-per-s, of poses.")] = None,
    administers: Annotated[bool, typer.Option("--administers", help="May load and unload models.")] = False,
    expires: Annotated[
        str | None, typer.Option(help="When it ends: 2027-01-31, or 2027-01-31T12:00:00Z.", show_default=False)
    ] = None,
) -> None:
    """Make a token, write its digest to FILE, and print the token: once, here and nowhere else."""
    from pose_mdn.errors import ConfigError  # noqa: PLC0415
    from pose_mdn_server.security.token_editor import add_token  # noqa: PLC0415
    from pose_mdn_server.security.tokens import TokenEntry, new_token  # noqa: PLC0415

    chosen: Literal["interactive", "bulk"]
    if priority == "bulk":
        chosen = "bulk"
    elif priority == "interactive":
        chosen = "interactive"
    else:
        raise ConfigError(f"priority: expected interactive or bulk, got {priority!r}")
    token, digest = new_token()
    entry = TokenEntry(
        name=name,
        sha256=digest,
        models=tuple(model) if model else None,
        priority=chosen,
        calls_per_s=calls_per_s,
        poses_per_s=poses_per_s,
        administers=administers,
        expires=None if expires is None else _moment(expires),
    )
    add_token(file, entry)
    typer.echo(token)
    typer.echo(
        f"This is the token of {name}; it is kept nowhere. Callers send it as metadata, authorization: Bearer TOKEN",
        err=True,
    )


def list_tokens(
    file: _File,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List who may call, with which rights; never a token."""
    from pose_mdn_server.security.tokens import read_tokens  # noqa: PLC0415

    entries = read_tokens(file).token
    if as_json:
        typer.echo(json.dumps({"file": str(file), "tokens": [_facts(entry) for entry in entries]}))
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    for heading in ("name", "models", "priority", "calls/s", "poses/s", "administers", "expires"):
        table.add_column(heading)
    for entry in entries:
        facts = _facts(entry)
        table.add_row(
            Text(entry.name),
            Text("all" if entry.models is None else ", ".join(entry.models)),
            entry.priority,
            _quota(entry.calls_per_s),
            _quota(entry.poses_per_s),
            "yes" if entry.administers else "no",
            f"{facts['expires'] or 'never'}{' (expired)' if facts['expired'] else ''}",
        )
    Console(highlight=False).print(table)


def revoke(file: _File, name: _Name) -> None:
    """Take a token out of FILE; servers that read it refuse the token within a second."""
    from pose_mdn_server.security.token_editor import remove_token  # noqa: PLC0415

    remove_token(file, name)
    typer.echo(f"{name} may no longer call; servers notice within a second")


def _group() -> None:
    """Tokens of a server's callers."""


def _moment(text: str) -> "date | datetime":
    from datetime import date, datetime  # noqa: PLC0415

    from pose_mdn.errors import ConfigError  # noqa: PLC0415

    try:
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"expires: expected a date or a time, as 2027-01-31T12:00:00Z, got {text!r}") from None


def _facts(entry: "TokenEntry") -> dict[str, object]:
    import time  # noqa: PLC0415

    return {
        "name": entry.name,
        "models": entry.models,
        "priority": entry.priority,
        "calls_per_s": entry.calls_per_s,
        "poses_per_s": entry.poses_per_s,
        "administers": entry.administers,
        "expires": None if entry.expires is None else entry.expires.isoformat(),
        "expired": time.time() >= entry.expires_at,
    }


def _quota(value: float | None) -> str:
    if value is None:
        return "server's"
    return f"{value:g}" if value else "no limit"
