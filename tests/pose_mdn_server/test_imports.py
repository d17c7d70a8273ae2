"""What may be loaded in whose process, asked of a fresh interpreter."""

import subprocess
import sys

SERVE_ONCE = """
from pose_mdn_server.client import PoseLiftingClient
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.server import PoseServer
import numpy as np

with PoseServer(ServerConfig(port=0)) as server, PoseLiftingClient(server.address) as client:
    assert client.lift(np.random.default_rng(0).uniform(0, 500, (17, 2))).lifted.all()
"""
REPORT = "\nimport sys\nprint(*sys.modules)\n"


def loaded_modules(program: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", program + REPORT], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_serving_needs_none_of_the_extras() -> None:
    assert not loaded_modules(SERVE_ONCE) & {"torch", "onnx", "onnxscript", "pandas", "tritonclient", "pyarrow"}


def test_the_client_leaves_the_names_of_the_open_inference_protocol_to_others() -> None:
    modules = loaded_modules("import pose_mdn_server.client")
    assert "pose_mdn_server.rpc.pose_lifting_pb2" in modules
    assert "pose_mdn_server.rpc.open_inference_pb2" not in modules
