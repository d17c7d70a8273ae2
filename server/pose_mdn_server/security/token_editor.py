"""Adds entries to a file of tokens and takes them out, leaving the rest of the text as people wrote it."""

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path

from pose_mdn.errors import ConfigError
from pose_mdn_server.security.tokens import TokenEntry, parse_tokens, read_tokens

_HEADING = re.compile(r"^[ \t]*\[\[[ \t]*token[ \t]*\]\]", flags=re.MULTILINE)

_INTRODUCTION = """\
# Who may call, one [[token]] each; `pose-mdn serve --tokens` reads it, again whenever it changes.
# Only digests of tokens are in here. A token itself was shown once, by `pose-mdn token new`.
"""


def add_token(path: Path, entry: TokenEntry) -> None:
    """Append an entry; the file is made if it is not there, for its owner alone.

    Raises:
        ConfigError: There is one of that name already, or the file is not one of tokens.
    """

    def append(text: str) -> str:
        if any(known.name == entry.name for known in parse_tokens(text, source=str(path)).token):
            raise ConfigError(
                f"name: expected one that is not in {path} yet, got {entry.name!r}; "
                f"choose another, or revoke it first: pose-mdn token revoke {path} {entry.name}"
            )
        separator = "" if not text or text.endswith("\n") else "\n"
        extended = (text or _INTRODUCTION) + separator + "\n" + _as_toml(entry)
        parse_tokens(extended, source=str(path))
        return extended

    _rewrite(path, append, create=True)


def remove_token(path: Path, name: str) -> TokenEntry:
    """Take an entry out, and give it. Comments above the next entry go with it.

    Raises:
        ConfigError: There is none of that name, or the file is not one of tokens.
    """
    removed: list[TokenEntry] = []

    def cut(text: str) -> str:
        entries = parse_tokens(text, source=str(path)).token
        index = next((number for number, entry in enumerate(entries) if entry.name == name), None)
        if index is None:
            known = ", ".join(entry.name for entry in entries) or "(none)"
            raise ConfigError(f"name: expected one of the tokens in {path}: {known}; got {name!r}")
        starts = [match.start() for match in _HEADING.finditer(text)]
        ends = [*starts[1:], len(text)]
        rest = text[: starts[index]] + text[ends[index] :] if len(starts) == len(entries) else text
        if parse_tokens(rest, source=str(path)).token != entries[:index] + entries[index + 1 :]:
            raise ConfigError(
                f"{path}: expected entries under [[token]] headings, got another spelling; edit it by hand"
            )
        removed.append(entries[index])
        return rest

    _rewrite(path, cut, create=False)
    return removed[0]


def _rewrite(path: Path, change: Callable[[str], str], *, create: bool) -> None:
    """Exchange the file at once, so that a server reads the old one or the new one and nothing between."""
    target = path.resolve()
    try:
        with _alone(target.parent):
            if not target.exists() and create:
                text, mode = "", 0o600
            else:
                read_tokens(target)
                text, mode = target.read_text(encoding="utf-8"), target.stat().st_mode & 0o777
            _exchange(target, change(text), mode)
    except OSError as error:
        raise ConfigError(f"tokens: expected a file that can be written, got {path} ({error.strerror})") from None


def _exchange(target: Path, text: str, mode: int) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        if target.exists():
            with suppress(PermissionError, AttributeError):
                os.chown(name, target.stat().st_uid, target.stat().st_gid)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other editors out of a folder's files, except on Windows, which has no such locks."""
    try:
        import fcntl  # noqa: PLC0415
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _as_toml(entry: TokenEntry) -> str:
    lines = ["[[token]]", f"name = {_text(entry.name)}", f"sha256 = {_text(entry.sha256)}"]
    if entry.models is not None:
        lines.append(f"models = [{', '.join(map(_text, entry.models))}]")
    if entry.priority != "interactive":
        lines.append(f"priority = {_text(entry.priority)}")
    for name in ("calls_per_s", "poses_per_s"):
        value = getattr(entry, name)
        if value is not None:
            lines.append(f"{name} = {float(value)!r}")
    if entry.administers:
        lines.append("administers = true")
    if isinstance(entry.expires, datetime | date):
        lines.append(f"expires = {entry.expires.isoformat()}")
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
