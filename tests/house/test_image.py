"""What can be known of the container image without building it (`make image` builds and runs it)."""

import re
import runpy
from pathlib import Path

import pytest

from pose_mdn_server import healthcheck
from pose_mdn_server.config import ServerConfig

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
STAGES = re.split(r"^FROM .*$", DOCKERFILE, flags=re.MULTILINE)[1:]


def instruction(name: str) -> str:
    (value,) = re.findall(rf"^{name} (.*)$", STAGES[-1], flags=re.MULTILINE)
    return str(value)


def test_it_does_not_run_as_root() -> None:
    assert instruction("USER").split(":")[0] not in {"0", "root"}


def test_it_is_built_in_stages_and_leaves_the_build_behind() -> None:
    assert len(STAGES) > 1
    assert "RUN" not in STAGES[-1]


def test_it_serves_where_its_probe_asks() -> None:
    config = ServerConfig()
    assert instruction("EXPOSE") == f"{config.port} {config.http_port}"
    assert healthcheck.DEFAULT_TARGET.endswith(f":{config.port}")
    assert instruction("CMD").startswith('["serve"')


def test_everything_the_wheel_is_made_of_reaches_the_build() -> None:
    kept = set(re.findall(r"^!(\S+?)/?$", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE))
    copied = {
        name.rstrip("/")
        for line in re.findall(r"^COPY (?!--)(.*) \S+$", STAGES[0], re.MULTILINE)
        for name in line.split()
    }
    assert copied == kept
    assert all((ROOT / name).exists() for name in kept)


def test_the_build_gets_the_pip_settings_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index" / "simple").mkdir(parents=True)
    (tmp_path / "wheels").mkdir()
    settings = tmp_path / "host.conf"
    settings.write_text(
        f"[global]\nextra-index-url = file://{tmp_path}/index/simple\ntimeout = 15\ncache-dir = {tmp_path}\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_TIMEOUT", "42")
    monkeypatch.setattr("sys.argv", ["host_pip_settings", str(tmp_path / "image.conf")])

    runpy.run_path(str(ROOT / "deploy" / "host_pip_settings.py"), run_name="__main__")

    written = (tmp_path / "image.conf").read_text()
    assert f"extra-index-url = file://{tmp_path}/index/simple" in written
    assert "timeout = 42" in written, "a variable is stronger than a file"
    assert "cache-dir" not in written, "what the host keeps is of no concern to the image"
    assert {str(tmp_path / "index"), str(tmp_path / "wheels")} <= set(capsys.readouterr().out.split())
