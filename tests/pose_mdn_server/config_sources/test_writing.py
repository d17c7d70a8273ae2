"""What is written can be read again, whatever the values are."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn_server.config import ServerConfig
from pose_mdn_server.config_sources import SECTIONS, config_to_toml, load_config, resolve_config, settings
from pose_mdn_server.config_sources.values import from_text, spelt

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"], exclude_characters=",~"), min_size=1)
FREE = {
    "host": TEXTS,
    "default_model": TEXTS,
    "traces": TEXTS,
    "port": st.integers(0, 65535),
    "http_port": st.one_of(st.none(), st.integers(0, 65535)),
    "max_batch": st.integers(1, 2**62),
    "drain_s": st.floats(0, 1e300),
    "calls_per_s": st.floats(0, 1e300),
    "reflection": st.booleans(),
    "access_log": st.booleans(),
    "repository": st.one_of(st.none(), TEXTS.map(lambda text: Path("/models") / text)),
    "tokens": st.one_of(st.none(), TEXTS.map(lambda text: Path("/secrets") / text)),
}


@given(values=st.fixed_dictionaries({}, optional=FREE))
def test_what_is_printed_is_valid_input(values: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    config = ServerConfig(**values)
    file = tmp_path_factory.getbasetemp() / "again.toml"
    resolved = dataclasses.replace(resolve_config(None, {}, {}), config=config)
    file.write_text(config_to_toml(resolved), encoding="utf-8", newline="\n")
    assert load_config(file, {}, {}) == config


@given(number=st.floats(allow_nan=False, allow_infinity=False), words=st.lists(WORDS).map(tuple))
def test_what_is_spelt_can_be_given_as_a_flag(number: float, words: tuple[str, ...]) -> None:
    drain = settings()["drain_s"]
    assert from_text(drain, spelt(number), source="") == number
    several = dataclasses.replace(drain, kind=tuple)
    assert from_text(several, spelt(words), source="") == words


def test_every_default_survives_its_spelling() -> None:
    for setting in settings().values():
        assert from_text(setting, spelt(setting.default), source="") == setting.default


def test_every_line_names_its_source_and_stands_in_its_table(tmp_path: Path) -> None:
    file = tmp_path / "bell\a.toml"
    file.write_text("[models]\ndefault_model = 'other'\n")
    text = config_to_toml(resolve_config(file, {"port": "9"}, {"POSE_MDN_WORKERS": "3"}))
    assert "port = 9  # --port" in text
    assert "workers = 3  # environment POSE_MDN_WORKERS" in text
    assert f'default_model = "other"  # {tmp_path}/bell?.toml [models]' in text
    assert "max_batch = 256  # default" in text
    tables = tomllib.loads(text)
    assert list(tables) == [section.name for section in SECTIONS]
    assert [name for table in tables.values() for name in table] == list(settings())


def test_relative_paths_are_written_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert f'tokens = "{tmp_path}/mine.toml"' in config_to_toml(resolve_config(None, {"tokens": "mine.toml"}, {}))
