from pathlib import Path

from pose_mdn_server.config import ServerConfig
from pose_mdn_server.config_sources import ChangedSettings, changed_settings, settings, with_live_changes
from pose_mdn_server.config_sources.table import LIVE

SAFE = {"tls_certificate": Path("c"), "tls_key": Path("k"), "tokens": Path("t")}


def test_nothing_changed() -> None:
    assert changed_settings(ServerConfig(), ServerConfig()) == ChangedSettings(live=(), need_restart=())


def test_most_changes_need_a_restart_and_some_do_not() -> None:
    old = ServerConfig(**SAFE)  # type: ignore[arg-type]
    new = ServerConfig(**{**SAFE, "tokens": Path("u")}, port=9, calls_per_s=3.0)  # type: ignore[arg-type]
    assert changed_settings(old, new) == ChangedSettings(live=("tokens", "calls_per_s"), need_restart=("port",))
    assert with_live_changes(old, new) == ServerConfig(**{**SAFE, "tokens": Path("u")}, calls_per_s=3.0)  # type: ignore[arg-type]


def test_protection_is_not_switched_while_serving() -> None:
    open_, safe = ServerConfig(), ServerConfig(**SAFE)  # type: ignore[arg-type]
    everything = ("tls_certificate", "tls_key", "tokens")
    for old, new in ((open_, safe), (safe, open_)):
        assert changed_settings(old, new) == ChangedSettings(live=(), need_restart=everything)


def test_what_reloads_is_a_setting() -> None:
    assert set(settings()) >= LIVE
