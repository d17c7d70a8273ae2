"""Other model servers on the same graph, each in a virtual environment of its own.

    python -m venv triton && triton/bin/pip install nvidia-pytriton onnxruntime
    python -m venv mlserver && mlserver/bin/pip install mlserver onnxruntime

Both answer the Open Inference Protocol, so that they get the bytes that our server gets.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from prepared_requests import MODEL, VERSION, Prepared, graph_path
from real_client import sample
from served import STARTUP_S, Served, free_port, pinned, started, wait_for_line, wait_until

PEERS = Path(__file__).parent / "peers"

PYTRITON_SETTINGS: tuple[dict[str, object], ...] = ({"delay_us": 0}, {"delay_us": 2000}, {"delay_us": 5000})
MLSERVER_SETTINGS: tuple[dict[str, object], ...] = (
    {"max_batch_size": 0, "max_batch_time": 0.0},
    {"max_batch_size": 64, "max_batch_time": 0.001},
    {"max_batch_size": 128, "max_batch_time": 0.005},
    {"max_batch_size": 128, "max_batch_time": 0.02},
)
"""What is tried for each; the best one stands in the tables."""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A kind of server, and settings to try.

    Attributes:
        name: "pytriton" or "mlserver".
        venv: Its virtual environment.
        settings: What is tried.
    """

    name: str
    venv: Path
    settings: tuple[dict[str, object], ...]

    def serve(
        self, setting: Mapping[str, object], probe: Prepared, cores: Sequence[int]
    ) -> AbstractContextManager[Served]:
        """Run it with some settings until it answers the probe as ONNX Runtime does."""
        start = pytriton if self.name == "pytriton" else mlserver
        return start(self.venv, setting, probe, cores)

    def versions(self) -> dict[str, str]:
        """Of what its environment holds."""
        ask = (
            "import importlib.metadata as m, json\n"
            "print(json.dumps({found.name.lower(): found.version for found in m.distributions()}))"
        )
        result = subprocess.run([self.venv / "bin" / "python", "-c", ask], capture_output=True, text=True, check=True)
        found = json.loads(result.stdout)
        wanted = ("nvidia-pytriton", "mlserver", "onnxruntime", "grpcio", "protobuf", "numpy", "uvloop")
        return {name: found[name] for name in wanted if name in found}


def peer(name: str, venv: Path) -> Peer:
    """A peer with the settings to try."""
    return Peer(name=name, venv=venv, settings=PYTRITON_SETTINGS if name == "pytriton" else MLSERVER_SETTINGS)


@contextmanager
def pytriton(venv: Path, setting: Mapping[str, object], probe: Prepared, cores: Sequence[int]) -> Iterator[Served]:
    """Triton with its Python backend and dynamic batching."""
    python = venv / "bin" / "python"
    ask = "import sysconfig; print(sysconfig.get_config_var('LIBDIR'))"
    library = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    port = free_port()
    command = [
        *pinned(cores), str(python), str(PEERS / "pytriton_server.py"), str(graph_path()), "--name", MODEL,
        "--port", str(port), "--delay-us", str(setting["delay_us"]),
    ]  # fmt: skip
    with started(command, environment={"LD_LIBRARY_PATH": library}) as (process, log):
        if not wait_for_line(process, re.compile("^ready")).startswith("ready"):
            raise RuntimeError(f"pytriton did not start: {log.read_text(errors='replace')[-3000:]}")
        yield _ready(Served(name="pytriton", process=process, address=f"127.0.0.1:{port}", log=log), probe)


@contextmanager
def mlserver(venv: Path, setting: Mapping[str, object], probe: Prepared, cores: Sequence[int]) -> Iterator[Served]:
    """MLServer in one process, with adaptive batching or without."""
    port = free_port()
    server = {
        "parallel_workers": 0, "host": "127.0.0.1", "grpc_port": port, "http_port": free_port(),
        "metrics_port": free_port(), "debug": False, "grpc_max_message_length": 256 * 1024 * 1024,
    }  # fmt: skip
    model = {
        "name": MODEL, "implementation": "mlserver_runtime.OnnxRuntime",
        "parameters": {"uri": str(graph_path()), "version": VERSION}, **setting,
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="pose-mdn-mlserver-") as folder:
        (Path(folder) / "settings.json").write_text(json.dumps(server))
        (Path(folder) / "model-settings.json").write_text(json.dumps(model))
        command = [*pinned(cores), str(venv / "bin" / "mlserver"), "start", folder]
        with started(command, environment={"PYTHONPATH": str(PEERS)}, folder=Path(folder)) as (process, log):
            yield _ready(Served(name="mlserver", process=process, address=f"127.0.0.1:{port}", log=log), probe)


def _ready(served: Served, probe: Prepared) -> Served:
    def answers() -> bool:
        try:
            sample(served.address, probe, timeout_s=5)
        except grpc.RpcError:
            return False
        return True

    if not wait_until(lambda: served.process.poll() is not None or answers(), STARTUP_S, interval_s=0.5):
        raise RuntimeError(f"{served.name} does not answer: {served.log.read_text(errors='replace')[-3000:]}")
    if served.process.poll() is not None:
        raise RuntimeError(f"{served.name} ended: {served.log.read_text(errors='replace')[-3000:]}")
    return served
