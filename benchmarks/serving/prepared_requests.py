"""Requests as bytes, and what ONNX Runtime answers to them.

People are those of the bundled clip, moved and scaled at random, so that every request has an answer of its own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats import read_keypoints
from pose_mdn.inference import find_bundle
from pose_mdn.inference.known_camera import resolve_camera
from pose_mdn.inference.observations import DEFAULT_MIN_CONFIDENCE, prepare
from pose_mdn.inference.session import open_session
from pose_mdn.inference.signature import INPUTS, OUTPUTS
from pose_mdn_server.rpc import open_inference_pb2 as oip
from pose_mdn_server.rpc import pose_lifting_pb2 as lifting

MODEL = "mdn_lifter"
VERSION = "1"
INFER = "/inference.GRPCInferenceService/ModelInfer"
LIFT = "/pose_mdn.v1.PoseLiftingService/Lift"
LIFT_STREAM = "/pose_mdn.v1.PoseLiftingService/LiftStream"
TOLERANCE = 2e-4
"""Largest difference from ONNX Runtime's answer that its own choice of kernels, by batch size, may bring: metres and
probabilities as they are, pixels and far root translations relative to their size."""

Arrays = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A call, ready to be sent many times.

    Attributes:
        name: What tables call it.
        method: Path of the method.
        messages: What is sent, each a message.
        poses: How many poses all messages together hold.
        worst_difference: Of the answers, messages too, from what ONNX Runtime says; infinite if they do not fit.
    """

    name: str
    method: str
    messages: tuple[bytes, ...]
    poses: int
    worst_difference: Callable[[Iterable[bytes]], float]

    @property
    def answers(self) -> int:
        """How many messages come back; the settings of a stream get none."""
        return len(self.messages) - (self.method == LIFT_STREAM)

    @property
    def body(self) -> bytes:
        """The messages as gRPC frames them: not compressed, length, bytes."""
        return b"".join(framed(message) for message in self.messages)


def framed(message: bytes) -> bytes:
    """A message as gRPC frames it."""
    return b"\0" + len(message).to_bytes(4, "big") + message


@cache
def graph_path() -> Path:
    """The graph of the bundled lifter, in float32."""
    return Path(find_bundle(f"{MODEL}/{VERSION}").graph_path)


@cache
def _clip() -> Arrays:
    sequence = read_keypoints(Path(str(files("pose_mdn") / "samples" / "walking_clip.npz")))
    camera = resolve_camera(sequence, DEFAULT_MIN_CONFIDENCE)
    seen = prepare(sequence, camera.intrinsics, camera.distortion)
    rows = seen.liftable
    return {
        "keypoints_px": seen.ideal_px[rows].astype(np.float32),
        "confidence": seen.confidence[rows].astype(np.float32),
        "intrinsics": camera.intrinsics[rows].astype(np.float32),
    }


def people(rows: int, seed: int) -> Arrays:
    """Inputs of the graph: people of the clip, each moved by up to 150 pixels and scaled by up to a fifth."""
    rng = np.random.default_rng(seed)
    clip = _clip()
    chosen = rng.integers(0, len(clip["confidence"]), rows)
    feed = {name: array[chosen].copy() for name, array in clip.items()}
    points, seen = feed["keypoints_px"], feed["confidence"] > 0
    middle = (points * seen[..., None]).sum(1, keepdims=True) / seen.sum(1)[:, None, None]
    moved = middle + (points - middle) * rng.uniform(0.8, 1.2, (rows, 1, 1)) + rng.uniform(-150, 150, (rows, 1, 2))
    feed["keypoints_px"] = np.where(seen[..., None], moved, 0.0).astype(np.float32)
    return feed


@cache
def _session():
    return open_session(graph_path())


def expected(feed: Arrays) -> Arrays:
    """What ONNX Runtime answers."""
    return dict(zip(OUTPUTS, _session().run(list(OUTPUTS), feed), strict=True))


def difference(got: Arrays, wanted: Arrays) -> float:
    """Largest difference over all outputs; relative where numbers are larger than 1. Infinite if any is missing."""
    worst = 0.0
    for name, array in wanted.items():
        if name not in got or got[name].size != array.size:
            return float("inf")
        gap = np.abs(got[name].reshape(array.shape) - array) / np.maximum(np.abs(array), 1.0)
        worst = max(worst, float("inf") if np.isnan(gap).any() else float(gap.max(initial=0.0)))
    return worst


