"""One table: every field of the dataclass is a setting, explained, in a section, and on the page."""

import dataclasses
import re
import runpy
from pathlib import Path

from pose_mdn_server.config import ServerConfig
from pose_mdn_server.config_sources import SECTIONS, load_config, settings

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "server_settings.md").read_text(encoding="utf-8")


def test_every_field_is_a_setting_with_a_meaning() -> None:
    assert list(settings()) == [field.name for field in dataclasses.fields(ServerConfig)]
    assert [setting.name for setting in settings().values() if not setting.meaning.endswith(".")] == []
    assert {setting.kind for setting in settings().values()} <= {bool, int, float, str, Path, tuple}


def test_every_section_begins_with_a_field_that_exists_and_none_is_empty() -> None:
    assert {section.first for section in SECTIONS} <= set(settings())
    assert {setting.section for setting in settings().values()} == set(SECTIONS)
    assert next(iter(settings())) == SECTIONS[0].first


def test_names_are_one_word_in_three_spellings() -> None:
    setting = settings()["max_batch"]
    assert (setting.flag, setting.variable, setting.default) == ("--max-batch", "POSE_MDN_MAX_BATCH", 256)
    assert settings()["http_port"].optional
    assert not settings()["port"].optional


def test_the_page_is_up_to_date() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "make_server_settings.py"))
    assert script["page"]() == PAGE, "run: python docs/make_server_settings.py"


def test_the_page_lists_every_setting_once() -> None:
    assert re.findall(r"^\| `(\w+)` \| `--", PAGE, flags=re.MULTILINE) == list(settings())


def test_the_file_on_the_page_is_one(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    file = tmp_path / "server.toml"
    file.write_text(example)
    config = load_config(file, {}, {})
    assert (config.workers, config.http_port, config.tokens) == (4, None, tmp_path / "tokens.toml")
