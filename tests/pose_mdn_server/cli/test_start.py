import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pose_mdn_server import demo
from pose_mdn_server.server import PoseServer


def test_the_demo_lifts_the_bundled_clip_and_writes_a_report(tmp_path: Path) -> None:
    app = typer.Typer()
    demo.register(app)
    report = tmp_path / "report.html"
    result = CliRunner().invoke(app, ["--output", str(report), "--rows", "5"])
    assert result.exit_code == 0, result.output
    assert "frames lifted by mdn_lifter/1" in result.output
    assert "intrinsics: " in result.output
    assert f"report: {report}" in result.output
    assert report.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "{taken}"], "--port 0"),
        (["--port", "-1"], "port: expected"),
        (["--port", "0", "--repository", "nowhere"], "repository: expected"),
    ],
    ids=["port taken", "impossible port", "no models"],
)
def test_a_server_that_cannot_start_says_why_in_one_line(server: PoseServer, options: list[str], words: str) -> None:
    arguments = [option.format(taken=server.port) for option in options]
    done = subprocess.run(
        [sys.executable, "-m", "pose_mdn_server", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert words in done.stderr
