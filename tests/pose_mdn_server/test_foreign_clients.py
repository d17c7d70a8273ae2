"""Clients that we did not write, each in a process of its own against a server in another."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.inference import load_lifter
from pose_mdn.inference.session import open_session
from pose_mdn.poses.keypoints import FloatArray

HERE = Path(__file__).parent
PROTOCOL = HERE.parents[1] / "docs" / "protocol.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PROTOCOL.read_text(encoding="utf-8"), flags=re.DOTALL)


def run(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_tritonclient_gets_what_onnx_runtime_gives(process_address: str, people: FloatArray, tmp_path: Path) -> None:
    inputs = {
        "keypoints_px": people,
        "confidence": np.linspace(0.3, 1, 6 * 17, dtype=np.float32).reshape(6, 17),
        "intrinsics": np.tile(np.array([[1100, 0, 500], [0, 1100, 500], [0, 0, 1]], np.float32), (6, 1, 1)),
    }
    np.savez(tmp_path / "inputs.npz", **inputs)
    run(HERE / "triton_program.py", process_address, tmp_path / "inputs.npz", tmp_path / "outputs.npz")
    answers = dict(np.load(tmp_path / "outputs.npz"))
    session = open_session(load_lifter().bundle.graph_path)
    names = [output.name for output in session.get_outputs()]
    for name, expected in zip(names, session.run(names, inputs), strict=True):
        np.testing.assert_array_equal(answers[f"raw_{name}"], expected, err_msg=name)
        np.testing.assert_array_equal(answers[f"typed_{name}"], expected, err_msg=name)
    np.testing.assert_array_equal(answers["some_mixing_coefficients"], answers["raw_mixing_coefficients"])


def test_a_client_that_knows_only_the_address_can_lift(process_address: str) -> None:
    run(HERE / "reflection_program.py", process_address)


@pytest.mark.parametrize("example", EXAMPLES, ids=["Lift", "LiftStream", "Open Inference Protocol"])
def test_the_examples_of_the_documentation_run(example: str, process_address: str, tmp_path: Path) -> None:
    assert "127.0.0.1:8001" in example
    program = tmp_path / "example.py"
    program.write_text(example.replace("127.0.0.1:8001", process_address), encoding="utf-8")
    output = run(program)
    assert re.search(r"\((\d+, )*17, 3\)", output), output
