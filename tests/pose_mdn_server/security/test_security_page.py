"""The page on security: its commands and its Python run as they stand, and its tables equal the code."""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from pose_mdn_server.config import ServerConfig
from pose_mdn_server.security import limits
from pose_mdn_server.security.bind_policy import SECOND_CONSENT
from pose_mdn_server.security.gate import Gate
from pose_mdn_server.security.quotas import MAX_CLIENTS, Quotas
from pose_mdn_server.security.tls import identity, server_credentials
from pose_mdn_server.security.tokens import parse_tokens

PAGE = (Path(__file__).parents[3] / "docs" / "security.md").read_text(encoding="utf-8")
COMMAND = """#!{python}
import typer
from pose_mdn_server import cli_token
app = typer.Typer()
cli_token.register(app)
app()
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page's commands were run."""
    tmp_path = tmp_path_factory.mktemp("page")
    if shutil.which("openssl") is None:
        pytest.skip("the page's commands need openssl")
    command = tmp_path / "bin" / "pose-mdn"
    command.parent.mkdir()
    command.write_text(COMMAND.format(python=sys.executable))
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}"}
    script = "set -e\n" + "\n".join(blocks("sh"))
    subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, check=True, capture_output=True)
    return tmp_path


class Gated(grpc.GenericRpcHandler):
    """Says who called, if the gate lets them."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        metadata = dict(handler_call_details.invocation_metadata or ())

        def answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
            who = identity(context.auth_context())
            return self.gate.admit(handler_call_details.method, metadata, context.peer(), who).name.encode()

        return grpc.unary_unary_rpc_method_handler(answer)


def test_what_the_page_sets_up_lets_its_client_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    config = ServerConfig(
        tls_certificate=folder / "server.pem", tls_key=folder / "server.key", tokens=folder / "tokens.toml"
    )
    server = grpc.server(ThreadPoolExecutor(2), options=limits.channel_options(config))
    server.add_generic_rpc_handlers((Gated(Gate(config, Quotas())),))
    port = server.add_secure_port("127.0.0.1:0", server_credentials(config))
    server.start()
    monkeypatch.chdir(folder)
    (program,) = blocks("python")
    exec(compile(program.replace(":8001", f":{port}"), "security.md", "exec"), {})
    server.stop(None).wait()
    assert capsys.readouterr().out == f"{len('camera-7')} bytes\n"
    assert caplog.text == "", "no warnings about what the page sets up"


def test_the_client_certificate_of_the_page_is_taken(folder: Path) -> None:
    config = ServerConfig(
        tls_certificate=folder / "server.pem", tls_key=folder / "server.key", tls_client_ca=folder / "ca.pem"
    )
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((Gated(Gate(config, Quotas())),))
    port = server.add_secure_port("127.0.0.1:0", server_credentials(config))
    server.start()
    files = [(folder / name).read_bytes() for name in ("ca.pem", "camera-7.key", "camera-7.pem")]
    with grpc.secure_channel(f"localhost:{port}", grpc.ssl_channel_credentials(*files)) as channel:
        assert channel.unary_unary("/test/Who")(b"", timeout=10) == b"camera-7"
    server.stop(None).wait()


def test_the_file_on_the_page_is_one() -> None:
    (text,) = blocks("toml")
    (entry,) = parse_tokens(text, source="page").token
    assert entry.name == "night-job"
    assert set(re.findall(r"^(\w+) =", text, flags=re.MULTILINE)) == set(entry.__dataclass_fields__)


def test_the_numbers_on_the_page_are_those_of_the_code() -> None:
    for words in (
        f"| {limits.CALLS_PER_CONNECTION} |",
        f"| {limits.CONNECTIONS} |",
        f"| handshake | {limits.HANDSHAKE_S:g} s |",
        f"one in {limits.CLIENT_PINGS_EVERY_S:g} s",
        f"pinged after {limits.KEEPALIVE_AFTER_S:g} s, gone {limits.KEEPALIVE_ANSWER_S:g} s later",
        f"`max_message_bytes`, {ServerConfig().max_message_bytes // 2**20} MiB",
        f"`max_metadata_bytes`, {ServerConfig().max_metadata_bytes // 2**10} KiB",
        f"{MAX_CLIENTS} clients are remembered",
        f"`{SECOND_CONSENT}=1`",
        f"grpcio {'.'.join(map(str, limits.BOUNDED_SINCE))} or newer",
    ):
        assert words in PAGE, words


def test_the_settings_on_the_page_exist() -> None:
    named = set(re.findall(r"`((?:tls|max|model)_\w+|calls_per_s|poses_per_s|http_host|reflection|tokens)`", PAGE))
    assert named
    assert named <= set(ServerConfig.__dataclass_fields__)
