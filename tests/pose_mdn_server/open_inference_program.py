"""A server of the Open Inference Protocol alone, whose callers administer, as a process of its own.

Usage: open_inference_program.py --port 0
"""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import grpc

from pose_mdn.errors import ModelNotFoundError
from pose_mdn_server.calls import Client
from pose_mdn_server.graph_runner import DirectRunner
from pose_mdn_server.models.graph import Graph
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.servicers.grpc_handlers import add_methods
from pose_mdn_server.servicers.open_inference import SERVICE_NAME, OpenInferenceService


class SwitchedModels:
    """A store whose graphs can be switched off and on again."""

    def __init__(self) -> None:
        self._store = ModelStore()
        self._store.load()
        self._off: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def graph(self, name: str, version: str = "") -> Graph:
        if name in self._off:
            raise ModelNotFoundError(f"model: expected one that is loaded, got {name!r}")
        return self._store.graph(name, version)

    def graphs(self) -> list[Graph]:
        return [graph for graph in self._store.graphs() if graph.name not in self._off]

    def index(self, *, ready_only: bool = False) -> list[Any]:
        states = [(graph, "UNAVAILABLE" if graph.name in self._off else "READY") for graph in self._store.graphs()]
        return [
            SimpleNamespace(name=graph.name, version=graph.version, state=state, reason="unloaded" * (state != "READY"))
            for graph, state in states
            if state == "READY" or not ready_only
        ]

    def load_model(self, name: str) -> None:
        self._store.graph(name)
        self._off.discard(name)

    def unload_model(self, name: str, *, unload_dependents: bool = False) -> None:
        self._store.graph(name)
        self._off.add(name)


def main() -> None:
    service = OpenInferenceService(
        SwitchedModels(), DirectRunner(), is_serving=lambda: True, max_poses=4096, controls_models=True
    )
    server = grpc.server(ThreadPoolExecutor(8))
    administrator = Client(name="administrator", administers=True)
    add_methods(server, SERVICE_NAME, service.methods(), client=administrator, explain=True)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"serving on 127.0.0.1:{port};\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
