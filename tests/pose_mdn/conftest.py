"""A bundle whose graph has a lifter's signature and answers that can be told in advance."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

TINY_HYPOTHESES = 2
BREAKS_BELOW_PX = -90_000.0
"""The tiny graph answers NaN for a pose with a joint left of this, as a real one may for a monstrous input."""


def tiny_graph() -> onnx.ModelProto:
    """means_m = (x, y, hypothesis), std_m = confidence, view_rotation = intrinsics; weights 0.25 and 0.75."""
    constants = {
        "one": np.array([1], np.int64),
        "depths": np.arange(TINY_HYPOTHESES, dtype=np.float32).reshape(1, TINY_HYPOTHESES, 1, 1),
        "weights": np.array([[0.25, 0.75]], np.float32),
        "zero": np.array(0, np.float32),
        "break": np.array(-BREAKS_BELOW_PX, np.float32),
        "two": np.array([2], np.int64),
        "three": np.array([3], np.int64),
        "ends": np.array([0], np.int64),
    }
    node = helper.make_node
    nodes = [
        # NaN * 0 is NaN, so a square root of a negative number reaches every output coordinate.
        node("Add", ["keypoints_px", "break"], ["shifted"]),
        node("Sqrt", ["shifted"], ["root"]),
        node("Mul", ["root", "zero"], ["nothing"]),
        node("Add", ["keypoints_px", "nothing"], ["guarded"]),
        node("Unsqueeze", ["guarded", "one"], ["flat"]),
        node("Slice", ["flat", "ends", "one", "three"], ["column"]),
        node("Mul", ["column", "zero"], ["empty"]),
        node("Add", ["empty", "depths"], ["depth"]),
        node("Add", ["flat", "zero_pair"], ["planar"]),
        node("Concat", ["planar", "depth"], ["means_m"], axis=3),
        node("Unsqueeze", ["confidence", "one"], ["confidence_row"]),
        node("Unsqueeze", ["confidence_row", "three"], ["confidence_column"]),
        node("Add", ["confidence_column", "zero_std"], ["std_m"]),
        node("Identity", ["intrinsics"], ["view_rotation"]),
        node("ReduceSum", ["confidence", "one"], ["total"], keepdims=1),
        node("Mul", ["total", "zero"], ["none"]),
        node("Add", ["none", "weights"], ["mixing_coefficients"]),
        node("Add", ["total", "zero_weights"], ["reprojection_error_px"]),
        node("Unsqueeze", ["reprojection_error_px", "two"], ["spread"]),
        node("Add", ["spread", "zero_triple"], ["root_translation_m"]),
    ]
    constants["zero_pair"] = np.zeros((1, TINY_HYPOTHESES, 1, 2), np.float32)
    constants["zero_std"] = np.zeros((1, TINY_HYPOTHESES, 1, 2), np.float32)
    constants["zero_weights"] = np.zeros((1, TINY_HYPOTHESES), np.float32)
    constants["zero_triple"] = np.zeros((1, 1, 3), np.float32)

    def value(name: str, *shape: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])

    graph = helper.make_graph(
        nodes,
        "tiny",
        [value("keypoints_px", 17, 2), value("confidence", 17), value("intrinsics", 3, 3)],
        [
            value("means_m", TINY_HYPOTHESES, 17, 3),
            value("std_m", TINY_HYPOTHESES, 17, 2),
            value("view_rotation", 3, 3),
            value("mixing_coefficients", TINY_HYPOTHESES),
            value("root_translation_m", TINY_HYPOTHESES, 3),
            value("reprojection_error_px", TINY_HYPOTHESES),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def add_ood_score(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with the optional output ood_score = mean confidence."""
    model.graph.node.append(helper.make_node("ReduceMean", ["confidence", "one"], ["ood_score"], keepdims=0))
    model.graph.output.append(helper.make_tensor_value_info("ood_score", TensorProto.FLOAT, ["batch"]))
    return model


def seal(folder: Path) -> Path:
    """(Re)write a bundle's checksums."""
    files = sorted(path for path in folder.iterdir() if path.name != "SHA256SUMS")
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(sums))
    return folder


@pytest.fixture(scope="session")
def write_tiny_bundle() -> Callable[..., Path]:
    """Writes the bundle `tiny/3` under a repository folder and returns its own folder.

    `write(repository, ood_score=True)` gives its graph the optional output, too.
    """

    def write(repository: Path, *, ood_score: bool = False) -> Path:
        folder = repository / "tiny" / "3"
        folder.mkdir(parents=True)
        onnx.save(add_ood_score(tiny_graph()) if ood_score else tiny_graph(), folder / "model.onnx")
        config = {
            "name": "tiny",
            "version": 3,
            "num_hypotheses": TINY_HYPOTHESES,
            "licence": "CC0-1.0",
            "training_data": "none",
        }
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "README.md").write_text("# tiny\n")
        return seal(folder)

    return write


@pytest.fixture(scope="session")
def reseal() -> Callable[[Path], Path]:
    """Makes a bundle's checksums right again after a test has changed it."""
    return seal


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory, write_tiny_bundle: Callable[..., Path]) -> Path:
    """The bundle `tiny/3`; not to be changed."""
    return write_tiny_bundle(tmp_path_factory.mktemp("repository"))


@pytest.fixture(scope="session")
def scoring_bundle(tmp_path_factory: pytest.TempPathFactory, write_tiny_bundle: Callable[..., Path]) -> Path:
    """The bundle `tiny/3` with an ood_score that equals the mean confidence; not to be changed."""
    return write_tiny_bundle(tmp_path_factory.mktemp("scoring"), ood_score=True)
