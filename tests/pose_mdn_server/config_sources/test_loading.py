"""Every setting comes from the strongest source that sets it, and every error names that source."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.errors import ConfigError
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.config_sources import config_file, load_config, resolve_config, settings
from pose_mdn_server.security.bind_policy import SECOND_CONSENT

NAMES = [field.name for field in dataclasses.fields(ServerConfig)]
BATCH = st.one_of(st.none(), st.integers(1, 9999))


def written(folder: Path, text: str) -> Path:
    file = folder / "server.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_sources_all_is_default() -> None:
    resolved = resolve_config(None, {}, {"HOME": "/", "PATH": "/bin"})
    assert resolved.config == ServerConfig()
    assert dict(resolved.sources) == dict.fromkeys(NAMES, "default")


@given(in_file=BATCH, in_environment=BATCH, as_flag=BATCH)
def test_the_strongest_source_wins(
    in_file: int | None, in_environment: int | None, as_flag: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = None
    if in_file is not None:
        file = written(tmp_path_factory.getbasetemp(), f"[limits]\nmax_batch = {in_file}\n")
    environment = {} if in_environment is None else {"POSE_MDN_MAX_BATCH": str(in_environment)}
    resolved = resolve_config(file, {"max_batch": as_flag, "port": None}, environment)
    given_values = [
        (value, source)
        for value, source in (
            (as_flag, "--max-batch"),
            (in_environment, "environment POSE_MDN_MAX_BATCH"),
            (in_file, f"{file} [limits]"),
            (ServerConfig().max_batch, "default"),
        )
        if value is not None
    ]
    assert (resolved.config.max_batch, resolved.sources["max_batch"]) == given_values[0]
    assert resolved.sources["port"] == "default"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("port", "9000", 9000),
        ("http_port", "none", None),
        ("max_queued_poses", "1_000", 1000),
        ("drain_s", "2.5", 2.5),
        ("drain_s", "3", 3.0),
        ("access_log", "true", True),
        ("access_log", "1", True),
        ("reflection", "OFF", False),
        ("repository", "models", Path("models")),
        ("repository", "NONE", None),
        ("traces", "http://127.0.0.1:4318/v1/traces", "http://127.0.0.1:4318/v1/traces"),
    ],
)
@pytest.mark.parametrize("by", ["flag", "environment"])
def test_text_becomes_a_value(name: str, text: str, value: object, by: str) -> None:
    setting = settings()[name]
    config = (
        load_config(None, {name: text}, {}) if by == "flag" else load_config(None, {}, {setting.variable: f" {text} "})
    )
    assert getattr(config, name) == value
    assert type(getattr(config, name)) is type(value)


def test_paths_of_a_file_start_from_its_folder_and_home_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    file = written(tmp_path, '[models]\nrepository = "models"\n[security]\ntokens = "~/tokens.toml"\n')
    config = load_config(file, {"tls_client_ca": "/ca.pem"}, {})
    assert config.repository == tmp_path / "models"
    assert config.tokens == Path("/home/somebody/tokens.toml")
    assert config.tls_client_ca == Path("/ca.pem")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[limits]\nmax_bacth = 3\n", ["[limits]", "unknown setting 'max_bacth'", "did you mean 'max_batch'"]),
        ("[limits]\nport = 3\n", ["'port' belongs to the table [network]"]),
        ("port = 3\n", ["'port' belongs to the table [network]"]),
        ("[limit]\nmax_batch = 3\n", ["unknown table 'limit'", "did you mean 'limits'", "security"]),
        ("limits = 3\n", ["expected a table [limits], got 3"]),
        ("[limits]\nmax_batch = 'x'\n", ["max_batch from", "server.toml [limits]: expected a whole number, got 'x'"]),
        ("[limits]\nmax_batch = true\n", ["expected a whole number, got True"]),
        ("[limits]\nmax_batch = 3.0\n", ["expected a whole number, got 3.0"]),
        ("[limits]\nmax_batch = 0\n", ["max_batch from", "server.toml [limits]: expected a value >= 1, got 0"]),
        ("[operation]\ndrain_s = inf\n", ["expected a number, got inf"]),
        ("[operation]\naccess_log = 1\n", ["expected true or false, got 1"]),
        ("[models]\nrepository = ''\n", ["expected a path, or none, got ''"]),
        ("[network]\nport = 'none'\n", ["expected a whole number, got 'none'"]),
        ("[network\n", ["expected TOML"]),
    ],
)
def test_a_file_is_read_strictly(text: str, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, text), {}, {})
    assert [word for word in [*words, "server.toml"] if word not in str(caught.value)] == []
    assert "\n" not in str(caught.value).strip()


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["absent", "no text"])
def test_a_file_that_cannot_be_read_is_named(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"expected (a )?TOML.*server\.toml|server\.toml: expected TOML"):
        load_config(file, {}, {})


@pytest.mark.parametrize(
    ("flags", "environment", "message"),
    [
        ({"max_batch": "x"}, {}, "max_batch from --max-batch: expected a whole number, got 'x'"),
        ({}, {"POSE_MDN_MAX_BATCH": "x"}, "max_batch from environment POSE_MDN_MAX_BATCH: expected a whole number"),
        ({"port": "-1"}, {}, "port from --port: expected a value from 0 to 65535, got -1"),
        ({"drain_s": "nan"}, {}, "drain_s from --drain-s: expected a number, got 'nan'"),
        ({"access_log": "maybe"}, {}, "access_log from --access-log: expected true or false"),
        ({"max_batch": True}, {}, "max_batch from --max-batch: expected a whole number, got True"),
        ({"http_port": "nil"}, {}, "http_port from --http-port: expected a whole number, or none, got 'nil'"),
        ({}, {"POSE_MDN_HOST": "\udcff"}, "host from environment POSE_MDN_HOST: expected a text"),
        ({"tls_key": "k.pem"}, {}, "tls_key from --tls-key: expected a value certificate and key, or neither"),
        ({"tls_certificate": "c.pem"}, {}, "tls_key: expected a value certificate and key, or neither"),
        ({"max_bacth": 3}, {}, "unknown setting 'max_bacth' (did you mean 'max_batch'?)"),
        ({}, {"POSE_MDN_MAX_BACTH": "3"}, "unknown setting (did you mean POSE_MDN_MAX_BATCH?)"),
    ],
)
def test_an_error_names_the_source(flags: dict[str, object], environment: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, flags, environment)
    assert message in str(caught.value)


def test_variables_of_others_are_left_alone() -> None:
    environment = {
        # What Kubernetes gives to pods beside services of these names.
        "POSE_MDN_PORT": "tcp://10.0.0.7:8001",
        "POSE_MDN_PORT_8001_TCP_ADDR": "10.0.0.7",
        "POSE_MDN_SERVICE_HOST": "10.0.0.7",
        "POSE_MDN_SERVICE_PORT": "8001",
        "POSE_MDN_HTTPS_PORT": "tcp://10.0.0.8:443",
        "POSE_MDN_CONFIG": "server.toml",
        "POSE_MDN_TOKEN": "secret",
        "POSE_MDN_DRAIN_S": "",
        "port": "9",
    }
    assert load_config(None, {}, environment) == ServerConfig()


def test_the_second_consent_to_be_open_is_not_the_first_as_well() -> None:
    environment = {SECOND_CONSENT: "1"}
    assert not load_config(None, {}, environment).allow_insecure_public
    assert load_config(None, {"allow_insecure_public": True}, environment).allow_insecure_public


def test_the_environment_names_the_file_where_no_flag_does() -> None:
    assert config_file(Path("a"), {"POSE_MDN_CONFIG": "b"}) == Path("a")
    assert config_file(None, {"POSE_MDN_CONFIG": "b"}) == Path("b")
    assert config_file(None, {"POSE_MDN_CONFIG": ""}) is None
