import json
import resource
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import pose_mdn
from pose_mdn import cli
from pose_mdn.errors import InputError


def run_main(monkeypatch: pytest.MonkeyPatch, app: typer.Typer) -> int:
    monkeypatch.setattr(cli, "build_app", lambda: app)
    monkeypatch.setattr(sys, "argv", ["pose-mdn", "fail"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


def failing_app(error: Exception) -> typer.Typer:
    app = typer.Typer()
    app.callback()(lambda: None)

    @app.command("fail")
    def fail() -> None:
        raise error

    return app


def test_errors_raised_on_purpose_end_in_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(monkeypatch, failing_app(InputError("keypoints: expected two\nlines"))) == 2
    assert capsys.readouterr().err == "error: keypoints: expected two lines\n"


def test_a_missing_extra_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn")
    assert run_main(monkeypatch, failing_app(error)) == 2
    assert "pip install 'pose-mdn[train]'" in capsys.readouterr().err


def test_our_own_bugs_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "build_app", lambda: failing_app(ModuleNotFoundError("x", name="pose_mdn.nonsense")))
    monkeypatch.setattr(sys, "argv", ["pose-mdn", "fail"])
    with pytest.raises(ModuleNotFoundError):
        cli.main()


def test_a_command_that_cannot_be_imported_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint(name="broken", value="pose_mdn.absent:register", group=cli.COMMAND_GROUP)
    working = EntryPoint(name="models", value="pose_mdn.cli.models:register", group=cli.COMMAND_GROUP)
    monkeypatch.setattr(cli, "entry_points", lambda group: [broken, working])
    app = cli.build_app()
    assert CliRunner().invoke(app, ["models", "--json"]).exit_code == 0
    result = CliRunner().invoke(app, ["broken", "--any", "thing"])
    assert "needs" in str(result.exception)
    assert "broken" in CliRunner().invoke(app, ["--help"]).stdout


def test_the_version_is_shown() -> None:
    result = CliRunner().invoke(cli.build_app(), ["--version"])
    assert result.stdout.strip() == f"pose-mdn {pose_mdn.__version__}"


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['pose-mdn', '--help']\n"
        "from pose_mdn.cli import main\n"
        "try:\n    main()\nexcept SystemExit as left:\n    assert not left.code\n"
        "heavy = {'torch', 'onnxruntime', 'cv2', 'onnx', 'numpy', 'pyarrow', 'grpc'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    # Processor time, since other work on the machine only makes the clock run on.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "lift" in done.stdout
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


def test_models_are_listed_for_people_and_for_machines(tiny_bundle: Path) -> None:
    repository = str(tiny_bundle.parent.parent)
    app = cli.build_app()
    shown = CliRunner().invoke(app, ["models", "--repository", repository])
    assert "tiny/3" in shown.stdout
    assert "CC0-1.0" in shown.stdout
    listed = json.loads(CliRunner().invoke(app, ["models", "--repository", repository, "--json"]).stdout)
    assert listed == [
        {
            "name": "tiny",
            "version": "3",
            "kind": "lifter",
            "num_hypotheses": 2,
            "licence": "CC0-1.0",
            "training_data": "none",
            "path": str(tiny_bundle),
        }
    ]
