"""What is installed and what is imported: every dependency pinned, and no torch where people only want poses."""

import json
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
HEAVY = {"torch", "onnx", "onnxscript", "scipy", "pandas", "matplotlib", "sklearn"}


def distribution_name(requirement: str) -> str:
    (name,) = re.findall(r"^[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned_names() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin) for pin in pins), (
        "a pin is NAME==VERSION without a label"
    )
    return [distribution_name(pin) for pin in pins]


def test_every_dependency_is_pinned_once() -> None:
    wanted = {distribution_name(r) for r in chain(PROJECT["dependencies"], *EXTRAS.values())}
    pinned = pinned_names()
    assert wanted - set(pinned) == set()
    assert len(pinned) == len(set(pinned))


def test_installing_the_core_brings_nothing_heavy() -> None:
    assert {distribution_name(r) for r in PROJECT["dependencies"]} & HEAVY == set()


def modules_after(statement: str) -> set[str]:
    program = (
        f"import sys, json\n{statement}\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "statement",
    [
        "import pose_mdn",
        "import pose_mdn.skeletons, pose_mdn.poses, pose_mdn.geometry, pose_mdn.distributions, pose_mdn.config",
        "import pose_mdn.formats, pose_mdn.metrics, pose_mdn.inference, pose_mdn.visualization",
        "import pose_mdn_server, pose_mdn_server.client, pose_mdn_server.healthcheck",
        "import pose_mdn.cli, pose_mdn.cli.lecture",
    ],
)
def test_lifting_and_serving_import_nothing_heavy(statement: str) -> None:
    assert modules_after(statement) & HEAVY == set()


SHOW_HELP = """
sys.argv = ["pose-mdn", "--help"]
from pose_mdn.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code
"""


def test_the_help_of_every_command_imports_nothing_heavy() -> None:
    assert modules_after(SHOW_HELP) & HEAVY == set()


def test_the_lowest_grpcio_and_protobuf_allowed_can_run_the_generated_code() -> None:
    generated = "\n".join(path.read_text() for path in (ROOT / "server" / "pose_mdn_server" / "rpc").glob("*.py"))
    (grpcio,) = set(re.findall(r"^GRPC_GENERATED_VERSION = '(.*)'", generated, flags=re.MULTILINE))
    (protobuf,) = set(re.findall(r"^# Protobuf Python Version: (.*)$", generated, flags=re.MULTILINE))
    lowest = {name: version for name, _, version in (line.partition(">=") for line in PROJECT["dependencies"])}
    for name, needed in (("grpcio", grpcio), ("protobuf", protobuf)):
        assert [int(part) for part in lowest[name].split(".")] >= [int(part) for part in needed.split(".")], name
