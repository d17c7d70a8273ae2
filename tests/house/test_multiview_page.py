"""The page on several views: its Python runs as it stands, and its commands have the options that it names."""

import re
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.main import get_command

import pose_mdn
from pose_mdn.cli.fuse import register
from pose_mdn.formats import read_fused, read_keypoints, write_hypotheses
from pose_mdn.geometry.camera import Camera
from pose_mdn.inference import load_lifter
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.server import PoseServer

PAGE = (Path(__file__).parents[2] / "docs" / "multiview.md").read_text(encoding="utf-8")
CLIP = Path(pose_mdn.__file__).parent / "samples" / "walking_clip.npz"


def _write_two_views(folder: Path) -> None:
    """The bundled clip's person as her first hypothesis has her, seen by two cameras, and their calibration."""
    lifter = load_lifter()
    first = lifter.lift(read_keypoints(CLIP))
    first = first.take(np.flatnonzero(first.lifted)[:5])
    joints = (first.means_m[:, 0] + first.root_translation_m[:, :1]).astype(np.float64)
    depth = float(joints[..., 2].mean())
    matrix = first.intrinsics[0]
    left = Camera(intrinsics=matrix)
    right = Camera(
        intrinsics=matrix,
        rotation=[[0, 0, -1], [0, 1, 0], [1, 0, 0]],
        translation=[depth, 0, depth - joints[..., 0].mean()],
    )
    text = ""
    for name, camera, vector in (("left", left, [0.0, 0.0, 0.0]), ("right", right, [0.0, -np.pi / 2, 0.0])):
        seen = KeypointSequence(
            keypoints_px=camera.project(joints).astype(np.float32),
            confidence=np.ones((5, 17), np.float32),
            skeleton=HUMAN36M17,
            frame=first.frame,
            person=first.person,
            intrinsics=matrix,
        )
        write_hypotheses(folder / f"{name}.npz", lifter.lift(seen))
        text += f"[{name}]\nmatrix = {matrix.tolist()}\nrotation = {[float(x) for x in vector]}\n"
        text += f"translation = {camera.translation.tolist()}\n"
    (folder / "calib.toml").write_text(text)


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _write_two_views(tmp_path)
    local, remote = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    namespace: dict[str, object] = {}
    exec(compile(local, "multiview.md", "exec"), namespace)
    assert (namespace["fused"].status == "fused").all()
    assert len(read_fused("fused.npz")) == 5
    assert namespace["from_left"].lifted.all()
    with PoseServer(ServerConfig(port=0)) as server:
        exec(compile(remote.replace("127.0.0.1:8001", server.address), "multiview.md", "exec"), namespace)
    np.testing.assert_allclose(namespace["answer"].means_m, namespace["fused"].means_m, atol=1e-5)


def test_commands_have_the_options_that_the_page_names() -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    command = get_command(app).commands["fuse"]
    options = {option for parameter in command.params for option in parameter.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE)) - {"--camera"}  # the one of `lift`
    assert named <= options
