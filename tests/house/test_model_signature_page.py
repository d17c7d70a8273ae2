"""The example of docs/model_signature.md runs as it stands, on the bundled lifter."""

import re
import shutil
from pathlib import Path

import pytest

from pose_mdn.inference import find_bundle

PAGE = Path(__file__).parents[2] / "docs" / "model_signature.md"


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(find_bundle("mdn_lifter").graph_path, tmp_path / "model.onnx")
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    namespace: dict[str, object] = {}
    exec(compile(example, str(PAGE), "exec"), namespace)
    assert namespace["means_m"].shape == (1, 5, 17, 3)
    printed = re.fullmatch(r"hypothesis \d: (0\.\d\d|1\.00), (\d+\.\d) m away\n", capsys.readouterr().out)
    assert printed
    # A person 325 px tall from head to ankles at a focal length of 1145 px is about 5 to 6 m away.
    assert 4.0 < float(printed.group(2)) < 7.0
