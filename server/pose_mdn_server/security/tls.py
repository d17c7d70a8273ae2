"""TLS and mutual TLS for the gRPC port and the HTTP port; certificates may be exchanged while the server runs."""

import logging
import ssl
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import grpc

from pose_mdn.errors import ConfigError
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.security.certificates import Certificates, read_certificates
from pose_mdn_server.security.tokens import warn_if_others_may_read
from pose_mdn_server.security.watched_files import WatchedFiles

_LOG = logging.getLogger(__name__)


def server_credentials(config: ServerConfig) -> grpc.ServerCredentials | None:
    """Credentials of the gRPC port, or `None` if the settings name no certificate.

    Connections are encrypted (TLS 1.2 or 1.3). If the settings name certificates that sign clients' certificates, a
    client without one is refused in the handshake. gRPC asks for the certificates at every new connection; connections
    that stand keep theirs.

    Raises:
        ConfigError: The files cannot be used.
    """
    rotation = _rotation(config)
    if rotation is None:
        return None
    return grpc.dynamic_ssl_server_credentials(
        _configuration(rotation.certificates),
        # `None` for no change, of which the stubs know nothing.
        lambda: _configuration(rotation.certificates) if rotation.refresh() else None,  # type: ignore[arg-type,return-value]
        require_client_authentication=config.tls_client_ca is not None,
    )


def http_context(config: ServerConfig) -> ssl.SSLContext | None:
    """As `server_credentials`, of the HTTP port: a context for Python's sockets. Certificates are exchanged alike."""
    rotation = _rotation(config)
    if rotation is None:
        return None
    context = _context(config)
    following = [context]

    def newest(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context_of_it: ssl.SSLContext) -> None:
        if rotation.refresh():
            try:
                following[0] = _context(config)
            except (ssl.SSLError, OSError) as error:
                _LOG.error("tls: the new certificate is refused, the old one stays: %s", error)
        connection.context = following[0]

    context.sni_callback = newest
    return context


def identity(auth_context: Mapping[str, Iterable[bytes]]) -> str | None:
    """The common name of a client's verified certificate, of what gRPC knows of a connection; `None` without one."""
    names = list(auth_context.get("x509_common_name") or ())
    return names[0].decode(errors="replace") if names else None


class CertificateRotation:
    """The certificates in use, and newer ones as soon as their files can be used."""

    def __init__(self, certificate: Path, key: Path, client_ca: Path | None) -> None:
        """Errors as `read_certificates`."""
        self._files = certificate, key, client_ca
        self._watched = WatchedFiles(*(path for path in self._files if path is not None))
        self._lock = threading.Lock()
        self.certificates = self._read()

    def refresh(self) -> bool:
        """Look at the files, at most once a second. True if there are other certificates than before.

        Files that cannot be used (half of a pair, half of a file) leave the certificates as they are, and are tried
        again when they change.
        """
        if not self._watched.due() or not self._lock.acquire(blocking=False):
            return False
        try:
            if not self._watched.changed():
                return False
            self.certificates = self._read()
        except ConfigError as error:
            _LOG.error("tls: the new certificate is refused, the old one stays: %s", error)
            return False
        finally:
            self._lock.release()
        _LOG.info("tls: read a new certificate from %s", self._files[0])
        return True

    def _read(self) -> Certificates:
        found = read_certificates(*self._files)
        warn_if_others_may_read(self._files[1], "tls_key")
        if found.warning:
            _LOG.warning(found.warning)
        return found


def _rotation(config: ServerConfig) -> CertificateRotation | None:
    if config.tls_certificate is None or config.tls_key is None:
        if config.tls_client_ca is not None:
            raise ConfigError(
                "tls_client_ca: expected tls_certificate and tls_key beside it, got none; "
                "clients show certificates only where the server shows one"
            )
        return None
    return CertificateRotation(config.tls_certificate, config.tls_key, config.tls_client_ca)


def _configuration(certificates: Certificates) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(certificates.key, certificates.chain)], root_certificates=certificates.client_ca
    )


def _context(config: ServerConfig) -> ssl.SSLContext:
    assert config.tls_certificate is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(config.tls_certificate, config.tls_key)
    if config.tls_client_ca is not None:
        context.load_verify_locations(config.tls_client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
