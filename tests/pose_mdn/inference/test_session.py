from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from pose_mdn.errors import BundleError
from pose_mdn.inference.bundle import Bundle
from pose_mdn.inference.lifter import Lifter
from pose_mdn.inference.session import open_part, open_session

Write = Callable[[Path], Path]
Seal = Callable[[Path], Path]


def test_a_graph_loads_with_the_threads_asked_for(tiny_bundle: Path) -> None:
    session = open_session(tiny_bundle / "model.onnx", threads=1)
    assert session.get_session_options().intra_op_num_threads == 1


def test_weights_in_other_files_are_refused(tmp_path: Path, tiny_bundle: Path) -> None:
    model = onnx.load(tiny_bundle / "model.onnx")
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(5000, np.float32), "large"))
    path = tmp_path / "model.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=1024)
    assert (tmp_path / "weights.bin").exists()
    with pytest.raises(BundleError, match="weights inside"):
        open_session(path)


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_truncated_graphs_give_one_clear_line(tmp_path: Path, tiny_bundle: Path, keep: int) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes((tiny_bundle / "model.onnx").read_bytes()[:keep])
    with pytest.raises(BundleError, match=r"model\.onnx") as caught:
        open_session(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"not a graph at all", b"\xff" * 100, b"\x08\x0a", b"\x38\x01"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(BundleError):
        open_session(path)


def test_a_missing_graph_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="No such file"):
        open_session(tmp_path / "model.onnx")


def test_operators_of_others_are_refused(tmp_path: Path, tiny_bundle: Path) -> None:
    model = onnx.load(tiny_bundle / "model.onnx")
    model.graph.node.append(onnx.helper.make_node("EPContext", [], ["x"], domain="com.microsoft"))
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(BundleError, match=r"'com\.microsoft'"):
        open_session(tmp_path / "model.onnx")


def test_a_graph_with_the_mark_of_another_format_is_loaded_as_what_was_checked(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    graph = (tiny_bundle / "model.onnx").read_bytes()
    # A producer's name that puts ONNX Runtime's mark where it looks for it, in a file that is a valid graph otherwise.
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x12\x06--ORTM" + graph)
    assert path.read_bytes()[4:8] == b"ORTM"
    assert {tensor.name for tensor in open_session(path).get_inputs()} >= {"keypoints_px"}


def test_the_bytes_that_are_loaded_are_those_that_were_verified(tmp_path: Path, write_tiny_bundle: Write) -> None:
    folder = write_tiny_bundle(tmp_path)
    bundle = Bundle.open(folder)
    other = onnx.load(folder / "model.onnx")
    other.doc_string = "put here after the checksum was looked at"
    onnx.save(other, folder / "model.onnx")
    with pytest.raises(BundleError, match=r"model\.onnx is not the file"):
        Lifter(bundle)
    with pytest.raises(BundleError, match="expected a graph called 'encode', got ''"):
        open_part(bundle, "encode")


def rename_output(model: onnx.ModelProto) -> None:
    model.graph.output[1].name = "sigma"
    for node in model.graph.node:
        node.output[:] = ["sigma" if name == "std_m" else name for name in node.output]


def drop_hypotheses(model: onnx.ModelProto) -> None:
    del model.graph.output[3]


def change_joints(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 16


def change_type(model: onnx.ModelProto) -> None:
    model.graph.output.append(model.graph.output[2])
    del model.graph.output[2]
    model.graph.node.append(onnx.helper.make_node("Cast", ["intrinsics"], ["double"], to=onnx.TensorProto.DOUBLE))
    model.graph.node.append(onnx.helper.make_node("Identity", ["double"], ["rotation64"]))
    model.graph.output[-1].name = "rotation64"
    model.graph.output[-1].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE


def give_every_joint_a_score(model: onnx.ModelProto) -> None:
    model.graph.node.append(onnx.helper.make_node("Identity", ["confidence"], ["ood_score"]))
    model.graph.output.append(onnx.helper.make_tensor_value_info("ood_score", onnx.TensorProto.FLOAT, ["batch", 17]))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(rename_output, "std_m", id="renamed_output"),
        pytest.param(drop_hypotheses, "mixing_coefficients", id="no_coefficients"),
        pytest.param(change_joints, r"keypoints_px of shape \(B, 17, 2\), got \(B, 16, 2\)", id="sixteen_joints"),
        pytest.param(change_type, "view_rotation", id="double"),
        pytest.param(give_every_joint_a_score, r"ood_score of shape \(B\), got \(B, 17\)", id="scores_of_joints"),
    ],
)
def test_a_graph_of_another_signature_is_no_lifter(
    tmp_path: Path, write_tiny_bundle: Write, reseal: Seal, change: Callable[[onnx.ModelProto], None], says: str
) -> None:
    folder = write_tiny_bundle(tmp_path)
    model = onnx.load(folder / "model.onnx")
    change(model)
    if change is change_joints:
        # Only what the graph states about itself matters here, so let it state nothing that contradicts.
        for output in model.graph.output[:2]:
            output.type.tensor_type.shape.dim[2].ClearField("dim_value")
        model.graph.input[1].type.tensor_type.shape.dim[1].ClearField("dim_value")
    onnx.save(model, folder / "model.onnx")
    with pytest.raises(BundleError, match=says):
        Lifter(Bundle.open(reseal(folder)))
