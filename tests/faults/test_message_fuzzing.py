"""Whatever message a method gets, it answers with a status, and never with one that says that the server failed."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from healthy import is_healthy
from hypothesis import given, settings
from hypothesis import strategies as st
from prepared_requests import MODEL, infer_message, lift_message, people, stream_messages
from real_client import channel
from served import Served

import pose_mdn_server.rpc

FUZZED = settings(max_examples=12, deadline=None)
TIMEOUT_S = 20.0
OUR_OWN_FAULT = "the server failed"
MAX_DEPTH = 4

texts = st.sampled_from(
    ["", MODEL, "pose_vae", "cvae_lifter", "human36m17", "coco17", "1", "x" * 300, "FP32", "means_m"]
)
floats = st.one_of(st.floats(width=32), st.sampled_from([0.0, 1.0, 500.0, float("nan"), float("inf"), -1e38]))
VALUES: dict[int, st.SearchStrategy[object]] = {
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1) | st.integers(0, 20),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1) | st.integers(0, 20),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_DOUBLE: floats,
    FieldDescriptor.CPPTYPE_FLOAT: floats,
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(0, 5),
}


def methods() -> list[MethodDescriptor]:
    """Every method of every service that the generated code knows."""
    found = []
    for module in iter_modules(pose_mdn_server.rpc.__path__):
        if module.name.endswith("_pb2"):
            described = import_module(f"pose_mdn_server.rpc.{module.name}").DESCRIPTOR
            found += [method for service in described.services_by_name.values() for method in service.methods]
    return sorted(found, key=lambda method: method.full_name)


METHODS = methods()


@st.composite
def filled(draw: st.DrawFn, descriptor: Descriptor, depth: int = 0) -> Message:
    """A message with some fields filled at random, at any depth."""
    message = message_factory.GetMessageClass(descriptor)()
    fields = list(descriptor.fields)
    for field in draw(st.lists(st.sampled_from(fields), max_size=6, unique_by=lambda f: f.name)) if fields else ():
        if field.message_type is not None:
            if depth < MAX_DEPTH and not field.message_type.GetOptions().map_entry:
                nested = draw(filled(field.message_type, depth + 1))
                target = getattr(message, field.name)
                target.append(nested) if field.is_repeated else target.CopyFrom(nested)
            continue
        value = _scalar(field)
        if field.is_repeated:
            getattr(message, field.name).extend(draw(st.lists(value, max_size=60)))
        else:
            setattr(message, field.name, draw(value))
    return message


def _scalar(field: FieldDescriptor) -> st.SearchStrategy[object]:
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return st.binary(max_size=200) if field.type == FieldDescriptor.TYPE_BYTES else texts
    return VALUES[field.cpp_type]


def ask(served: Served, method: MethodDescriptor, messages: list[bytes]) -> tuple[grpc.StatusCode, str]:
    """Send messages as they are; the status that comes back."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    with channel(served.address) as connection:
        if method.client_streaming:
            answers: Iterator[bytes] = connection.stream_stream(path)(iter(messages), timeout=TIMEOUT_S)
        elif method.server_streaming:
            answers = connection.unary_stream(path)(messages[0], timeout=TIMEOUT_S)
        else:
            answers = (connection.unary_unary(path)(message, timeout=TIMEOUT_S) for message in messages[:1])
        try:
            for _ in answers:
                pass
        except grpc.RpcError as error:
            return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


def check(served: Served, method: MethodDescriptor, messages: list[bytes]) -> None:
    code, details = ask(served, method, messages)
    assert code not in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}, details
    assert OUR_OWN_FAULT not in details
    assert "Traceback" not in details
    assert served.process.poll() is None


@pytest.fixture(autouse=True)
def still_serves(attacked: Served):
    yield
    assert is_healthy(attacked.address) == ""


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name.rpartition(".")[2])
def test_messages_filled_at_random(attacked: Served, method: MethodDescriptor) -> None:
    @FUZZED
    @given(messages=st.lists(filled(method.input_type), min_size=1, max_size=4))
    def try_them(messages: list[Message]) -> None:
        check(attacked, method, [message.SerializeToString() for message in messages])

    try_them()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name.rpartition(".")[2])
def test_bytes_that_may_be_no_message(attacked: Served, method: MethodDescriptor) -> None:
    @FUZZED
    @given(message=st.binary(max_size=300))
    def try_them(message: bytes) -> None:
        check(attacked, method, [message])

    try_them()


FEED = people(2, seed=11)
VALID = {
    "ModelInfer": [infer_message(FEED)],
    "Lift": [lift_message(FEED)],
    "LiftStream": list(stream_messages(FEED, poses_each=1)),
}


@pytest.mark.parametrize("name", VALID)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_right_messages_with_damage(attacked: Served, name: str, data: st.DataObject) -> None:
    method = next(method for method in METHODS if method.name == name)
    messages = [bytearray(message) for message in VALID[name]]
    for _ in range(data.draw(st.integers(1, 3))):
        message = data.draw(st.sampled_from(messages))
        # Lengths and tags lie early; numbers, which any value may have, make up the rest.
        place = data.draw(st.integers(0, min(len(message) - 1, 120)) | st.integers(0, len(message) - 1))
        message[place] = data.draw(st.integers(0, 255))
        if data.draw(st.booleans()):
            del message[place : place + data.draw(st.integers(1, 40))]
            message += b"\0"
    check(attacked, method, [bytes(message) for message in messages])
