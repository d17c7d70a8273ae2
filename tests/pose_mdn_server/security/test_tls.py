import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from pose_mdn.errors import ConfigError
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.security.tls import http_context, identity, server_credentials

from .conftest import ECHO, Authority, Pair, echoing, replace_file

pytestmark = pytest.mark.usefixtures("look_always")


def config(pair: Pair, client_ca: Path | None = None) -> ServerConfig:
    return ServerConfig(tls_certificate=pair.certificate, tls_key=pair.key, tls_client_ca=client_ca)


def call(port: int, authority: Authority, client: Pair | None = None, request: bytes = b"hello") -> bytes:
    """One call over a connection of its own."""
    credentials = grpc.ssl_channel_credentials(
        authority.certificate.read_bytes(),
        None if client is None else client.key.read_bytes(),
        None if client is None else client.certificate.read_bytes(),
    )
    with grpc.secure_channel(
        f"localhost:{port}", credentials, options=[("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
    ) as channel:
        return bytes(channel.unary_unary(ECHO)(request, timeout=5))


def shown_by(port: int) -> bytes:
    """The certificate that a server shows to a new connection."""
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=5).encode()


def test_without_a_certificate_there_is_no_encryption() -> None:
    assert server_credentials(ServerConfig()) is None
    assert http_context(ServerConfig()) is None


def test_calls_are_encrypted_and_strangers_certificates_refused(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "other-authority")
    with echoing(credentials=server_credentials(config(authority.issue("server")))) as port:
        assert call(port, authority) == b"hello"
        with pytest.raises(grpc.RpcError) as refused:
            call(port, stranger)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, pytest.raises(grpc.RpcError):
            channel.unary_unary(ECHO)(b"hello", timeout=5)


def test_old_versions_of_tls_are_refused(authority: Authority) -> None:
    with echoing(credentials=server_credentials(config(authority.issue("server")))) as port:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, pytest.raises(ssl.SSLError):
            context.wrap_socket(plain)


def test_mutual_tls_knows_its_clients_and_refuses_others(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "other-authority").issue("camera-7")
    credentials = server_credentials(config(authority.issue("server"), authority.certificate))
    with echoing(credentials=credentials) as port:
        assert call(port, authority, authority.issue("camera-7"), b"") == b"camera-7"
        for wrong in (None, stranger, authority.issue("old", days=(-9, -1))):
            with pytest.raises(grpc.RpcError) as refused:
                call(port, authority, wrong)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_certificate_is_exchanged_under_a_live_client(authority: Authority) -> None:
    pair = authority.issue("server")
    with echoing(credentials=server_credentials(config(pair))) as port:
        first = shown_by(port)
        credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes())
        with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
            live = channel.unary_unary(ECHO)
            assert live(b"before", timeout=5) == b"before"
            authority.issue("server")
            second = shown_by(port)
            assert second == pair.certificate.read_bytes() != first
            assert live(b"after", timeout=5) == b"after"
        assert call(port, authority) == b"hello"


