"""Encryption on both sides, certificates made for the test, changed while it runs."""

import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pose_mdn.errors import ConfigError
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.gateway import gateway as gateway_module
from pose_mdn_server.gateway.tls_files import TlsFiles

from .conftest import RunningGateway, running_gateway
from .test_connect_protocol import LIFT


def write_certificate(folder: Path, name: str, *, days: int = 1) -> TlsFiles:
    """A self-signed certificate for a name and for loopback."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = TlsFiles(certificate=folder / "server.pem", key=folder / "server.key", client_ca=None)
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return files


def trusting(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=files.certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


class Echo(grpc.GenericRpcHandler):
    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        return grpc.unary_unary_rpc_method_handler(lambda request, context: request)


def secure_target(files: TlsFiles, *, mutual: bool = False) -> "tuple[grpc.Server, str]":
    def current() -> grpc.ServerCertificateConfiguration:
        pair = files.key.read_bytes(), files.certificate.read_bytes()
        return grpc.ssl_server_certificate_configuration([pair], pair[1] if mutual else None)

    credentials = grpc.dynamic_ssl_server_credentials(current(), current, mutual)
    server = grpc.server(ThreadPoolExecutor(2), handlers=(Echo(),))
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    return server, f"127.0.0.1:{port}"


@pytest.fixture
def encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[RunningGateway, TlsFiles]]:
    monkeypatch.setattr(gateway_module, "_LOOK_FOR_CERTIFICATES_S", 0.05)
    files = write_certificate(tmp_path, "poses.example")
    server, target = secure_target(files)
    config = ServerConfig(http_port=0, workers=1, drain_s=1.0, tls_certificate=files.certificate, tls_key=files.key)
    try:
        with running_gateway(config, target, trusting(files)) as running:
            yield running, files
    finally:
        server.stop(None).wait()


def test_calls_are_encrypted_on_both_sides(encrypted: tuple[RunningGateway, TlsFiles]) -> None:
    running, _ = encrypted
    assert running.post(LIFT, b"ab", "application/proto").body == b"ab"
    own = f"https://127.0.0.1:{running.port}"
    assert running.post(LIFT, b"", "application/proto", origin=own).status == 200
    assert running.ask("GET", "/healthz", headers={"host": "poses.example"}).status == 200
    assert running.ask("GET", "/healthz", headers={"host": "other.example"}).status == 403


def test_plain_http_on_an_encrypted_port_gets_nothing(encrypted: tuple[RunningGateway, TlsFiles]) -> None:
    running, _ = encrypted
    with running.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        with suppress(ConnectionResetError):
            assert not connection.recv(100).startswith(b"HTTP")
    assert running.ask("GET", "/healthz").status == 200


def test_a_changed_certificate_is_used_and_a_broken_one_is_not(
    encrypted: tuple[RunningGateway, TlsFiles], tmp_path: Path
) -> None:
    running, files = encrypted
    good = files.certificate.read_bytes()
    files.certificate.write_bytes(good[:100])
    with pytest.raises(ConfigError, match="tls_certificate"):
        files.load()
    assert running.ask("GET", "/healthz").status == 200
    write_certificate(tmp_path, "renewed.example")
    running.tls = trusting(files)
    for _ in range(200):
        try:
            answer = running.ask("GET", "/healthz")
        except ssl.SSLCertVerificationError:
            continue  # it has not looked yet
        break
    assert answer.status == 200
    assert running.post(LIFT, b"ab", "application/proto").body == b"ab"
    assert files.load().names == ("renewed.example", "127.0.0.1")


def test_files_that_do_not_fit_are_refused_at_the_start(tmp_path: Path) -> None:
    files = write_certificate(tmp_path, "poses.example")
    for broken in (files.key, files.certificate):
        content = broken.read_bytes()
        broken.write_bytes(b"nonsense")
        with pytest.raises(ConfigError, match="tls_certificate"):
            files.load()
        broken.write_bytes(content)
    (tmp_path / "other").mkdir()
    other = write_certificate(tmp_path / "other", "other.example")
    with pytest.raises(ConfigError, match="tls_key"):
        TlsFiles(certificate=files.certificate, key=other.key, client_ca=None).load()


def test_clients_need_certificates_where_the_grpc_port_wants_them(tmp_path: Path) -> None:
    files = write_certificate(tmp_path, "poses.example")
    config = ServerConfig(
        http_port=0, workers=1, drain_s=1.0,
        tls_certificate=files.certificate, tls_key=files.key, tls_client_ca=files.certificate,
    )  # fmt: skip
    server, target = secure_target(files, mutual=True)
    try:
        with running_gateway(config, target, trusting(files)) as running:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                running.ask("GET", "/healthz")
            running.tls.load_cert_chain(files.certificate, files.key)
            assert running.ask("GET", "/healthz").status == 200
            assert running.post(LIFT, b"ab", "application/proto").body == b"ab"
    finally:
        server.stop(None).wait()
