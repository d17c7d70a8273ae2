"""Encryption on both sides: towards clients, and towards the gRPC port, which has the same certificate."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import grpc

from pose_mdn.errors import ConfigError
from pose_mdn_server.config import ServerConfig


@dataclass(frozen=True, kw_only=True)
class TlsFiles:
    """Where certificates are.

    Attributes:
        certificate: Chain of the server, PEM.
        key: Its private key, PEM.
        client_ca: Certificates that sign clients' certificates, PEM; `None` if clients need none.
    """

    certificate: Path
    key: Path
    client_ca: Path | None

    def stamp(self) -> tuple[tuple[int, int, int], ...]:
        """Changes when a file does."""
        states = [path.stat() for path in (self.certificate, self.key, self.client_ca) if path is not None]
        return tuple((state.st_mtime_ns, state.st_size, state.st_ino) for state in states)

    def load(self) -> "Encryption":
        """Read the files.

        Raises:
            ConfigError: They cannot be read, or do not belong together.
        """
        try:
            return self._load()
        except (OSError, ValueError) as error:  # SSLError is an OSError
            raise ConfigError(
                f"tls_certificate, tls_key: expected a valid certificate and its key in PEM, got {error}; "
                f"check {self.certificate} and {self.key}"
            ) from None

    def _load(self) -> "Encryption":
        towards_clients = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        towards_clients.minimum_version = ssl.TLSVersion.TLSv1_2
        towards_clients.set_alpn_protocols(["http/1.1"])
        towards_clients.load_cert_chain(self.certificate, self.key)
        chain, key = self.certificate.read_bytes(), self.key.read_bytes()
        names = _names(self.certificate, self.key)
        if self.client_ca is not None:
            towards_clients.load_verify_locations(self.client_ca)
            towards_clients.verify_mode = ssl.CERT_REQUIRED
        credentials = grpc.ssl_channel_credentials(
            root_certificates=chain,
            private_key=key if self.client_ca is not None else None,
            certificate_chain=chain if self.client_ca is not None else None,
        )
        return Encryption(towards_clients=towards_clients, towards_server=credentials, names=names)


@dataclass(frozen=True, kw_only=True)
class Encryption:
    """What the files hold.

    Attributes:
        towards_clients: For the HTTP port.
        towards_server: For the gRPC port.
        names: What the certificate calls the server, DNS names first.
    """

    towards_clients: ssl.SSLContext
    towards_server: grpc.ChannelCredentials
    names: tuple[str, ...]


def tls_files(config: ServerConfig) -> TlsFiles | None:
    """The files of a server that encrypts."""
    if config.tls_certificate is None or config.tls_key is None:
        return None
    return TlsFiles(certificate=config.tls_certificate, key=config.tls_key, client_ca=config.tls_client_ca)


def _names(certificate: Path, key: Path) -> tuple[str, ...]:
    """What a certificate calls its owner: the names that a client sees who trusts it and shakes hands with it here."""
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client_context.load_verify_locations(certificate)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(certificate, key)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(2):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    found = cast(dict[str, object], client.getpeercert() or {})
    alternatives = cast(tuple[tuple[str, str], ...], found.get("subjectAltName", ()))
    kinds = ("DNS", "IP Address")
    return tuple(name.lower() for kind in kinds for of, name in alternatives if of == kind)