def test_the_certificates_of_clients_are_exchanged_too(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    newer = Authority(tmp_path / "new", "newer-authority")
    trusted = tmp_path / "clients.pem"
    trusted.write_bytes(authority.certificate.read_bytes())
    old, new = authority.issue("camera-7"), newer.issue("camera-7")
    with echoing(credentials=server_credentials(config(authority.issue("server"), trusted))) as port:
        assert call(port, authority, old)
        with pytest.raises(grpc.RpcError):
            call(port, authority, new)
        replace_file(trusted, newer.certificate.read_bytes())
        assert call(port, authority, new)
        with pytest.raises(grpc.RpcError):
            call(port, authority, old)


@pytest.mark.parametrize("broken", ["half of a pair", "half of a file", "no file"])
def test_what_cannot_be_used_is_refused_while_the_old_one_serves(
    authority: Authority, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    pair = authority.issue("server")
    with echoing(credentials=server_credentials(config(pair))) as port:
        first = shown_by(port)
        following = authority.issue("server", file="following")
        whole = following.certificate.read_bytes()
        if broken == "no file":
            pair.certificate.unlink()
        else:
            replace_file(pair.certificate, whole if broken == "half of a pair" else whole[: len(whole) // 2])
        with caplog.at_level(logging.ERROR):
            assert shown_by(port) == first
            assert shown_by(port) == first
            assert call(port, authority) == b"hello"
        assert len(caplog.records) == 1, "said once, not at every connection"
        assert "the old one stays" in caplog.text
        replace_file(pair.certificate, whole)
        os.replace(following.key, pair.key)
        assert shown_by(port) == whole


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda a, p: p.certificate.unlink(), r"tls_certificate: expected a readable PEM file, got .*server.pem"),
        (lambda a, p: p.key.unlink(), r"tls_key: expected a readable PEM file, got .*server.key"),
        (lambda a, p: p.key.write_bytes(a.issue("other").key.read_bytes()), "belongs to another certificate"),
        (lambda a, p: a.issue("server", password=b"secret"), "without a password.*encrypted.*openssl pkey"),
        (lambda a, p: p.certificate.write_bytes(b"nonsense"), "OpenSSL cannot read"),
        (lambda a, p: p.key.write_bytes(b""), "OpenSSL cannot read"),
        (lambda a, p: a.certificate.write_bytes(b"nonsense"), "tls_client_ca: expected certificates in PEM"),
        (lambda a, p: a.certificate.write_bytes(p.key.read_bytes()), "tls_client_ca: expected certificates in PEM"),
        (lambda a, p: a.certificate.unlink(), "tls_client_ca: expected a readable PEM file"),
    ],
)
def test_a_server_does_not_start_with_files_that_cannot_be_used(
    authority: Authority, spoil: Callable[[Authority, Pair], object], words: str
) -> None:
    pair = authority.issue("server")
    spoil(authority, pair)
    with pytest.raises(ConfigError, match=words):
        server_credentials(config(pair, authority.certificate))


def test_certificates_of_clients_need_one_of_the_server(authority: Authority) -> None:
    with pytest.raises(ConfigError, match="expected tls_certificate and tls_key beside it"):
        server_credentials(ServerConfig(tls_client_ca=authority.certificate))


@pytest.mark.parametrize(
    ("days", "words"),
    [((-9, -1), "has expired"), ((1, 9), "not valid yet"), ((-1, 3.5), "expires in 3.5 days"), ((-1, 30), "")],
)
def test_certificates_that_clients_will_refuse_are_warned_of(
    authority: Authority, caplog: pytest.LogCaptureFixture, days: tuple[float, float], words: str
) -> None:
    server_credentials(config(authority.issue("server", days=days)))
    assert words in caplog.text
    assert bool(caplog.records) == bool(words)


def test_a_key_that_others_can_read_is_warned_of(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    pair = authority.issue("server")
    pair.key.chmod(0o644)
    server_credentials(config(pair))
    assert "tls_key: expected a file for its owner alone" in caplog.text


def test_an_identity_is_the_common_name_or_nothing() -> None:
    assert identity({"x509_common_name": [b"camera-7"], "transport_security_type": [b"ssl"]}) == "camera-7"
    assert identity({"transport_security_type": [b"ssl"]}) is None
    assert identity({}) is None


def greet(context: ssl.SSLContext, listener: socket.socket, count: int) -> None:
    for _ in range(count):
        plain, _ = listener.accept()
        try:
            with context.wrap_socket(plain, server_side=True) as encrypted:
                encrypted.sendall(b"hello")
        except (ssl.SSLError, OSError):
            plain.close()


def test_the_http_port_exchanges_certificates_too(authority: Authority) -> None:
    pair = authority.issue("server")
    context = http_context(config(pair))
    assert context is not None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=greet, args=(context, listener, 3))
        thread.start()
        assert shown_by(port) == pair.certificate.read_bytes()
        first = pair.certificate.read_bytes()
        authority.issue("server")
        assert shown_by(port) == pair.certificate.read_bytes() != first
        pair.key.write_bytes(b"")
        newest = pair.certificate.read_bytes()
        assert shown_by(port) == newest
        thread.join()


def test_the_http_port_asks_for_certificates_of_clients(authority: Authority) -> None:
    context = http_context(config(authority.issue("server"), authority.certificate))
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
