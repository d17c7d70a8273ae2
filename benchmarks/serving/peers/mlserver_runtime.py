"""A graph served by MLServer through a runtime of one session, for comparison.

Runs in a virtual environment of its own, which needs no part of this project:

    python -m venv mlserver && mlserver/bin/pip install mlserver onnxruntime

`peers.py` of the folder above writes the settings that name this class and starts `mlserver start`.
"""

import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class OnnxRuntime(MLModel):
    """One ONNX Runtime session of one thread; what it answers is what ONNX Runtime answers."""

    async def load(self) -> bool:
        """Open the session on the graph that the model's settings name."""
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            self.settings.parameters.uri, settings, providers=["CPUExecutionProvider"]
        )
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Run the graph once."""
        feed = {tensor.name: NumpyCodec.decode_input(tensor) for tensor in payload.inputs}
        # Of merged requests only the tensors remain, not what each of them asked for.
        names = self._wanted(payload)
        outputs = self._session.run(names, feed)
        return InferenceResponse(
            model_name=self.name,
            outputs=[NumpyCodec.encode_output(name, array) for name, array in zip(names, outputs, strict=True)],
        )

    def _wanted(self, payload: InferenceRequest) -> list[str]:
        if payload.outputs:
            return [tensor.name for tensor in payload.outputs]
        return [tensor.name for tensor in self._session.get_outputs() if len(tensor.shape) > 1]
