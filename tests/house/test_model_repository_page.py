"""The commands of docs/model_repository.md do what the page says."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from pose_mdn.inference import find_bundle
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.models.report import ModelState

PAGE = (Path(__file__).parents[2] / "docs" / "model_repository.md").read_text(encoding="utf-8")
NEW_VERSION, OTHER_CONTENT = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)


def publish(commands: str, repository: Path, source: Path, **names: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"REPOSITORY": str(repository), "SOURCE": str(source)} | names
    return subprocess.run(["sh", "-c", commands], env=environment, text=True, capture_output=True, check=False)


def test_a_new_version_is_published_whole_or_not_at_all(tmp_path: Path) -> None:
    source = find_bundle("mdn_lifter/1").path
    assert publish(NEW_VERSION, tmp_path, source, NAME="mdn_lifter", VERSION="1").returncode == 0
    store = ModelStore(repository=tmp_path)
    assert store.load().added == ("mdn_lifter/1",)
    altered = tmp_path / ".altered"
    publish("cp -r $SOURCE $REPOSITORY/.altered", tmp_path, source)
    (altered / "model.onnx").write_bytes(b"half")
    assert publish(NEW_VERSION, tmp_path, altered, NAME="mdn_lifter", VERSION="2").returncode != 0
    assert not (tmp_path / "mdn_lifter" / "2").exists()


def test_other_content_replaces_a_version_at_once(tmp_path: Path) -> None:
    store = ModelStore(repository=tmp_path)
    for release, model in (("a", "mdn_lifter/1"), ("b", "cvae_lifter/1")):
        names = {"NAME": "mdn_lifter", "VERSION": "1", "RELEASE": release}
        done = publish(OTHER_CONTENT, tmp_path, find_bundle(model).path, **names)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "mdn_lifter" / "1" / "config.json").is_file()
        if release == "a":
            assert store.load().added == ("mdn_lifter/1",)
    # The other bundle calls itself otherwise, so the default model is gone from the repository and serves on.
    report = store.reload()
    assert report.added == ("cvae_lifter/1",)
    assert "default model" in report.failed["mdn_lifter/1"]


@pytest.mark.parametrize("state", ModelState)
def test_every_state_is_explained(state: ModelState) -> None:
    assert f"| `{state.value}` |" in PAGE
