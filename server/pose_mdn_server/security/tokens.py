"""Bearer tokens: a file of their digests, and who calls with which.

The file holds SHA-256 digests. Slow digests with salt (scrypt, Argon2) protect what people choose and remember; a token
is 256 random bits, which nobody finds by trying, however fast the digest. So one digest a call is enough, and cheap.
"""

import hashlib
import hmac
import logging
import secrets
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from pose_mdn.config.files import from_toml
from pose_mdn.config.ranges import require
from pose_mdn.errors import ConfigError
from pose_mdn_server.calls.call import Client, Priority
from pose_mdn_server.security.watched_files import WatchedFiles

_LOG = logging.getLogger(__name__)

TOKEN_PREFIX = "pmdn_"
"""What every token begins with, so that scanners of repositories and logs know one when they see it."""

_PRIORITIES = {"interactive": Priority.INTERACTIVE, "bulk": Priority.BULK}


@dataclass(frozen=True, kw_only=True)
class TokenEntry:
    """One `[[token]]` of the file."""

    name: str = ""
    """Who calls with it; stands in quotas and traces."""
    sha256: str = field(default="", repr=False)
    """SHA-256 of the token, 64 hexadecimal digits."""
    models: tuple[str, ...] | None = None
    """Names of the models that may be used; all if absent."""
    priority: Literal["interactive", "bulk"] = "interactive"
    """The best priority that is granted."""
    calls_per_s: float | None = None
    """Quota; the server's if absent, 0 for no limit."""
    poses_per_s: float | None = None
    """As above, of poses."""
    administers: bool = False
    """Whether models may be loaded and unloaded with it."""
    expires: datetime | date | None = None
    """When it ends: a date (at its beginning, UTC), or a time with its offset; never if absent."""

    def __post_init__(self) -> None:
        require(0 < len(self.name) <= 64 and self.name.isprintable(), "name", "of 1 to 64 characters", self.name)
        # What came is not shown: it may be the token itself.
        require(_is_digest(self.sha256), f"sha256 of {self.name!r}", "of 64 hexadecimal digits", "(hidden)")
        for name in ("calls_per_s", "poses_per_s"):
            value = getattr(self, name)
            require(value is None or 0 <= value < float("inf"), name, ">= 0", value)
        ends = self.expires
        require(not isinstance(ends, datetime) or ends.tzinfo is not None, "expires", "with an offset, as 12:00Z", ends)

    @property
    def expires_at(self) -> float:
        """Seconds since 1970 at which it ends; infinite if it does not."""
        if self.expires is None:
            return float("inf")
        if isinstance(self.expires, datetime):
            return self.expires.timestamp()
        return datetime(self.expires.year, self.expires.month, self.expires.day, tzinfo=UTC).timestamp()

    def client(self) -> Client:
        """Who calls with this token, with the quotas that the file gives (0 where it says "no limit")."""
        return Client(
            name=self.name,
            models=None if self.models is None else frozenset(self.models),
            priority=_PRIORITIES[self.priority],
            calls_per_s=self.calls_per_s,
            poses_per_s=self.poses_per_s,
            administers=self.administers,
        )


@dataclass(frozen=True, kw_only=True)
class TokenTable:
    """The file of tokens."""

    token: tuple[TokenEntry, ...] = ()
    """Its entries."""

    def __post_init__(self) -> None:
        for what in ("name", "sha256"):
            values = [getattr(entry, what).lower() if what == "sha256" else entry.name for entry in self.token]
            twice = next((entry.name for entry, v in zip(self.token, values, strict=True) if values.count(v) > 1), None)
            require(twice is None, f"token {twice!r}", f"with a {what} of its own", "the same twice")


class TokenFile:
    """Those who may call, read again when the file changes."""

    def __init__(self, path: Path, *, calls_per_s: float = 0.0, poses_per_s: float = 0.0) -> None:
        """`calls_per_s` and `poses_per_s` are for clients that have no quota of their own; 0 for no limit.

        Raises:
            ConfigError: The file cannot be read, or is not a file of tokens.
        """
        self._path = path
        self._default = (calls_per_s, poses_per_s)
        self._watched = WatchedFiles(path)
        self._lock = threading.Lock()
        self._entries = self._load()

    def __repr__(self) -> str:
        return f"TokenFile({str(self._path)!r}, {len(self._entries)} tokens)"

    def find(self, authorization: str) -> Client | None:
        """Who calls with a header "Bearer TOKEN"; `None` if the token is unknown, has ended, or is not a bearer's.

        Every entry is compared, each in a time that does not depend on what came.
        """
        if self._watched.due():
            self._look_again()
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        digest = hashlib.sha256(token.strip().encode(errors="surrogatepass")).digest()
        found = None
        for entry in self._entries:
            if hmac.compare_digest(entry[0], digest):
                found = entry
        if found is None or time.time() >= found[1]:
            return None
        return found[2]

    def _look_again(self) -> None:
        # Whoever comes while another thread looks goes on with what is known.
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._watched.changed():
                self._entries = self._load()
                _LOG.info("read %d tokens from %s", len(self._entries), self._path)
        except ConfigError as error:
            _LOG.error("tokens: the new file is refused, the old tokens stay: %s", error)
        finally:
            self._lock.release()

    def _load(self) -> tuple[tuple[bytes, float, Client], ...]:
        table = read_tokens(self._path)
        warn_if_others_may_read(self._path, "tokens")
        return tuple((bytes.fromhex(e.sha256), e.expires_at, self._with_quotas(e.client())) for e in table.token)

    def _with_quotas(self, client: Client) -> Client:
        calls = self._default[0] if client.calls_per_s is None else client.calls_per_s
        poses = self._default[1] if client.poses_per_s is None else client.poses_per_s
        return replace(client, calls_per_s=calls or None, poses_per_s=poses or None)


def new_token() -> tuple[str, str]:
    """A token of 256 random bits, and its digest for the file."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    return token, hashlib.sha256(token.encode()).hexdigest()


def read_tokens(path: Path) -> TokenTable:
    """Read a file of tokens.

    Raises:
        ConfigError: It cannot be read, or something in it is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(
            f"tokens: expected a readable file, got {path} ({reason}); make one with `pose-mdn token new {path} NAME`"
        ) from None
    return parse_tokens(text, source=str(path))


def parse_tokens(text: str, *, source: str) -> TokenTable:
    """Entries of a file's text. Errors as `read_tokens`."""
    try:
        return from_toml(TokenTable, text, source=source)
    except ConfigError as error:
        message = str(error)
        raise ConfigError(message if message.startswith(source) else f"{source}: {message}") from None


def warn_if_others_may_read(path: Path, what: str) -> None:
    """Log a warning if other users of this machine may read or write a file."""
    try:
        mode = path.stat().st_mode
    except OSError:  # it was taken away just now, which the next look will see
        return
    if mode & 0o077:
        _LOG.warning(
            "%s: expected a file for its owner alone (mode 600), got %s with mode %o; chmod 600 it",
            what,
            path,
            mode & 0o777,
        )


def _is_digest(text: str) -> bool:
    return len(text) == 64 and all(letter in "0123456789abcdefABCDEF" for letter in text)
