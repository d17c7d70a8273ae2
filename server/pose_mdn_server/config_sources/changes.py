"""What is different between the settings a server runs with and those it was told to read again."""

from dataclasses import dataclass, replace

from pose_mdn_server.config import ServerConfig
from pose_mdn_server.config_sources.table import Setting, settings


@dataclass(frozen=True, kw_only=True)
class ChangedSettings:
    """Names of settings that changed, in the order of `ServerConfig`.

    Attributes:
        live: Those that a running server takes over.
        need_restart: Those that keep their old value until the next start.
    """

    live: tuple[str, ...]
    need_restart: tuple[str, ...]


def changed_settings(old: ServerConfig, new: ServerConfig) -> ChangedSettings:
    """What changed, and what of it needs a restart."""
    changed = [s for s in settings().values() if getattr(old, s.name) != getattr(new, s.name)]
    live = tuple(setting.name for setting in changed if _can_be_applied(setting, old, new))
    return ChangedSettings(live=live, need_restart=tuple(s.name for s in changed if s.name not in live))


def with_live_changes(old: ServerConfig, new: ServerConfig) -> ServerConfig:
    """What a server runs with once it was told to read its settings again: the old, but for those it takes over."""
    return replace(old, **{name: getattr(new, name) for name in changed_settings(old, new).live})


def _can_be_applied(setting: Setting, old: ServerConfig, new: ServerConfig) -> bool:
    """Another file of tokens will do, but whether there is any was decided when the port was bound."""
    return setting.live and (getattr(old, setting.name) is None) == (getattr(new, setting.name) is None)
