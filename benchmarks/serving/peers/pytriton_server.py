"""A graph served by pytriton (Triton with its Python backend), for comparison.

Runs in a virtual environment of its own, which needs no part of this project:

    python -m venv triton && triton/bin/pip install nvidia-pytriton onnxruntime
    triton/bin/python benchmarks/serving/peers/pytriton_server.py GRAPH --port 8101

Prints "ready" when it answers. Triton's Python backend loads the libpython of the interpreter that pytriton finds;
where that is not the one of the virtual environment, LD_LIBRARY_PATH must name the folder of the right one.
"""

import argparse
import signal
import threading

import numpy as np
import onnxruntime
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig


def tensors(described: list, names: list[str]) -> list[Tensor]:
    """Tensors as Triton wants them, without the batch axis."""
    return [
        Tensor(name=tensor.name, dtype=np.float32, shape=tuple(int(size) for size in tensor.shape[1:]))
        for tensor in described
        if tensor.name in names
    ]


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="Serve an ONNX graph with pytriton.")
    parser.add_argument("graph")
    parser.add_argument("--name", default="mdn_lifter")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--max-batch", type=int, default=1024)
    parser.add_argument("--delay-us", type=int, default=0)
    parser.add_argument("--no-batching", action="store_true")
    options = parser.parse_args()

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(options.graph, settings, providers=["CPUExecutionProvider"])
    # A tensor without axes beside the batch's has no shape that Triton takes.
    outputs = [tensor.name for tensor in session.get_outputs() if len(tensor.shape) > 1]

    @batch
    def infer(**inputs: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(outputs, session.run(outputs, inputs), strict=True))

    config = TritonConfig(
        grpc_port=options.port, http_port=options.port + 1, metrics_port=options.port + 2, exit_on_error=True
    )
    batcher = None if options.no_batching else DynamicBatcher(max_queue_delay_microseconds=options.delay_us)
    with Triton(config=config) as triton:
        triton.bind(
            model_name=options.name,
            infer_func=infer,
            inputs=tensors(session.get_inputs(), [tensor.name for tensor in session.get_inputs()]),
            outputs=tensors(session.get_outputs(), outputs),
            config=ModelConfig(batching=True, max_batch_size=options.max_batch, batcher=batcher),
            strict=False,
        )
        triton.run()
        print("ready", flush=True)
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        stop.wait()


if __name__ == "__main__":
    main()
