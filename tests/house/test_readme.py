"""The README's Python runs as it stands; only the server's address is put in."""

import re
from pathlib import Path

from pose_mdn_server.config import ServerConfig
from pose_mdn_server.server import PoseServer

README = Path(__file__).parents[2] / "README.md"


def test_the_examples_run() -> None:
    text = README.read_text(encoding="utf-8")
    local, remote = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    namespace: dict[str, object] = {}
    exec(compile(local, str(README), "exec"), namespace)
    at_home = namespace["result"]
    with PoseServer(ServerConfig(port=0)) as server:
        exec(compile(remote.replace("127.0.0.1:8001", server.address), str(README), "exec"), namespace)
    assert len(at_home) == len(namespace["result"]) == 10
    assert (at_home.status == namespace["result"].status).all()
