"""What a graph may not hold is refused wherever it is, and nothing but a refusal comes of spoiled bytes."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto, helper

from pose_mdn.errors import BundleError
from pose_mdn.inference.bundle import list_bundles
from pose_mdn.inference.graph_check import MAX_DEPTH, MAX_FIELDS, check_graph

GRAPHS = sorted(path for bundle in list_bundles() for path in bundle.graph_paths.values())
SMALL = onnx.load(min(GRAPHS, key=lambda path: path.stat().st_size))
for weights in SMALL.graph.initializer:
    # Mutations should hit structure, not weights.
    weights.CopyFrom(onnx.numpy_helper.from_array(np.zeros(2, np.float32), weights.name))
SKELETON = SMALL.SerializeToString()


def outside() -> TensorProto:
    tensor = TensorProto(name="outside", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def says_only_where() -> TensorProto:
    tensor = TensorProto(name="outside")
    tensor.external_data.add(key="location", value="weights.bin")
    return tensor


def as_initializer(graph: GraphProto, tensor: TensorProto) -> None:
    graph.initializer.append(tensor)


def as_sparse_values(graph: GraphProto, tensor: TensorProto) -> None:
    graph.sparse_initializer.append(SparseTensorProto(values=tensor))


def as_sparse_indices(graph: GraphProto, tensor: TensorProto) -> None:
    graph.sparse_initializer.append(SparseTensorProto(indices=tensor))


def add_attribute(graph: GraphProto, **fields: object) -> AttributeProto:
    node = graph.node.add(op_type="Constant", output=["made_up"])
    node.attribute.append(AttributeProto(name="value", **fields))
    return node.attribute[0]


def as_attribute(graph: GraphProto, tensor: TensorProto) -> None:
    add_attribute(graph, t=tensor)


def among_attributes(graph: GraphProto, tensor: TensorProto) -> None:
    add_attribute(graph, tensors=[TensorProto(), tensor])


def as_sparse_attribute(graph: GraphProto, tensor: TensorProto) -> None:
    add_attribute(graph, sparse_tensor=SparseTensorProto(values=tensor))


def among_sparse_attributes(graph: GraphProto, tensor: TensorProto) -> None:
    add_attribute(graph, sparse_tensors=[SparseTensorProto(indices=tensor)])


PLACES = (
    as_initializer, as_sparse_values, as_sparse_indices, as_attribute, among_attributes, as_sparse_attribute,
    among_sparse_attributes,
)  # fmt: skip


def nested(graph: GraphProto, depth: int) -> GraphProto:
    for level in range(depth):
        # One branch, or a list of branches: both hold graphs.
        attribute = add_attribute(graph, **({"g": GraphProto()} if level % 2 else {"graphs": [GraphProto()]}))
        graph = attribute.g if level % 2 else attribute.graphs[0]
    return graph


def copy_of_small() -> ModelProto:
    model = ModelProto()
    model.CopyFrom(SMALL)
    return model


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_every_bundled_graph_passes(path: Path) -> None:
    check_graph(path.read_bytes(), "graph")


@pytest.mark.parametrize("depth", [0, 1, 4])
@pytest.mark.parametrize("tensor", [outside, says_only_where], ids=lambda make: make.__name__)
@pytest.mark.parametrize("put", PLACES, ids=lambda put: put.__name__)
def test_data_in_other_files_is_refused_everywhere(
    put: Callable[[GraphProto, TensorProto], None], tensor: Callable[[], TensorProto], depth: int
) -> None:
    model = copy_of_small()
    put(nested(model.graph, depth), TensorProto(name="inside", float_data=[1.0]))
    check_graph(model.SerializeToString(), "graph")
    put(nested(model.graph, depth), tensor())
    with pytest.raises(BundleError, match="weights inside"):
        check_graph(model.SerializeToString(), "graph")


@pytest.mark.parametrize("depth", [0, 3])
@pytest.mark.parametrize("domain", ["com.microsoft", "ai.onnx.training", "AI.ONNX", "ai.onnx\0", "mine", "ü"])
def test_operators_of_others_are_refused_everywhere(domain: str, depth: int) -> None:
    model = copy_of_small()
    nested(model.graph, depth).node.append(NodeProto(op_type="EPContext", domain=domain))
    with pytest.raises(BundleError, match="operators of ONNX alone") as caught:
        check_graph(model.SerializeToString(), "graph")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("domain", ["", "ai.onnx", "ai.onnx.ml"])
def test_operators_of_onnx_pass(domain: str) -> None:
    model = copy_of_small()
    model.graph.node.append(NodeProto(op_type="Identity", domain=domain))
    check_graph(model.SerializeToString(), "graph")


def test_functions_and_training_are_refused() -> None:
    model = copy_of_small()
    model.functions.append(helper.make_function("mine", "f", [], [], [], [helper.make_opsetid("", 20)]))
    with pytest.raises(BundleError, match="functions of its own"):
        check_graph(model.SerializeToString(), "graph")
    model = copy_of_small()
    model.training_info.add().initialization.initializer.append(outside())
    with pytest.raises(BundleError, match="training"):
        check_graph(model.SerializeToString(), "graph")


def test_a_second_graph_that_a_reader_would_merge_is_looked_at() -> None:
    more = ModelProto()
    more.graph.initializer.append(outside())
    with pytest.raises(BundleError, match="weights inside"):
        check_graph(SKELETON + more.SerializeToString(), "graph")


def test_subgraphs_in_subgraphs_have_an_end() -> None:
    for depth, passes in ((MAX_DEPTH // 3 - 1, True), (MAX_DEPTH // 3 + 1, False)):
        model = ModelProto()
        nested(model.graph, depth)
        if passes:
            check_graph(model.SerializeToString(), "graph")
        else:
            with pytest.raises(BundleError, match="levels"):
                check_graph(model.SerializeToString(), "graph")


def test_fields_without_end_have_an_end() -> None:
    with pytest.raises(BundleError, match="fields"):
        check_graph(b"\x08\x01" * (MAX_FIELDS + 1), "graph")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x08\x0a", id="no_graph"),
        pytest.param(b"\x3a\x05", id="truncated"),
        pytest.param(b"\x3b\x3c", id="group"),
        pytest.param(b"\x00\x00\x3a\x00", id="field_0"),
        pytest.param(b"\x38\x01\x3a\x00", id="number_for_a_graph"),
        pytest.param(b"\xba\x80\x80\x80\x10\x00\x3a\x00", id="tag_beyond_32_bits"),
        pytest.param(b"\x08" + b"\xff" * 10 + b"\x01\x3a\x00", id="number_beyond_64_bits"),
        pytest.param(b"\x3a" + b"\xff" * 9 + b"\x01", id="length_beyond_everything"),
    ],
)
def test_bytes_that_readers_could_take_differently_are_refused(content: bytes) -> None:
    with pytest.raises(BundleError, match="an ONNX graph"):
        check_graph(content, "graph")


def refused(content: bytes) -> bool:
    try:
        check_graph(content, "graph")
    except BundleError:
        return True
    return False


def graphs_within(graph: GraphProto) -> Iterator[GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.ByteSize():
                    yield from graphs_within(inner)


def tensors_within(graph: GraphProto) -> Iterator[TensorProto]:
    sparse = list(graph.sparse_initializer)
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            sparse += [attribute.sparse_tensor, *attribute.sparse_tensors]
    for tensor in sparse:
        yield from (tensor.values, tensor.indices)


def onnx_finds_nothing(content: bytes) -> bool:
    """What the onnx package, by the full schema, says of bytes that passed."""
    try:
        model = ModelProto.FromString(content)
    except DecodeError:
        return True
    for graph in graphs_within(model.graph):
        if any(tensor.external_data or tensor.data_location for tensor in tensors_within(graph)):
            return False
        if any(node.domain not in ("", "ai.onnx", "ai.onnx.ml") for node in graph.node):
            return False
    return not (model.functions or model.training_info)


@settings(max_examples=300, deadline=None)
@given(
    edits=st.lists(st.tuples(st.integers(0, len(SKELETON) - 1), st.binary(max_size=6), st.integers(0, 6)), max_size=4)
)
def test_spoiled_graphs_are_refused_or_harmless(edits: list[tuple[int, bytes, int]]) -> None:
    content = SKELETON
    for place, inserted, dropped in edits:
        content = content[:place] + inserted + content[place + dropped :]
    assert refused(content) or onnx_finds_nothing(content)


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, len(SKELETON) - 1), value=st.integers(0, 255))
def test_a_graph_with_data_elsewhere_stays_refused_whatever_byte_is_spoiled(place: int, value: int) -> None:
    model = copy_of_small()
    model.graph.node.insert(0, NodeProto(op_type="Constant", output=["x"]))
    model.graph.node[0].attribute.append(AttributeProto(name="value", t=outside()))
    content = bytearray(model.SerializeToString())
    content[place] = value
    assert refused(bytes(content)) or onnx_finds_nothing(bytes(content))


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_refused_or_harmless(content: bytes) -> None:
    assert refused(content) or onnx_finds_nothing(content)


def test_twenty_megabytes_are_looked_through_at_once() -> None:
    model = copy_of_small()
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(5_000_000, np.float32), "large"))
    content = model.SerializeToString()
    taken_s = []
    for _ in range(3):
        start = time.perf_counter()
        check_graph(content, "graph")
        taken_s.append(time.perf_counter() - start)
    assert min(taken_s) < 0.05
