from pathlib import Path

import typer
from typer.testing import CliRunner

from pose_mdn.cli.view import register
from pose_mdn.formats import write_hypotheses
from pose_mdn.poses.hypotheses import HypothesisSequence


def _run(*arguments: object) -> str:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    result = CliRunner().invoke(app, ["view", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_view_turns_a_result_into_a_page(walking: HypothesisSequence, tmp_path: Path) -> None:
    for suffix in (".npz", ".parquet"):
        result, page = tmp_path / f"walk{suffix}", tmp_path / f"{suffix[1:]}.html"
        write_hypotheses(result, walking)
        assert "64 frames" in _run(result, "-o", page)
        assert "<title>walk · pose-mdn</title>" in page.read_text("utf-8")


def test_view_says_when_frames_are_left_out(walking: HypothesisSequence, tmp_path: Path) -> None:
    write_hypotheses(tmp_path / "walk.npz", walking)
    assert "32 of 64 frames" in _run(tmp_path / "walk.npz", "-o", tmp_path / "r.html", "--max-megabytes", 0.1)
