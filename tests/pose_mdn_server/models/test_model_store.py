import hashlib
import json
import shutil
from pathlib import Path

import pytest

from pose_mdn.errors import BundleError, ModelNotFoundError
from pose_mdn.inference import load_lifter
from pose_mdn.poses.keypoints import FloatArray
from pose_mdn_server.client import PoseLiftingClient
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.server import PoseServer


def make_repository(root: Path, *versions: str) -> Path:
    """A repository with copies of the bundled lifter under several versions."""
    for version in versions:
        folder = root / "mdn_lifter" / version
        shutil.copytree(load_lifter().bundle.path, folder)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "version": version}))
        names = ("config.json", "model.onnx")
        sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
        (folder / "SHA256SUMS").write_text("".join(sums))
    return root


def test_the_newest_version_answers_unless_another_is_named(tmp_path: Path, people: FloatArray) -> None:
    repository = make_repository(tmp_path, "2", "10", "9")
    with PoseServer(ServerConfig(port=0, repository=repository)) as server, PoseLiftingClient(server.address) as client:
        assert [model.version for model in server.models.all()] == ["2", "9", "10"]
        assert client.lift(people).model == "mdn_lifter/10"
        assert client.lift(people, model="mdn_lifter/2").model == "mdn_lifter/2"
        with pytest.raises(ModelNotFoundError, match="version 2, 9, 10"):
            client.lift(people, model="mdn_lifter/1")


def test_a_repository_without_the_default_model_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="holds none"):
        PoseServer(ServerConfig(port=0, repository=tmp_path)).start()


def test_an_altered_bundle_does_not_start(tmp_path: Path) -> None:
    repository = make_repository(tmp_path, "1")
    (repository / "mdn_lifter" / "1" / "model.onnx").write_bytes(b"altered")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        ModelStore(repository=repository).load()
