import runpy
import subprocess
import sys
from pathlib import Path

PROTO = Path(__file__).parents[2] / "proto"


def test_the_generated_code_is_what_the_sources_give() -> None:
    done = subprocess.run(
        [sys.executable, PROTO / "generate.py", "--check"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_difference_is_found(tmp_path: Path) -> None:
    differences = runpy.run_path(str(PROTO / "generate.py"))["differences"]
    generated, committed = tmp_path / "generated", tmp_path / "committed"
    for folder in (generated, committed):
        folder.mkdir()
        (folder / "same_pb2.py").write_text("same")
    assert differences(generated, committed) == []
    (generated / "new_pb2.py").write_text("new")
    (committed / "old_pb2.py").write_text("old")
    (committed / "same_pb2.py").write_text("edited by hand")
    assert differences(generated, committed) == ["new_pb2.py", "old_pb2.py", "same_pb2.py"]
