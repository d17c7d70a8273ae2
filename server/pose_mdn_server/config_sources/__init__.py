"""Settings from a TOML file, the environment and flags (docs/server_settings.md)."""

from pose_mdn_server.config_sources.changes import ChangedSettings, changed_settings, with_live_changes
from pose_mdn_server.config_sources.loading import ResolvedConfig, config_file, load_config, resolve_config
from pose_mdn_server.config_sources.table import SECTIONS, Section, Setting, settings
from pose_mdn_server.config_sources.writing import config_to_toml

__all__ = [
    "SECTIONS",
    "ChangedSettings",
    "ResolvedConfig",
    "Section",
    "Setting",
    "changed_settings",
    "config_file",
    "config_to_toml",
    "load_config",
    "resolve_config",
    "settings",
    "with_live_changes",
]
