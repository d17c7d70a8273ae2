"""docs/clients.md stays true."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from pose_mdn import errors as library_errors
from pose_mdn_server import client, errors
from pose_mdn_server.client import ConnectionOptions

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=["lift", "options", "lift_many", "lift_stream", "asyncio"])
def test_the_examples_run(example: str, process_address: str, tmp_path: Path) -> None:
    assert "127.0.0.1:8001" in example
    program = tmp_path / "example.py"
    program.write_text(example.replace("127.0.0.1:8001", process_address), encoding="utf-8")
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\((\d+, )*17, 3\)", done.stdout), done.stdout


def test_every_option_is_listed_with_its_default() -> None:
    [table] = re.findall(r"\| option \|.*?\n\n", PAGE, flags=re.DOTALL)
    listed: dict[str, str] = {}
    for names, default in re.findall(r"^\| (`.*?`) \| (.*?) ?\|", table, flags=re.MULTILINE):
        listed.update(dict.fromkeys(re.findall(r"`(\w+)`", names), default.strip("` ")))
    assert listed == {option.name: spoken(option.default) for option in fields(ConnectionOptions)}


def spoken(default: object) -> str:
    if default is None or default == "":
        return ""
    if isinstance(default, bool):
        return "yes" if default else "no"
    return f"{default:g}" if isinstance(default, int | float) else str(default)


def test_every_client_and_method_that_is_named_exists() -> None:
    [table] = re.findall(r"\| client \|.*?\n\n", PAGE, flags=re.DOTALL)
    for row in table.strip().splitlines()[2:]:
        names = re.findall(r"`(\w+)`", row)
        kinds = [getattr(client, name) for name in names if name.endswith("Client")]
        methods = [name for name in names if not name.endswith("Client")]
        assert kinds
        for method in methods:
            assert all(callable(getattr(kind, method)) for kind in kinds), method
    for name in re.findall(r"`(\w+Error)`", PAGE):
        assert hasattr(errors, name) or hasattr(library_errors, name), name


def test_every_file_of_the_commands_exists() -> None:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    commands = "\n".join(block for language, block in blocks if not language)
    folder = ROOT
    for line in commands.splitlines():
        if line.startswith("cd "):
            folder = ROOT / line.removeprefix("cd ")
        elif line.startswith("examples/"):
            folder = ROOT
        for name in re.findall(r"[\w./]+\.(?:js|rb|sh|json)\b", line):
            assert (folder / name).is_file(), name
