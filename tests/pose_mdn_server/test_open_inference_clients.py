"""The Open Inference Protocol as tritonclient speaks it; each side is a process of its own."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, ServiceDescriptorProto

from pose_mdn_server.rpc import model_config_pb2, open_inference_pb2

from .conftest import served_process

HERE = Path(__file__).parent
TIMEOUT_S = 120
LEFT_OUT = {"InferResponseStatistics", "InferBatchStatistics", "MemoryUsage", "ModelStatistics.ResponseStatsEntry"}
"""Statistics that this server does not keep."""


def run(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("transport", ["completion-queue", "threads"])
def test_tritonclient_gets_the_answers_and_errors_that_it_expects(transport: str, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.toml"
    token = "pmdn_" + "a" * 43
    digest = hashlib.sha256(token.encode()).hexdigest()
    tokens.write_text(f'[[token]]\nname = "administrator"\nsha256 = "{digest}"\nadministers = true\n')
    tokens.chmod(0o600)
    options = ("--transport", transport, "--tokens", str(tokens), "--model-control")
    with served_process(*options) as (_, address):
        run(HERE / "triton_extensions_program.py", address, token)


def fields(messages: Iterator[DescriptorProto], scope: str = "") -> dict[str, dict[int, tuple[object, ...]]]:
    """Number, name, type and label of each field, by the name of its message."""
    found: dict[str, dict[int, tuple[object, ...]]] = {}
    for message in messages:
        name = f"{scope}{message.name}"
        found[name] = {
            each.number: (each.name, each.type, each.label, each.type_name, bool(each.HasField("oneof_index")))
            for each in message.field
        }
        found |= fields(iter(message.nested_type), f"{name}.")
    return found


def methods(service: ServiceDescriptorProto) -> dict[str, tuple[object, ...]]:
    return {
        each.name: (each.input_type, each.output_type, each.client_streaming, each.server_streaming)
        for each in service.method
    }


def test_messages_and_methods_are_those_of_the_protocol() -> None:
    lines = run(HERE / "triton_descriptors_program.py").split()
    theirs = [FileDescriptorProto.FromString(bytes.fromhex(line)) for line in lines]
    ours = [FileDescriptorProto(), FileDescriptorProto()]
    model_config_pb2.DESCRIPTOR.CopyToProto(ours[0])
    open_inference_pb2.DESCRIPTOR.CopyToProto(ours[1])
    known = fields(message for file in theirs for message in file.message_type)
    for name, mine in fields(message for file in ours for message in file.message_type).items():
        for number, field in mine.items():
            assert known[name][number] == field, name
    assert [file.package for file in ours] == [file.package for file in theirs]
    for mine, other in zip(ours[0].enum_type, theirs[0].enum_type, strict=True):
        assert mine == other
    (my_service,), (their_service,) = ours[1].service, theirs[1].service
    assert methods(my_service) == methods(their_service)
    # Messages of the service are there whole; of the configuration only what this server has something to say about.
    left_out = fields(iter(theirs[1].message_type)).keys() - fields(iter(ours[1].message_type)).keys()
    assert left_out == LEFT_OUT
