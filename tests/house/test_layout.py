"""The house rules that no linter knows: sizes of files and functions, names, notes left behind."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "pose_mdn": ROOT / "pose_mdn",
    "pose_mdn_server": ROOT / "server" / "pose_mdn_server",
    "pose_mdn_export": ROOT / "export" / "pose_mdn_export",
}
FOLDERS = {"pose_mdn", "server", "export", "proto", "deploy", "docs", "examples", "benchmarks", "tests"}
GENERATED = ROOT / "server" / "pose_mdn_server" / "rpc"
TEXT_SUFFIXES = {".py", ".md", ".toml", ".proto", ".js", ".css", ".html", ".sh", ".yaml", ".txt"}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
MAX_TEST_LINES = 60
MAX_README_LINES = 120
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "core", "base", "manager"}
NOTE_LEFT_BEHIND = re.compile(rf"\b({'|'.join(['TO' + 'DO', 'FIX' + 'ME', 'X' * 3])})\b")


def written_files(*suffixes: str) -> Iterator[Path]:
    """Files of the project that people wrote, wherever they lie; generated ones are left out."""
    tops = [path for path in ROOT.iterdir() if path.name in FOLDERS or path.is_file()]
    for path in (path for top in tops for path in ([top] if top.is_file() else sorted(top.rglob("*")))):
        if "node_modules" in path.parts:
            continue
        if path.suffix in suffixes and path.is_file() and GENERATED not in path.parents:
            yield path


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in written_files(".py", ".js", ".css", ".sh")}
    assert lengths, "no file was looked at"
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FILE_LINES} == {}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines a reader must follow: signature and docstring, which a command line makes long, are not among them."""
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - statements[0].lineno + 1 if statements else 0


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = {
        f"{name_of(path)}:{node.lineno} {node.name}": body_lines(node)
        for path in written_files(".py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and body_lines(node) > (MAX_TEST_LINES if ROOT / "tests" in path.parents else MAX_FUNCTION_LINES)
    }
    assert too_long == {}


def test_every_file_is_named_after_what_it_holds() -> None:
    names = {name_of(path) for path in written_files(".py") if NAMES_THAT_SAY_NOTHING & set(path.stem.split("_"))}
    folders = {
        name_of(path) for path in written_files(".py") if NAMES_THAT_SAY_NOTHING & set(path.relative_to(ROOT).parts)
    }
    assert names | folders == set()


def test_no_notes_are_left_behind() -> None:
    left = {
        f"{name_of(path)}:{number}"
        for path in written_files(*TEXT_SUFFIXES)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if NOTE_LEFT_BEHIND.search(line)
    }
    assert left == set()


def test_every_module_says_what_it_is() -> None:
    silent = {
        name_of(path)
        for package in PACKAGES.values()
        for path in written_files(".py")
        if package in path.parents and path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text()))
    }
    assert silent == set()


def test_tests_mirror_the_tree() -> None:
    strangers = {
        name_of(folder)
        for name, package in PACKAGES.items()
        for folder in (ROOT / "tests" / name).rglob("*/")
        if folder.name != "__pycache__" and not (package / folder.relative_to(ROOT / "tests" / name)).is_dir()
    }
    assert strangers == set()
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_readme_fits_two_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= MAX_README_LINES
