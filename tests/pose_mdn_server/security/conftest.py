"""Servers that echo, and certificates."""

import datetime
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ECHO, COUNT, GROW = "/test/Echo", "/test/Count", "/test/Grow"


class Echo(grpc.GenericRpcHandler):
    """Answers with what came, and with who called if nothing came; with its length; with as much as was asked for."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        if handler_call_details.method == COUNT:
            return grpc.unary_unary_rpc_method_handler(lambda request, _: str(len(request)).encode())
        if handler_call_details.method == GROW:
            return grpc.unary_unary_rpc_method_handler(lambda request, _: bytes(int(request)))
        return grpc.unary_unary_rpc_method_handler(self.answer)

    @staticmethod
    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        return request or b"".join(context.auth_context().get("x509_common_name", ()))


@contextmanager
def echoing(
    options: tuple[tuple[str, int], ...] = (), credentials: grpc.ServerCredentials | None = None
) -> Iterator[int]:
    """A server's port on loopback."""
    server = grpc.server(ThreadPoolExecutor(4), options=(*options, ("grpc.so_reuseport", 0)))
    server.add_generic_rpc_handlers((Echo(),))
    if credentials is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._build(name, name, self._key, days=(-1, 30), is_authority=True)
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, name: str, *, days: tuple[float, float] = (-1, 30), password: bytes | None = None, file: str = ""
    ) -> Pair:
        """Write `FILE.pem` and `FILE.key`, with `name` as common name and as alternative name beside localhost."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._build(self._name, name, key, days=days, is_authority=False)
        pair = Pair(self.folder / f"{file or name}.pem", self.folder / f"{file or name}.key")
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password is not None:
            encryption = serialization.BestAvailableEncryption(password)
        replace_file(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))
        replace_file(
            pair.key,
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption),
        )
        return pair

    def _build(
        self, issuer: str, name: str, key: ec.EllipticCurvePrivateKey, *, days: tuple[float, float], is_authority: bool
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days=days[0]))
            .not_valid_after(now + datetime.timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName(name)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def replace_file(path: Path, content: bytes) -> None:
    """Exchange a file at once, for its owner alone."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.chmod(0o600)
    os.replace(new, path)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "test-authority")


@pytest.fixture
def look_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at whenever it is asked, instead of once a second."""
    monkeypatch.setattr("pose_mdn_server.security.watched_files.WatchedFiles.due", lambda self: True)
