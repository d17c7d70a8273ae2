"""Encryption of a probe: towards servers whose certificates can be verified, and towards those on this machine.

gRPC has no switch that turns verification off. A probe on loopback asks for health and sends no secret, so it looks at
the certificate first and then expects exactly this one.
"""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from pose_mdn.errors import ConfigError

_LOOPBACK = ("127.", "localhost:", "[::1]:")


@dataclass(frozen=True, kw_only=True)
class Encryption:
    """How a probe encrypts.

    Attributes:
        ca: Certificates that sign the server's, PEM; None to believe whoever answers on this machine.
        certificate: The prober's own certificate chain, PEM, for servers that want one.
        key: Private key of it, PEM.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def channel(self, target: str, *, timeout_s: float) -> grpc.Channel:
        """A gRPC channel to "host:port".

        Raises:
            ConfigError: A file cannot be read, or the server is on another machine and there is no `ca`.
            OSError: The server has to show its certificate, and does not.
        """
        options: tuple[tuple[str, str], ...] = ()
        roots = _content(self.ca)
        if roots is None:
            _require_loopback(target)
            roots, name = certificate_seen(target, timeout_s=timeout_s)
            options = (("grpc.ssl_target_name_override", name),)
        credentials = grpc.ssl_channel_credentials(roots, _content(self.key), _content(self.certificate))
        return grpc.secure_channel(target, credentials, options)

    def http_context(self, target: str) -> ssl.SSLContext:
        """What `http.client` needs to connect to "host:port".

        Raises:
            ConfigError: A file cannot be read, or the server is on another machine and there is no `ca`.
        """
        if self.ca is None:
            _require_loopback(target)
            context = _blind()
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            if self.ca is not None:
                context.load_verify_locations(self.ca)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except OSError as error:  # SSLError is one
            files = ", ".join(str(path) for path in (self.ca, self.certificate, self.key) if path is not None)
            raise ConfigError(f"expected certificates and keys in PEM, got {files}: {error}") from None
        return context


def certificate_seen(target: str, *, timeout_s: float) -> tuple[bytes, str]:
    """What a server shows as its certificate, unverified.

    Args:
        target: Address, "host:port".
        timeout_s: How long each of two connections may take.

    Returns:
        The certificate, PEM, and a host name or address that it is valid for; "localhost" if it states none.

    Raises:
        OSError: Nobody answers, or not with TLS.
    """
    with _connected(target, _blind(), timeout_s) as first:
        pem = ssl.DER_cert_to_PEM_cert(first.getpeercert(binary_form=True) or b"")
    # Python tells the contents of a certificate only if it is trusted: trust it alone, whoever signed it.
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trusting.load_verify_locations(cadata=pem)
    with _connected(target, trusting, timeout_s) as second:
        names = (second.getpeercert() or {}).get("subjectAltName", ())
    found = [str(name) for kind, name in names if kind in {"DNS", "IP Address"}]  # type: ignore[str-unpack]
    # "*.example.org" is valid for any one word in the star's place.
    return pem.encode(), (found or ["localhost"])[0].replace("*", "probe", 1)


def _require_loopback(target: str) -> None:
    if not target.startswith(_LOOPBACK):
        raise ConfigError(
            f"--ca: expected the certificates that sign the server's, since {target} is another machine's"
        )


def _content(path: Path | None) -> bytes | None:
    try:
        return None if path is None else path.read_bytes()
    except OSError as error:
        raise ConfigError(f"expected a PEM file, got {path}: {error.strerror}") from None


def _blind() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _connected(target: str, context: ssl.SSLContext, timeout_s: float) -> ssl.SSLSocket:
    context.set_alpn_protocols(["h2"])
    host, _, port = target.rpartition(":")
    plain = socket.create_connection((host.strip("[]"), int(port)), timeout=timeout_s)
    try:
        return context.wrap_socket(plain)
    except BaseException:
        plain.close()
        raise