def infer_message(feed: Arrays) -> bytes:
    """A ModelInferRequest with raw contents that asks for the outputs every lifter has."""
    request = oip.ModelInferRequest(model_name=MODEL, model_version=VERSION)
    for name in INPUTS:
        request.inputs.add(name=name, datatype="FP32", shape=feed[name].shape)
        request.raw_input_contents.append(feed[name].tobytes())
    for name in OUTPUTS:
        request.outputs.add(name=name)
    return request.SerializeToString()


def infer_answer(message: bytes) -> Arrays:
    """Tensors of a ModelInferResponse with raw contents."""
    response = oip.ModelInferResponse.FromString(message)
    if len(response.outputs) != len(response.raw_output_contents):
        return {}
    return {
        tensor.name: np.frombuffer(raw, np.float32).reshape(tuple(tensor.shape))
        for tensor, raw in zip(response.outputs, response.raw_output_contents, strict=True)
    }


def lift_message(feed: Arrays) -> bytes:
    """A LiftRequest with one matrix of intrinsics for all poses."""
    request = lifting.LiftRequest(model_name=MODEL, model_version=VERSION)
    request.keypoints_px.extend(feed["keypoints_px"].ravel().tolist())
    request.confidence.extend(feed["confidence"].ravel().tolist())
    request.camera.intrinsics.extend(feed["intrinsics"][0].ravel().astype(float).tolist())
    return request.SerializeToString()


def lift_answer(message: bytes) -> Arrays:
    """Columns of a LiftResponse that are outputs of the graph."""
    return _columns(lifting.LiftResponse.FromString(message))


def stream_answer(message: bytes) -> Arrays:
    """Columns of a LiftStreamResponse that are outputs of the graph."""
    return _columns(lifting.LiftStreamResponse.FromString(message).lift)


def _columns(response: lifting.LiftResponse) -> Arrays:
    return {name: np.array(getattr(response, name), np.float32) for name in OUTPUTS}


def stream_messages(feed: Arrays, poses_each: int) -> tuple[bytes, ...]:
    """Settings, then messages of poses, of a LiftStream."""
    settings = lifting.LiftStreamRequest()
    settings.settings.model_name, settings.settings.model_version = MODEL, VERSION
    settings.settings.camera.intrinsics.extend(feed["intrinsics"][0].ravel().astype(float).tolist())
    messages = [settings.SerializeToString()]
    for start in range(0, len(feed["confidence"]), poses_each):
        rows = slice(start, start + poses_each)
        request = lifting.LiftStreamRequest()
        request.poses.keypoints_px.extend(feed["keypoints_px"][rows].ravel().tolist())
        request.poses.confidence.extend(feed["confidence"][rows].ravel().tolist())
        messages.append(request.SerializeToString())
    return tuple(messages)


def unary(kind: str, poses: int, seed: int) -> Prepared:
    """A call of "infer" or "lift"."""
    feed = people(poses, seed)
    wanted = expected(feed)
    method, encode, decode = (
        (INFER, infer_message, infer_answer) if kind == "infer" else (LIFT, lift_message, lift_answer)
    )

    def worst(answers: Iterable[bytes]) -> float:
        found = list(answers)
        return difference(decode(found[0]), wanted) if len(found) == 1 else float("inf")

    name = f"{'ModelInfer' if kind == 'infer' else 'Lift'}, {poses} pose{'s' if poses > 1 else ''}"
    return Prepared(name=name, method=method, messages=(encode(feed),), poses=poses, worst_difference=worst)


def stream(messages: int, poses_each: int, seed: int) -> Prepared:
    """A LiftStream of so many messages."""
    feed = people(messages * poses_each, seed)
    wanted = expected(feed)
    parts = [
        {name: array[start : start + poses_each] for name, array in wanted.items()}
        for start in range(0, messages * poses_each, poses_each)
    ]

    def worst(answers: Iterable[bytes]) -> float:
        found = list(answers)
        if len(found) != len(parts):
            return float("inf")
        return max(difference(stream_answer(answer), part) for answer, part in zip(found, parts, strict=True))

    return Prepared(
        name=f"LiftStream, {poses_each} poses a message",
        method=LIFT_STREAM,
        messages=stream_messages(feed, poses_each),
        poses=messages * poses_each,
        worst_difference=worst,
    )
